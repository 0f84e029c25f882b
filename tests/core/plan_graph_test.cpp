// The graph behind a plan: cycles with their path, order, successors, drawing; and the templates that make edges.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/graph.hpp"
#include "core/plan/templates.hpp"
#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

/// "a:bc d:" → steps a (needs b and c) and d; ids are single letters.
std::string planFrom(std::string_view sketch) {
  std::string steps;
  for (std::size_t at = 0; at < sketch.size();) {
    const std::size_t end = std::min(sketch.find(' ', at), sketch.size());
    std::string needs;
    for (const char id : sketch.substr(at + 2, end - at - 2))
      needs += (needs.empty() ? "\"" : ",\"") + std::string(1, id) + '"';
    steps += (steps.empty() ? "" : ",") + stepOf(sketch.substr(at, 1), ",\"dependencies\":[" + needs + ']');
    at = end + 1;
  }
  return planOf(steps);
}

TEST(PlanCycle, ThePathBeginsAtItsEarliestStep) {
  const struct {
    std::string_view sketch, where, path;
  } cases[] = {
      {"a:a", "/steps/0/dependencies/0", "a → a"},
      {"a:b b:a", "/steps/0/dependencies/0", "a → b → a"},
      {"x: a:xb b:xc c:a", "/steps/1/dependencies/1", "a → b → c → a"},
      {"a:b b:c c:d d:b", "/steps/1/dependencies/0", "b → c → d → b"},
      {"d:c c:b b:c", "/steps/1/dependencies/0", "c → b → c"},
      {"a: b:a c:ab d:e e:f f:d", "/steps/3/dependencies/0", "d → e → f → d"},
  };
  for (const auto& each : cases) {
    const Error error = errorOf(planFrom(each.sketch));
    EXPECT_EQ(error.code, ErrorCode::PlanCycle) << each.sketch;
    EXPECT_EQ(error.where, each.where) << each.sketch;
    EXPECT_EQ(error.detail, each.path) << each.sketch;
  }
  EXPECT_EQ(errorOf(planFrom("a:bcd b:cd c:d d:")).code, ErrorCode::None);
}

TEST(PlanCycle, ALongPathIsCutInTheMiddle) {
  EXPECT_EQ(errorOf(planFrom("a:b b:c c:d d:e e:f f:g g:h h:a")).detail, "a → b → c → d → e → f → g → h → a");
  EXPECT_EQ(errorOf(planFrom("a:b b:c c:d d:e e:f f:g g:h h:i i:a")).detail,
            "a → b → c → d → … 2 more … → g → h → i → a");
}

TEST(PlanCycle, AHundredThousandStepsInOneCircle) {
  std::string steps;
  for (int i = 0; i < 100'000; ++i) {
    steps += (i > 0 ? "," : "") +
             stepOf("s" + std::to_string(i), ",\"dependencies\":[\"s" + std::to_string((i + 1) % 100'000) + "\"]");
  }
  const Error error = errorOf(planOf(steps));
  EXPECT_EQ(error.code, ErrorCode::PlanCycle);
  EXPECT_EQ(error.where, "/steps/0/dependencies/0");
  EXPECT_EQ(error.detail, "s0 → s1 → s2 → s3 → … 99993 more … → s99997 → s99998 → s99999 → s0");
}

TEST(PlanGraph, SuccessorsAndOrder) {
  PlanReader reader;
  const std::string text = planFrom("e:ca a:b b: c:b d:");
  readInPieces(reader, text, 10);
  ASSERT_EQ(reader.error().code, ErrorCode::None);
  const Successors graph = successorsOf(reader.plan());
  EXPECT_EQ(graph.from, (std::vector<std::uint32_t>{0, 0, 1, 3, 4, 4}));
  EXPECT_EQ(graph.successors, (std::vector<StepIndex>{0, 1, 3, 0}));
  EXPECT_EQ(topologicalOrder(reader.plan(), graph), (std::vector<StepIndex>{2, 1, 3, 0, 4}));
}

TEST(PlanGraph, OrderLeavesCyclesOut) {
  PlanReader reader;
  const std::string text = planFrom("a:b b:a c: d:a e:c");
  readInPieces(reader, text, 1000);
  EXPECT_EQ(reader.error().code, ErrorCode::PlanCycle);
  EXPECT_EQ(topologicalOrder(reader.plan(), successorsOf(reader.plan())), (std::vector<StepIndex>{2, 4}));
}

TEST(PlanGraph, DotIsEscaped) {
  PlanReader reader;
  const std::string text =
      planOf(stepOf(R"(say \"hi\" \\)") +
             R"(,{"id":"b","type":"a\nb","description":"{{steps.c.output}}","dependencies":["say \"hi\" \\"]},)" +
             stepOf("c"));
  readInPieces(reader, text, 1000);
  ASSERT_EQ(reader.error().code, ErrorCode::None) << print(reader.error());
  EXPECT_EQ(toDot(reader.plan()),
            "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n"
            "  s0 [label=\"say \\\"hi\\\" \\\\\\ntesting\"];\n"
            "  s1 [label=\"b\\na b\"];\n"
            "  s2 [label=\"c\\ntesting\"];\n"
            "  s0 -> s1;\n"
            "  s2 -> s1 [style=dashed];\n}\n");
}

/// Pieces as text: literal ones in [], ids in <>.
std::string piecesOf(std::string_view description) {
  std::string out;
  TemplatePieces pieces(description);
  for (TemplatePiece piece; pieces.next(piece);) {
    const bool output = piece.kind == TemplatePiece::Kind::Output;
    out += (output ? '<' : '[') + std::string(piece.text) + (output ? '>' : ']');
  }
  return out;
}

TEST(PlanTemplates, PiecesCoverTheText) {
  const struct {
    std::string_view text, pieces;
  } cases[] = {
      {"", ""},
      {"plain", "[plain]"},
      {"{{steps.a.output}}", "<a>"},
      {"x{{steps.a.output}}y{{steps.b c.output}}{{steps.d.output}}", "[x]<a>[y]<b c><d>"},
      {"{{steps.a.b.output.output}}", "<a.b.output>"},
      {"{{{steps.a.output}}}", "[{]<a>[}]"},
      {"{{steps.{{steps.a.output}}.output}}", "[{{steps.]<a>[.output}}]"},
      {"{{steps.x}} and {{steps.b.output}}", "[{{steps.x}} and ]<b>"},
      {"{{steps..output}}", "[{{steps..output}}]"},
      {"{{ steps.a.output }}", "[{{ steps.a.output }}]"},
      {"{{steps.a\n.output}}", "[{{steps.a\n.output}}]"},
      {"{{steps.a.output}", "[{{steps.a.output}]"},
      {"{{name}} {{steps.a.output}} {{", "[{{name}} ]<a>[ {{]"},
      {"{{steps.é.output}}", "<é>"},
      {"{{steps.a{b}.output}}", "<a{b}>"},
      {"{{steps.output}}", "[{{steps.output}}]"},
  };
  for (const auto& each : cases) EXPECT_EQ(piecesOf(each.text), each.pieces) << each.text;
}

TEST(PlanTemplates, OpeningsWithoutEndTakeLinearTime) {
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "{{steps.";
  EXPECT_EQ(piecesOf(text).size(), text.size() + 2);
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
