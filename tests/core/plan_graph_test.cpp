// The graph behind a plan: cycles with their path, order, successors, drawing; and the templates that make edges.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "core/plan/graph.hpp"
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

}  // namespace
}  // namespace aetherflow
