// What an auditor may answer, and how it is understood.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/audit.hpp"

namespace aetherflow {
namespace {

TEST(PromptAudit, ReadsVerdicts) {
  struct Case {
    const char* text;
    bool understood;
    bool pass;
    std::size_t issues;
  };
  const Case cases[] = {
      {R"({"verdict":"pass","issues":[]})", true, true, 0},
      {R"({"verdict":"issues","issues":["a","b"]})", true, false, 2},
      {"```json\n{\"verdict\":\"pass\",\"issues\":[]}\n```", true, true, 0},
      {"Here is my review [1]:\n{\"verdict\": \"Issues\", \"issues\": [\"x\"]}\nBest.", true, false, 1},
      {R"({"verdict":"PASS"})", true, true, 0},
      {R"({"verdict":"pass","issues":["a nit"]})", true, true, 1},
      {R"({"verdict":"issues"})", true, false, 0},
      {R"({"verdict":"issues","issues":[{"issue":"x"},{"description":"y"},{"n":1},7,""]})", true, false, 2},
      {R"({"issues":[]})", true, true, 0},
      {R"({"issues":["a"]})", true, false, 1},
      {R"({"verdict":"maybe"})", false, false, 0},
      {R"({"verdict":true})", false, false, 0},
      {"The answer is fine.", false, false, 0},
      {R"(["pass"])", false, false, 0},
      {"{\"verdict\":\"pass\"", false, false, 0},
      {"", false, false, 0},
  };
  for (const Case& each : cases) {
    const AuditResult result = readAudit(each.text);
    EXPECT_EQ(result.understood, each.understood) << each.text;
    EXPECT_EQ(result.pass, each.pass) << each.text;
    EXPECT_EQ(result.issues.size(), each.issues) << each.text;
  }
}

TEST(PromptAudit, BoundsWhatItKeeps) {
  std::string text = R"({"verdict":"issues","issues":[)";
  for (int i = 0; i < 200; ++i) text += (i != 0 ? ",\"" : "\"") + std::string(1999, 'x') + "éé\"";
  text += "]}";
  const AuditResult result = readAudit(text);
  ASSERT_EQ(result.issues.size(), 50u);
  EXPECT_EQ(result.issues[0], std::string(1999, 'x')) << "cut before a code point that does not fit";
}

}  // namespace
}  // namespace aetherflow
