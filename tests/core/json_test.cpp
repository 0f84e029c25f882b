// The tree of JSON values, held against nlohmann::json: what is accepted, what is read, merged and found equal.

#include "core/base/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_writer.hpp"
#include "core/base/rng.hpp"

namespace aetherflow {
namespace {

using Oracle = nlohmann::json;

std::string print(const JsonValue& value) {
  std::string out;
  JsonWriter writer(out);
  writeJson(writer, value);
  return out;
}

/// A small value, written with blanks and escapes here and there; its names collide often.
std::string randomText(Rng& rng, int depth) {
  static constexpr std::string_view kScalars[] = {
      "null",
      "true",
      "false",
      "0",
      "-0.0",
      "1",
      "1.0",
      "10e-1",
      "2.5",
      "-3",
      "1e2",
      "100",
      R"("")",
      R"("a")",
      R"("\u0061")",
      R"("b\n\"\\")",
      R"("\ud83d\ude00")",
      "\"é\"",
  };
  static constexpr std::string_view kNames[] = {R"("a")", R"("b")", R"("\u0062")", R"("ab")", R"("é")", R"("")"};
  const std::uint32_t kind = depth == 0 ? 0 : rng.below(4);
  if (kind < 2) return std::string(kScalars[rng.below(std::size(kScalars))]);
  std::string text = kind == 2 ? "[" : " {";
  for (std::uint32_t i = rng.below(5); i > 0; --i) {
    if (kind == 3) text += std::string(kNames[rng.below(std::size(kNames))]) + " : ";
    text += randomText(rng, depth - 1);
    if (i > 1) text += ",\n";
  }
  return text + (kind == 2 ? "] " : "}");
}

TEST(Json, AcceptsWhatTheOracleAccepts) {
  for (const std::string_view text : {"",
                                      " ",
                                      "{}",
                                      "[]",
                                      "nul",
                                      "null",
                                      " 1 ",
                                      "01",
                                      "1.",
                                      "-",
                                      "-0",
                                      "1e5",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{\"a\" 1}",
                                      "[1 2]",
                                      "\"",
                                      "\"\\u12\"",
                                      "\"\\ud800\"",
                                      "\"\xff\"",
                                      "\"\t\"",
                                      "{} {}",
                                      "\xef\xbb\xbf{\"a\":1}",
                                      "\xef\xbb{}",
                                      "[[[[[[]]]]]]",
                                      "{'a':1}",
                                      "// a\n{}",
                                      "[NaN]",
                                      "tru",
                                      "\"\x7f\""}) {
    EXPECT_EQ(isJson(text), Oracle::accept(text)) << text;
    EXPECT_EQ(parseJson(text).has_value(), Oracle::accept(text)) << text;
  }
}

TEST(Json, ReadsWhatTheOracleReads) {
  Rng rng(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text = randomText(rng, 4);
    if (rng.below(4) == 0) text[rng.below(static_cast<std::uint32_t>(text.size()))] = "{}[],:\"1e\\ "[rng.below(11)];
    const std::optional<JsonValue> value = parseJson(text);
    const Oracle oracle = Oracle::parse(text, nullptr, false);
    ASSERT_EQ(value.has_value(), !oracle.is_discarded()) << text;
    if (value) {
      ASSERT_EQ(Oracle::parse(print(*value), nullptr, false), oracle) << text;
    }
  }
}

TEST(Json, MembersComeInOrderAndTheLastOfANameCounts) {
  const JsonValue value = *parseJson(R"({"b":1,"a":{"z":1,"y":[true, null]},"b":2,"B":3,"b":4})");
  EXPECT_EQ(print(value), R"({"B":3,"a":{"y":[true,null],"z":1},"b":4})");
  ASSERT_NE(value.find("b"), nullptr);
  EXPECT_EQ(value.find("b")->text, "4");
  EXPECT_EQ(value.find("c"), nullptr);
  EXPECT_EQ(value.find("a")->find("y")->find("0"), nullptr);
}

TEST(Json, MergesAsTheOracleDoes) {
  Rng rng(2);
  for (int round = 0; round < 3000; ++round) {
    const std::string target = randomText(rng, 4), patch = randomText(rng, 4);
    JsonValue value = *parseJson(target);
    Oracle oracle = Oracle::parse(target, nullptr, false);
    mergePatch(value, *parseJson(patch));
    oracle.merge_patch(Oracle::parse(patch, nullptr, false));
    ASSERT_EQ(Oracle::parse(print(value), nullptr, false), oracle) << target << " + " << patch;
  }
}

/// The examples of RFC 7396, appendix A, that random texts hardly meet.
TEST(Json, MergesDeepPatchesIntoWhatIsNotThere) {
  const auto merged = [](std::string_view target, std::string_view patch) {
    JsonValue value = *parseJson(target);
    mergePatch(value, *parseJson(patch));
    return print(value);
  };
  EXPECT_EQ(merged(R"({"e":null})", R"({"a":1})"), R"({"a":1,"e":null})");
  EXPECT_EQ(merged("[1,2]", R"({"a":"b","c":null})"), R"({"a":"b"})");
  EXPECT_EQ(merged("{}", R"({"a":{"bb":{"ccc":null}}})"), R"({"a":{"bb":{}}})");
  EXPECT_EQ(merged(R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})"), R"({"a":{"b":"d"}})");
}

TEST(Json, ComparesAsTheOracleDoes) {
  Rng rng(3);
  for (int round = 0; round < 3000; ++round) {
    const std::string a = randomText(rng, 2), b = randomText(rng, 2);
    const JsonValue x = *parseJson(a), y = *parseJson(b);
    const bool equal = Oracle::parse(a, nullptr, false) == Oracle::parse(b, nullptr, false);
    ASSERT_EQ(compareJson(x, y) == 0, equal) << a << " and " << b;
    ASSERT_EQ(compareJson(x, y) < 0, compareJson(y, x) > 0) << a << " and " << b;
    ASSERT_EQ(allDistinct(*parseJson("[" + a + "," + b + "]")), !equal) << a << " and " << b;
  }
}

TEST(Json, NumbersAreOrderedByTheirValue) {
  const std::string_view ascending[] = {"-1e400", "-20",  "-3",   "-2.5",  "-1e-400",          "0",
                                        "1e-400", "0.1",  "0.25", "2",     "9007199254740992", "9007199254740993",
                                        "1e18",   "2e18", "1e19", "1.5e19"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t k = 0; k < std::size(ascending); ++k) {
      const int order = compareJson(*parseJson(ascending[i]), *parseJson(ascending[k]));
      EXPECT_EQ(order < 0, i < k) << ascending[i] << " and " << ascending[k];
      EXPECT_EQ(order > 0, i > k) << ascending[i] << " and " << ascending[k];
    }
  }
  EXPECT_EQ(compareJson(*parseJson("-0"), *parseJson("0e7")), 0);
  EXPECT_EQ(compareJson(*parseJson("100"), *parseJson("1.00E+2")), 0);
}

TEST(Json, NumbersAreReadAsTheOracleReadsThem) {
  for (const std::string_view text : {"0", "-0", "0.7", "-12.5e-1", "1e3", "123456789.125", "4294967296", "0.001"})
    EXPECT_EQ(parseJson(text)->number(), Oracle::parse(text).get<double>()) << text;
  for (const std::string_view text : {"0", "7", "18446744073709551615", "18446744073709551616", "-1", "-0", "1.0",
                                      "1e2", "\"1\"", "99999999999999999999999"}) {
    const Oracle oracle = Oracle::parse(text);
    const std::optional<std::uint64_t> value = parseJson(text)->unsignedInteger();
    ASSERT_EQ(value.has_value(), oracle.is_number_unsigned()) << text;
    if (value) {
      EXPECT_EQ(*value, oracle.get<std::uint64_t>());
    }
  }
}

TEST(Json, TheDepthIsBounded) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_TRUE(parseJson(nested(kJsonDepth)));
  EXPECT_FALSE(parseJson(nested(kJsonDepth + 1)));
  EXPECT_TRUE(isJson(nested(100'000)));
  EXPECT_FALSE(isJson(nested(100'000), 99'999));
}

}  // namespace
}  // namespace aetherflow
