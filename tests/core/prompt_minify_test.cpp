// JSON minification is lossless, or it does nothing.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/minify.hpp"

namespace aetherflow {
namespace {

TEST(PromptMinify, RemovesOnlySpaceBetweenTokens) {
  struct Case {
    const char* from;
    const char* to;
  };
  const Case cases[] = {
      {"{ \"a\" : [ 1 , 2 ] }", R"({"a":[1,2]})"},
      {"\n[\r\n\t1.50 , 1e+05, -0.0 ]\n", "[1.50,1e+05,-0.0]"},
      {"[ 123456789012345678901234567890 ]", "[123456789012345678901234567890]"},
      {R"({ "a b" : "  kept  \" \\" })", R"({"a b":"  kept  \" \\"})"},
      {R"([ "\u00e9", "é" ])", R"(["\u00e9","é"])"},
      {R"({ "k" : 1 , "k" : 2 })", R"({"k":1,"k":2})"},  // duplicate keys are not ours to judge
      {"{}", "{}"},
  };
  for (const Case& each : cases) EXPECT_EQ(minifyJson(each.from), each.to);
}

TEST(PromptMinify, ReturnsWhatIsNotJsonUnchanged) {
  for (const char* text : {"", "  ", "plain text  with  blanks", "{ a : 1 }", "[1, 2,]", "{\"a\": 1} trailing", "[1 2]",
                           "[\"a\nb\"]", "{ // comment\n }", "  42  ", "[01]", "[NaN]", "[\"\xff\"]"}) {
    EXPECT_EQ(minifyJson(text), text);
  }
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_EQ(minifyJson(deep), deep);
}

TEST(PromptMinify, IsIdempotent) {
  const std::string once = minifyJson("{ \"rows\": [ { \"x\": 1 }, { \"x\": 2 } ] }");
  EXPECT_EQ(minifyJson(once), once);
}

}  // namespace
}  // namespace aetherflow
