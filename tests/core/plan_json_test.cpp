// What counts as JSON, byte by byte; and the small reader of validated JSON behind it.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>

#include "core/base/json_cursor.hpp"
#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

using namespace std::string_literals;

/// Whether `text` is JSON, whatever the cuts. Being no plan is another matter.
bool isJson(const std::string& text) {
  PlanReader whole, bytes;
  readInPieces(whole, text, text.size() + 1);
  readInPieces(bytes, text, 1);
  EXPECT_EQ(print(whole), print(bytes)) << text;
  EXPECT_EQ(whole.offset(), bytes.offset()) << text;
  return whole.error().code != ErrorCode::JsonMalformed;
}

// clang-format off
const std::string kWellFormed[] = {
    "{}", "[]", "[[]]", "[{}]", "null", "true", "false", "0", "-0", "\"\"", " [ ] ", "\t\r\n{ }\n", "[1]", "[-1]",
    "[0.5]", "[-0.0]", "[10]", "[1e5]", "[1E5]", "[1e+5]", "[1e-5]", "[1.25e10]", "[0e0]",
    "[123456789012345678901234567890]", "[1e9999]", "[-1e-9999]", "[0.000000000000000000000000000001]",
    R"(["\"\\\/\b\f\n\r\t"])", R"(["\u0000\u001F\u00e9\uFFFF"])", R"(["\ud83d\ude00"])", R"(["\uDBFF\uDFFF"])",
    R"(["\u005c\u0022"])", "[\"\x7f\"]", "[\"\xc2\x80\"]", "[\"é€😀\"]", "[\"\xed\x9f\xbf\xee\x80\x80\"]",
    "[\"\xf4\x8f\xbf\xbf\"]", "[\"\xf0\x90\x80\x80\"]", "[\"\xe0\xa0\x80\"]", "[\"\xef\xbb\xbf\"]",
    R"({"a":1,"a":2})", R"({"":0})", R"({"a":{"b":{"c":[]}}})", R"([1,[2,[3,[4]]]])", "[true,false,null]",
    R"({"steps":{}})", "\xef\xbb\xbf{}", "\xef\xbb\xbf [1]", "[1 , 2\n,\t3]", R"({ "a" : 1 , "b" : [ ] })", "1.5",
    "1e1", R"(["/* no comment */"])",
};
// clang-format on

TEST(PlanJson, WellFormedTextsAreNeverMalformed) {
  for (const std::string& text : kWellFormed) EXPECT_TRUE(isJson(text)) << text;
}

// clang-format off
const std::string kMalformed[] = {
    "", " ", "\xef\xbb\xbf", "\xef\xbb", "\xef\xbb{}", "\xef{}", " \xef\xbb\xbf{}", "{}\xef\xbb\xbf", "[1,]", "[,1]",
    "[1,,2]", "[1 2]", "[1", "[", "]", "[]]", "[}", "{]", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}",
    "{a:1}", "{'a':1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1}}", "[1]x", "[] []", "{}{}", "nul",
    "nulL", "truefalse", "tru\n", "True", "[+1]", "[01]", "[-01]", "[-]", "[.5]", "[1.]", "[1.e5]", "[1e]", "[1e+]",
    "[-a]", "[0x10]", "[1_0]", "[1a]", "[NaN]", "[Infinity]", "[0e+-1]", "[0.1.2]", "[1e5.5]", "1.", "-", "1e", "\"",
    "\"abc", "[\"a]", "[\"\t\"]", "[\"\n\"]", "[\"\0\"]"s, "[\"\x1f\"]", R"(["\x"])", R"(["\'"])", R"(["\u12"])",
    R"(["\u12G4"])", R"(["\U0041"])", R"(["\)", R"(["\u)", R"(["\ud800"])", R"(["\ud800x"])", R"(["\ud800\n"])",
    R"(["\ud800\u0041"])", R"(["\ud800\ud800"])", R"(["\udc00"])", "[\"\x80\"]", "[\"\xc0\x80\"]", "[\"\xc1\xbf\"]",
    "[\"\xc3\"]", "[\"\xe0\x9f\xbf\"]", "[\"\xed\xa0\x80\"]", "[\"\xf0\x8f\xbf\xbf\"]", "[\"\xf4\x90\x80\x80\"]",
    "[\"\xf5\x80\x80\x80\"]", "[\"\xff\"]", "[\"\xe2\x82\"]", "[\xc3\xa9]", "[\0]"s, "{}\0"s, "[1]//x", "/**/[]",
    "[\v1]", "[\f]", "\xc2\xa0[]", "[\"a\",\n\"b\"", "{\"a\":[}", "\xff\xfe[\0]\0"s,
};
// clang-format on

TEST(PlanJson, MalformedTextsAreAlwaysMalformed) {
  for (const std::string& text : kMalformed) EXPECT_FALSE(isJson(text)) << text;
}

TEST(PlanJson, TheByteIsNamed) {
  const auto place = [](std::string_view text) {
    const std::string detail = errorOf(text).detail;
    return detail.substr(0, detail.find(')') + 1);
  };
  EXPECT_EQ(place("[1,]"), "line 1, column 4 (byte 3)");
  EXPECT_EQ(place(R"({"steps":[{"id":tru3}]})"), "line 1, column 20 (byte 19)");
  EXPECT_EQ(place("{\"a\""), "line 1, column 5 (byte 4)");
  EXPECT_EQ(place("{\"a\":\n  \"é😀\" x}"), "line 2, column 8 (byte 17)");
  EXPECT_EQ(place("{\r\n\r\n\t]"), "line 3, column 2 (byte 6)");
  EXPECT_EQ(place(""), "line 1, column 1 (byte 0)");
  EXPECT_EQ(errorOf("[1,]").where, "");
}

TEST(PlanJson, NoPlanShowsAtOnceAndMalformedReplacesItAtTheEnd) {
  PlanReader reader;
  reader.push("[1,");
  EXPECT_EQ(reader.error().code, ErrorCode::PlanNotObject);
  reader.push("]");
  EXPECT_EQ(reader.error().code, ErrorCode::PlanNotObject);
  reader.end();
  EXPECT_EQ(reader.error().code, ErrorCode::JsonMalformed);
}

TEST(PlanJson, AMillionLevelsAreJudgedWithoutRecursion) {
  const std::string open(100'000, '['), close(100'000, ']');
  EXPECT_EQ(errorOf(open).code, ErrorCode::JsonMalformed);
  EXPECT_EQ(errorOf(open + close).code, ErrorCode::PlanNotObject);
  EXPECT_EQ(errorOf("{\"a\":" + open + close + "}").code, ErrorCode::PlanTooDeep);
  // Past a million levels nobody counts any more: the reading ends with the error it has.
  EXPECT_EQ(errorOf("{\"a\":" + std::string(1'200'000, '[')).code, ErrorCode::PlanTooDeep);
}

TEST(PlanJson, DecimalsAreReadAsWritten) {
  const auto real = [](std::string_view text) { return toDouble(decimalOf(text)); };
  EXPECT_EQ(real("0.7"), 0.7);
  EXPECT_EQ(real("-12.5e-1"), -1.25);
  EXPECT_EQ(real("1E3"), 1000.0);
  EXPECT_EQ(real("0.1e1"), 1.0);
  EXPECT_EQ(real("123456789.125"), 123456789.125);
  EXPECT_EQ(real("1e-400"), 0.0);
  EXPECT_EQ(real("0e999999999999"), 0.0);
  EXPECT_EQ(real("1e999999999999"), std::numeric_limits<double>::infinity());
  EXPECT_NEAR(real("0.12345678901234567890123456789"), 0.12345678901234568, 1e-16);

  const auto whole = [](std::string_view text) {
    std::int64_t value = 0;
    return toInteger(decimalOf(text), value) ? value : -77;
  };
  EXPECT_EQ(whole("4000"), 4000);
  EXPECT_EQ(whole("-4.0"), -4);
  EXPECT_EQ(whole("4e3"), 4000);
  EXPECT_EQ(whole("4000e-3"), 4);
  EXPECT_EQ(whole("4.5"), -77);
  EXPECT_EQ(whole("1.00000000000000000000001"), -77);
  EXPECT_EQ(whole("1.00000000000000000000000"), 1);
  EXPECT_EQ(whole("1e30"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(whole("-99999999999999999999999"), -std::numeric_limits<std::int64_t>::max());
}

TEST(PlanJson, StringsAreDecodedAndBlanksDropped) {
  std::string scratch, compact;
  EXPECT_EQ(decodeString(R"("plain")", scratch), "plain");
  EXPECT_EQ(decodeString(R"("")", scratch), "");
  EXPECT_EQ(decodeString(R"("\"\\\/\b\f\n\r\t")", scratch), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decodeString(R"("A\u0041\u00e9\u20AC\ud83d\ude00z")", scratch), "AAé€😀z");
  EXPECT_EQ(decodeString(R"("\u0000")", scratch), "\0"s);
  appendCompact(compact, " { \"a b\" : [ 1 ,\n2 ] , \"c\\\" d\" : \" \" } ");
  EXPECT_EQ(compact, R"({"a b":[1,2],"c\" d":" "})");
}

TEST(PlanJson, TheCursorStepsOverWhatItIsNotAskedFor) {
  JsonCursor cursor(R"( { "a" : {"x":["}",{"\\":"]"}]} , "b":[ ] ,"c": -1.5e3 ,"d":"\\" } )");
  std::string seen;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    seen += cursor.key();
    seen += '=';
    seen += cursor.value();
    seen += ';';
  }
  EXPECT_EQ(seen, R"("a"={"x":["}",{"\\":"]"}]};"b"=[ ];"c"=-1.5e3;"d"="\\";)");
  EXPECT_EQ(cursor.peek(), '\0');
}

}  // namespace
}  // namespace aetherflow
