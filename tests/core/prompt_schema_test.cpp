// The JSON Schema subset, keyword by keyword: what is met, what is broken, and where.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/schema.hpp"

namespace aetherflow {
namespace {

struct Case {
  std::string schema;
  std::string json;
  std::string why;  // empty = obeys
};

class PromptSchema : public testing::TestWithParam<Case> {};

TEST_P(PromptSchema, SaysWhatIsBrokenAndWhere) {
  const Case& it = GetParam();
  EXPECT_EQ(schemaViolation(it.schema, it.json), it.why) << it.schema << "  " << it.json;
}

INSTANTIATE_TEST_SUITE_P(
    Types, PromptSchema,
    testing::Values(Case{"{}", "1", ""}, Case{"true", "1", ""}, Case{"false", "1", "false at the root"},
                    Case{R"({"type":"object"})", "{}", ""}, Case{R"({"type":"object"})", "[]", "type at the root"},
                    Case{R"({"type":"array"})", "[]", ""}, Case{R"({"type":"string"})", R"("a")", ""},
                    Case{R"({"type":"string"})", "null", "type at the root"}, Case{R"({"type":"number"})", "1.5", ""},
                    Case{R"({"type":"number"})", "1", ""}, Case{R"({"type":"integer"})", "1", ""},
                    Case{R"({"type":"integer"})", "1.0", ""}, Case{R"({"type":"integer"})", "1e300", ""},
                    Case{R"({"type":"integer"})", "1.5", "type at the root"},
                    Case{R"({"type":"boolean"})", "false", ""}, Case{R"({"type":"null"})", "null", ""},
                    Case{R"({"type":["string","null"]})", "null", ""},
                    Case{R"({"type":["string","null"]})", "3", "type at the root"},
                    Case{R"({"type":"string","nullable":true})", "null", ""}, Case{R"({"type":"unheard"})", "3", ""}));

INSTANTIATE_TEST_SUITE_P(
    Values, PromptSchema,
    testing::Values(Case{R"({"const":{"a":[1]}})", R"({"a":[1]})", ""}, Case{R"({"const":1})", "1.0", ""},
                    Case{R"({"const":1})", "2", "const at the root"}, Case{R"({"enum":["a","b",3]})", R"("b")", ""},
                    Case{R"({"enum":["a","b",3]})", R"("c")", "enum at the root"}, Case{R"({"minimum":2})", "2", ""},
                    Case{R"({"minimum":2})", "1.99", "minimum at the root"}, Case{R"({"maximum":2})", "2", ""},
                    Case{R"({"maximum":2})", "3", "maximum at the root"},
                    Case{R"({"exclusiveMinimum":2})", "2", "exclusiveMinimum at the root"},
                    Case{R"({"exclusiveMaximum":2})", "2", "exclusiveMaximum at the root"},
                    Case{R"({"minimum":2})", R"("not a number")", ""},
                    Case{R"({"minLength":2,"maxLength":2})", R"("éé")", ""},
                    Case{R"({"minLength":3})", R"("éé")", "minLength at the root"},
                    Case{R"({"maxLength":1})", R"("ab")", "maxLength at the root"},
                    Case{R"({"pattern":"^a$"})", R"("b")", ""}, Case{R"({"format":"email"})", R"("b")", ""}));

INSTANTIATE_TEST_SUITE_P(
    Containers, PromptSchema,
    testing::Values(Case{R"({"required":["a"]})", R"({"a":null})", ""},
                    Case{R"({"required":["a"]})", "{}", "required at the root"},
                    Case{R"({"properties":{"a":{"type":"string"}}})", R"({"a":1})", "type at /a"},
                    Case{R"({"properties":{"a/b~c":{"type":"string"}}})", R"({"a/b~c":1})", "type at /a~1b~0c"},
                    Case{R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", ""},
                    Case{R"({"properties":{"a":{}},"additionalProperties":false})", R"({"secret":1})",
                         "additionalProperties at the root"},
                    Case{R"({"additionalProperties":{"type":"number"}})", R"({"secret":"x"})", "type at /*"},
                    Case{R"({"patternProperties":{"^x":{}},"additionalProperties":false})", R"({"y":1})", ""},
                    Case{R"({"items":{"type":"number"}})", "[1,2]", ""},
                    Case{R"({"items":{"type":"number"}})", R"([1,"2"])", "type at /1"},
                    Case{R"({"properties":{"steps":{"items":{"required":["id"]}}}})", R"({"steps":[{"id":1},{}]})",
                         "required at /steps/1"},
                    Case{R"({"prefixItems":[{"type":"number"},{"type":"string"}],"items":false})", R"([1,"a"])", ""},
                    Case{R"({"prefixItems":[{"type":"number"}],"items":false})", "[1,2]", "false at /1"},
                    Case{R"({"items":[{"type":"number"}]})", R"(["a"])", "type at /0"},
                    Case{R"({"minItems":1})", "[]", "minItems at the root"},
                    Case{R"({"maxItems":1})", "[1,2]", "maxItems at the root"},
                    Case{R"({"minProperties":1})", "{}", "minProperties at the root"},
                    Case{R"({"uniqueItems":true})", R"([1,"1",{"a":1},{"a":2}])", ""},
                    Case{R"({"uniqueItems":true})", R"([{"a":1,"b":2},3,{"b":2,"a":1}])", "uniqueItems at the root"},
                    Case{R"({"uniqueItems":true})", "[1,1.0]", "uniqueItems at the root"}));

INSTANTIATE_TEST_SUITE_P(
    Combinations, PromptSchema,
    testing::Values(Case{R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "7", ""},
                    Case{R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "3", "anyOf at the root"},
                    Case{R"({"oneOf":[{"type":"number"},{"minimum":5}]})", "3", ""},
                    Case{R"({"oneOf":[{"type":"number"},{"minimum":5}]})", "7", "oneOf at the root"},
                    Case{R"({"allOf":[{"type":"number"},{"minimum":5}]})", "3", "minimum at the root"},
                    Case{R"({"not":{"type":"string"}})", "1", ""},
                    Case{R"({"not":{"type":"string"}})", R"("a")", "not at the root"},
                    Case{R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}})", "1", ""},
                    Case{R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"number"}}})", R"("a")", "type at the root"},
                    Case{R"({"$ref":"#/$defs/a~1b","$defs":{"a/b":{"type":"number"}}})", "1", ""},
                    Case{R"({"anyOf":[{"type":"null"},{"type":"object","properties":{"next":{"$ref":"#"}}}]})",
                         R"({"next":{"next":null}})", ""},
                    Case{R"({"properties":{"next":{"$ref":"#"}},"required":["v"]})",
                         R"({"v":1,"next":{"v":2,"next":{}}})", "required at /next/next"},
                    Case{R"({"$ref":"#/$defs/missing"})", "1", "$ref at the root"},
                    Case{R"({"$ref":"other.json"})", "1", "$ref at the root"},
                    Case{R"({"allOf":[{"$ref":"#/allOf/1"},{"type":"number"}]})", "1", ""}));

INSTANTIATE_TEST_SUITE_P(
    Bounds, PromptSchema,
    testing::Values(Case{R"({"$ref":"#"})", "1", "depth at the root"},
                    Case{R"({"not":{"$ref":"#"}})", "1", "depth at the root"},
                    Case{R"({"anyOf":[{"$ref":"#"},true]})", "1", "depth at the root"},
                    Case{R"({"oneOf":[{"$ref":"#"},{"$ref":"#"}]})", "1", "depth at the root"},
                    Case{"{}", std::string(64, '[') + std::string(64, ']'), ""},
                    Case{"{}", std::string(65, '[') + std::string(65, ']'), "depth at the root"},
                    Case{"{", "1", "the schema itself is not JSON"}, Case{"{}", "{", "the answer is not JSON"},
                    Case{"[1]", "1", ""},
                    Case{R"({"required":"a","enum":1,"type":7,"anyOf":{},"items":3,"minLength":"x"})", "[1]", ""}));

TEST(PromptSchemaEffort, BranchesThatDoubleEndAtTheBound) {
  // Thirty definitions, each twice the one before: 2^30 checks without a bound.
  std::string schema = R"({"$ref":"#/$defs/d30","$defs":{"d0":{"type":"number"})";
  for (int i = 1; i <= 30; ++i) {
    const std::string below = R"({"$ref":"#/$defs/d)" + std::to_string(i - 1) + "\"}";
    schema += ",\"d" + std::to_string(i) + R"(":{"allOf":[)" + below + "," + below + "]}";
  }
  schema += "}}";
  EXPECT_EQ(schemaViolation(schema, "1"), "effort at the root");
}

TEST(PromptSchemaPrivacy, NeverQuotesTheAnswer) {
  const std::string why = schemaViolation(R"({"additionalProperties":{"additionalProperties":{"enum":[1]}}})",
                                          R"({"password":{"hunter2":"swordfish"}})");
  EXPECT_EQ(why, "enum at /*/*");
}

}  // namespace
}  // namespace aetherflow
