// {{steps.ID.output}}: what is a reference, what was meant as one, and what is only text.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/templates.hpp"
#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

/// Pieces as text: literal ones in [], ids in <>, written braces in "", near misses after !, items after +, unknown ones after ?.
std::string piecesOf(std::string_view description) {
  std::string out;
  std::size_t at = 0;
  TemplatePieces pieces(description);
  for (TemplatePiece piece; pieces.next(piece);) {
    EXPECT_EQ(piece.at, at) << description;
    EXPECT_GT(piece.bytes, 0u) << description;
    at += piece.bytes;
    static constexpr std::string_view kAround[] = {"[]", "<>", "\"\"", "!!", "++", "??"};
    const std::string_view around = kAround[static_cast<std::size_t>(piece.kind)];
    out += around[0] + std::string(piece.text) + around[1];
  }
  EXPECT_EQ(at, description.size()) << description;
  return out;
}

void expectAll(const std::vector<std::pair<std::string_view, std::string_view>>& cases) {
  for (const auto& [text, pieces] : cases) EXPECT_EQ(piecesOf(text), pieces) << text;
}

TEST(PlanTemplates, PiecesCoverTheText) {
  expectAll({
      {"", ""},
      {"plain", "[plain]"},
      {"{{steps.a.output}}", "<a>"},
      {"{{ steps.a.output }}", "<a>"},
      {"{{\tsteps.a.output\n}}", "<a>"},
      {"x{{steps.a.output}}y{{steps.b c.output}}{{steps.d.output}}", "[x]<a>[y]<b c><d>"},
      {"{{steps.a.b.output.output}}", "<a.b.output>"},
      {"{{{steps.a.output}}}", "[{]<a>[}]"},
      {"${{steps.a.output}}", "[$]<a>"},
      {"{{steps.é.output}}", "<é>"},
      {"{{steps.a{b}.output}}", "<a{b}>"},
      {"`{{steps.a.output}}`", "[`]<a>[`]"},
  });
}

TEST(PlanTemplates, Items) {
  expectAll({
      {"{{item}} and {{ item.a.b }} {{items}}", "+{{item}}+[ and ]+{{ item.a.b }}+[ ]?{{items}}?"},
      {"`{{item}}`", "[`]+{{item}}+[`]"},
      {"{{{item}}}", "[{]+{{item}}+[}]"},
  });
  EXPECT_EQ(itemName("{{ item.a }}"), "item.a");
}

TEST(PlanTemplates, WhatWasMeantAsAReference) {
  expectAll({
      {"{{steps.x}} and {{steps.b.output}}", "!{{steps.x}}![ and ]<b>"},
      {"{{steps.a.result}}", "!{{steps.a.result}}!"},
      {"{{steps.a.outputs}}", "!{{steps.a.outputs}}!"},
      {"{{steps.a.Output}}", "!{{steps.a.Output}}!"},
      {"{{Steps.a.output}}", "!{{Steps.a.output}}!"},
      {"{{step.a.output}}", "!{{step.a.output}}!"},
      {"{{steps['a'].output}}", "!{{steps['a'].output}}!"},
      {"{{steps[0].output}}", "!{{steps[0].output}}!"},
      {"{{steps.a.output | trim}}", "!{{steps.a.output | trim}}!"},
      {"{{steps.a.output.length}}", "!{{steps.a.output.length}}!"},
      {"{{ steps }}", "!{{ steps }}!"},
      {"{{steps..output}}", "!{{steps..output}}!"},
      {"{{steps.output}}", "!{{steps.output}}!"},
      {"{{steps.a\n.output}}", "!{{steps.a\n.output}}!"},
      {"{{steps.a.output} x", "!{{steps.a.output}![ x]"},
      {"{{steps.a.output", "!{{steps.a.output!"},
      {"{{steps.{{steps.a.output}}.output}}", "!{{steps.!<a>[.output}}]"},
      {"{steps.a.output}", "!{steps.a.output}!"},
      {"`{{steps.a.result}}`", "[`]!{{steps.a.result}}![`]"},
  });
}

TEST(PlanTemplates, WhatNothingFills) {
  expectAll({
      {"{{name}} {{steps.a.output}} {{", "?{{name}}?[ ]<a>[ {{]"},
      {"{{a.output}}", "?{{a.output}}?"},
      {"{{ user.name | upper }}", "?{{ user.name | upper }}?"},
      {"{{stepson}}", "?{{stepson}}?"},
  });
}

TEST(PlanTemplates, WhatIsNoPlaceholder) {
  for (const std::string_view text :
       {"{{1,2},{3,4}}", "{{}}", "{{ }}", "{{a, b}}", "{\"a\":{\"b\":{}}}", "f(){ return {a}; }", "{steps}",
        "{{{x: 1}}}", "`{{ user.name }}`", "```\n<p>{{ user.name }}</p>\n```", "`${{ steps.build.outputs.path }}`",
        "`${steps.a.output}`", "{{=<% %>=}}", "{{x", "{x}"}) {
    EXPECT_EQ(piecesOf(text), '[' + std::string(text) + ']');
  }
}

TEST(PlanTemplates, BracesThatStay) {
  expectAll({
      {"{{'{{'}} steps.a.output }}", "\"{{\"[ steps.a.output }}]"},
      {"{{ \"{{\" }}name{{'}}'}}", "\"{{\"[name]\"}}\""},
      {"{{'{{\"}}", "[{{'{{\"}}]"},
      {"{{'{{'", "[{{'{{']"},
      {"{{'ab'}}", "[{{'ab'}}]"},
  });
}

TEST(PlanTemplates, OpeningsWithoutEndTakeLinearTime) {
  for (const std::string_view part : {"{{steps.", "{{x ", "{", "{ ", "{{'{{'", "`{{", "{{a}", "{steps."}) {
    std::string text;
    while (text.size() < 3'000'000) text += part;
    EXPECT_GE(piecesOf(text).size(), text.size()) << part;
    PlanReader reader;
    readInPieces(reader, planOf(R"({"id":"a","type":"testing","description":")" + text + "\"}"), text.size());
    EXPECT_LE(reader.errors().size(), Problems::kMost);
  }
}

/// The detail of a plan with steps a, b.c, review-notes, whose last step has this description.
std::string detailOf(std::string_view description) {
  PlanReader reader;
  readInPieces(reader,
               planOf(stepOf("a") + ',' + stepOf("b.c") + ',' + stepOf("review-notes") +
                      R"(,{"id":"z","type":"testing","description":")" + std::string(description) + "\"}"),
               7);
  EXPECT_EQ(reader.error().code, ErrorCode::PlanBadTemplate) << description;
  EXPECT_EQ(reader.error().where, "/steps/3/description") << description;
  return reader.error().detail;
}

TEST(PlanTemplates, TheErrorNamesThePlaceAndTheNearestRightForm) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"{{steps.a.result}}", "{{steps.a.output}}"},
      {"{{steps.a}}", "{{steps.a.output}}"},
      {"{{a.output}}", "{{steps.a.output}}"},
      {"{{Steps.a.Output}}", "{{steps.a.output}}"},
      {"{{steps['a'].output}}", "{{steps.a.output}}"},
      {"{{steps.a.output | trim}}", "{{steps.a.output}}"},
      {"{{ steps . a . output }}", "{{steps.a.output}}"},
      {"{{steps.b.c.result}}", "{{steps.b.c.output}}"},
      {"{{steps.reveiw-notes.outptu}}", "{{steps.review-notes.output}}"},
      {"{{review_notes}}", "{{steps.review-notes.output}}"},
      {"{steps.a.output}", "{{steps.a.output}}"},
  };
  for (const auto& [text, right] : cases) {
    const std::string detail = detailOf("Use " + std::string(text));
    EXPECT_NE(detail.find("at byte 4"), std::string::npos) << detail;
    EXPECT_NE(detail.find("did you mean " + std::string(right) + '?'), std::string::npos) << detail;
  }
  EXPECT_EQ(detailOf("{{steps.zzzzzzz.result}}").find("did you mean"), std::string::npos);
  EXPECT_NE(detailOf("{{topic}}").find("{{'{{'}}"), std::string::npos);
  const std::string misspelt = detailOf("{{steps.reviewnotes.output}}");
  EXPECT_NE(misspelt.find("did you mean \"review-notes\"?"), std::string::npos) << misspelt;
}

TEST(PlanTemplates, OutsideADescriptionTheyAreWarnedOf) {
  PlanReader reader;
  readInPieces(reader,
               planOf(stepOf("a") + ',' + stepOf("b", R"(,"validation_criteria":["short","as {{steps.a.output}}"])")),
               5);
  EXPECT_EQ(reader.error().code, ErrorCode::None) << print(reader.error());
  ASSERT_EQ(reader.plan().warnings.size(), 1u);
  EXPECT_EQ(reader.plan().warnings[0].code, ErrorCode::PlanBadTemplate);
  EXPECT_EQ(reader.plan().warnings[0].where, "/steps/1/validation_criteria/1");
}

TEST(PlanTemplates, MakeAnEdgeUnlessItIsListed) {
  PlanReader reader;
  const std::string text = planOf(
      R"({"id":"a","type":"testing","description":"{{steps.b.output}} {{steps.b.output}} {{steps.c.output}}","dependencies":["c"]},)" +
      stepOf("b") + ',' + stepOf("c"));
  readInPieces(reader, text, 3);
  ASSERT_EQ(reader.error().code, ErrorCode::None);
  const auto& edges = reader.plan().steps[0].dependencies;
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[0].step, 2u);
  EXPECT_EQ(edges[0].place, 0u);
  EXPECT_EQ(edges[1].step, 1u);
  EXPECT_EQ(edges[1].place, kNone);
  EXPECT_TRUE(reader.plan().warnings.empty());
}

}  // namespace
}  // namespace aetherflow
