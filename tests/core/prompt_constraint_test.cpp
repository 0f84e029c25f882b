// Output constraints: what passes, what is taken out, what is refused and how it is said.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/constraint.hpp"

namespace aetherflow {
namespace {

struct Case {
  OutputKind kind;
  std::string answer;
  CheckVerdict verdict;
  std::string text;  // expected text when it was extracted; otherwise the answer itself
};

class PromptConstraint : public testing::TestWithParam<Case> {};

TEST_P(PromptConstraint, Checks) {
  const Case& it = GetParam();
  const Checked checked = checkOutput(it.kind, "", it.answer);
  EXPECT_EQ(name(checked.verdict), name(it.verdict)) << it.answer;
  EXPECT_EQ(checked.text, it.verdict == CheckVerdict::Extracted ? it.text : it.answer);
  EXPECT_EQ(checked.why.empty(), accepted(it.verdict)) << it.answer;
}

constexpr auto Passed = CheckVerdict::Passed;
constexpr auto Extracted = CheckVerdict::Extracted;
constexpr auto Code = OutputKind::Code;
constexpr auto Json = OutputKind::Json;

INSTANTIATE_TEST_SUITE_P(Text, PromptConstraint,
                         testing::Values(Case{OutputKind::Any, "hello", Passed, ""},
                                         Case{OutputKind::Text, "```\nx\n```", Passed, ""},
                                         Case{OutputKind::Any, "", CheckVerdict::Empty, ""},
                                         Case{OutputKind::Text, " \n\t", CheckVerdict::Empty, ""},
                                         Case{Code, "\n", CheckVerdict::Empty, ""},
                                         Case{Json, " ", CheckVerdict::Empty, ""}));

INSTANTIATE_TEST_SUITE_P(
    FencedCode, PromptConstraint,
    testing::Values(
        Case{Code, "```\nint x;\n```", Extracted, "int x;\n"},
        Case{Code, "Sure! Here it is:\n\n```python\nx = 1\n```\n\nHope that helps.", Extracted, "x = 1\n"},
        Case{Code, "~~~js\nlet a\n~~~", Extracted, "let a\n"},
        Case{Code, "```python\nx = 1\ny = 2", Extracted, "x = 1\ny = 2"},
        Case{Code, "```\n```", CheckVerdict::Empty, ""},
        Case{Code, "```ts\nconst a = 1\n```\nand\n```ts\nconst b = 2\n```", Extracted, "const a = 1\n\nconst b = 2\n"},
        Case{Code, "Install:\n```bash\nnpm i\n```\nThen:\n```js\nimport x from 'x'\nx()\n```", Extracted,
             "import x from 'x'\nx()\n"},
        Case{Code, "```markdown\n# Title\n```js\na()\n```\nend\n```", Extracted, "# Title\n```js\na()\n```\nend\n"},
        Case{Code, "def f():\n    \"\"\"Example:\n    ```\n    f()\n    ```\n    \"\"\"\n    x = g(1)\n    return x\n",
             Passed, ""}));

INSTANTIATE_TEST_SUITE_P(
    BareCode, PromptConstraint,
    testing::Values(Case{Code, "int main() { return 0; }", Passed, ""}, Case{Code, "print('hello')", Passed, ""},
                    Case{Code, "SELECT name FROM users WHERE age > 3", Passed, ""},
                    Case{Code, "key: value\nother: 3\n", Passed, ""}, Case{Code, "name,age\nann,3\n", Passed, ""},
                    Case{Code, "<p>This is a sentence in a page.</p>", Passed, ""},
                    Case{Code, "# This module reads the plan and starts its steps.\nx = 1\n", Passed, ""},
                    Case{Code,
                         "\"\"\"A module that has long words about it.\n\nIt says many things about how it "
                         "works.\nThen it says them "
                         "again in other words.\n\"\"\"\nx = 1\n",
                         Passed, ""},
                    Case{Code, "Feature: login\n  Given a user\n  When she logs in\n  Then she is in", Passed, ""},
                    Case{Code, "Here is the function that you asked for:\n\ndef f(x):\n    return x\n", Extracted,
                         "def f(x):\n    return x\n"}));

INSTANTIATE_TEST_SUITE_P(
    Prose, PromptConstraint,
    testing::Values(Case{Code, "I'm sorry, but I can't help with that request.", CheckVerdict::NotCode, ""},
                    Case{Code, "The function should first read the file. Then it sorts the lines and writes them back.",
                         CheckVerdict::NotCode, ""},
                    Case{Code,
                         "To solve this, follow these steps:\n\n1. Read the file into memory first.\n2. Sort all of "
                         "its lines by name.\n",
                         CheckVerdict::NotCode, ""},
                    Case{Code, "Voici comment il faut procéder pour trier le fichier.", CheckVerdict::NotCode, ""}));

INSTANTIATE_TEST_SUITE_P(JsonAnswers, PromptConstraint,
                         testing::Values(Case{Json, R"({"a":1})", Passed, ""}, Case{Json, "[1, 2]", Passed, ""},
                                         Case{Json, "3", Passed, ""},
                                         Case{Json, "```json\n{\"a\": 1}\n```", Extracted, "{\"a\": 1}"},
                                         Case{Json, "As [1] says, the result {x} is:\n{\"a\": [1, \"}\"]}\nDone.",
                                              Extracted, "{\"a\": [1, \"}\"]}"},
                                         Case{Json, "{\"a\": 1,}", CheckVerdict::NotJson, ""},
                                         Case{Json, "no data here", CheckVerdict::NotJson, ""},
                                         Case{Json, "{\"a\": 1", CheckVerdict::NotJson, ""},
                                         Case{Json, "{'a': 1}", CheckVerdict::NotJson, ""},
                                         Case{Json, "```json\n{broken\n```\nor\n```json\n[2]\n```", Extracted, "[2]"}));

TEST(PromptConstraintJson, TrimsButKeepsTheBytesInside) {
  const Checked checked = checkOutput(OutputKind::Json, "", "\n { \"a\" : 1.50 }\n");
  EXPECT_EQ(checked.verdict, CheckVerdict::Passed);
  EXPECT_EQ(checked.text, "{ \"a\" : 1.50 }");
}

TEST(PromptConstraintSchema, NamesThePlaceNotThePayload) {
  const std::string schema = R"({"type":"object","properties":{"age":{"type":"integer"}},"required":["age"]})";
  EXPECT_EQ(checkOutput(OutputKind::Schema, schema, R"({"age":3})").verdict, CheckVerdict::Passed);
  EXPECT_EQ(checkOutput(OutputKind::Schema, schema, "```\n{\"age\":3}\n```").verdict, CheckVerdict::Extracted);
  EXPECT_EQ(checkOutput(OutputKind::Schema, schema, "none").verdict, CheckVerdict::NotJson);
  const Checked broken = checkOutput(OutputKind::Schema, schema, R"({"age":"top secret"})");
  EXPECT_EQ(broken.verdict, CheckVerdict::SchemaMismatch);
  EXPECT_EQ(broken.why, "type at /age");
  EXPECT_EQ(checkOutput(OutputKind::Schema, "", R"({"any":1})").verdict, CheckVerdict::Passed);
}

TEST(PromptConstraintHostile, DeepAndBrokenAnswersEnd) {
  const std::string open(200'000, '[');
  EXPECT_EQ(checkOutput(OutputKind::Json, "", open).verdict, CheckVerdict::NotJson);
  EXPECT_EQ(checkOutput(OutputKind::Json, "", open + std::string(200'000, ']')).verdict, CheckVerdict::Passed);
  std::string fences;
  for (int i = 0; i < 20'000; ++i) fences += "```l" + std::to_string(i) + "\nx\n```\n";
  EXPECT_EQ(checkOutput(OutputKind::Code, "", fences).verdict, CheckVerdict::Extracted);
}

}  // namespace
}  // namespace aetherflow
