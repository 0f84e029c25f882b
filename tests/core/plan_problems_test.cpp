// All problems of a plan at once, and what a misspelt name was meant to be.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

std::vector<std::string> problemsOf(std::string_view text, std::size_t cut) {
  PlanReader reader;
  readInPieces(reader, text, cut);
  std::vector<std::string> out;
  for (const Error& error : reader.errors()) out.push_back(std::string(codeName(error.code)) + ' ' + error.where);
  return out;
}

void expectProblems(std::string_view text, const std::vector<std::string>& wanted) {
  for (const std::size_t cut : {std::size_t{1}, std::size_t{13}, text.size()}) {
    EXPECT_EQ(problemsOf(text, cut), wanted) << text << " cut at " << cut;
  }
}

TEST(PlanProblems, AreAllTold) {
  expectProblems(
      planOf(R"({"id":7,"type":"testing","complexity":2,"optional":"no"},)" +
             stepOf("b", R"(,"dependencies":["who"])") + ",7," + stepOf("b") +
             R"(,{"id":"d","type":"testing","description":"{{steps.b}} {{topic}}","priority":1e9})"),
      {"plan.wrong_type /steps/0/id", "plan.out_of_range /steps/0/complexity", "plan.wrong_type /steps/0/optional",
       "plan.missing /steps/0/description", "plan.wrong_type /steps/2", "plan.duplicate_id /steps/3/id",
       "plan.out_of_range /steps/4/priority", "plan.bad_template /steps/4/description",
       "plan.bad_template /steps/4/description", "plan.unknown_dependency /steps/1/dependencies/0"});
}

TEST(PlanProblems, OfThePlansOwnMembers) {
  expectProblems(
      R"({"task_id":7,"steps":{},"steps":[1],"metadata":3})",
      {"plan.wrong_type /task_id", "plan.wrong_type /steps", "plan.duplicate_key /steps", "plan.wrong_type /metadata"});
  expectProblems(R"({"description":1})", {"plan.wrong_type /description", "plan.missing /steps"});
}

TEST(PlanProblems, AStepWithAProblemIsNoMissingOne) {
  expectProblems(planOf(stepOf("a", R"(,"complexity":7)") + ',' + stepOf("b", R"(,"dependencies":["a"])") + ',' +
                        R"({"id":"c","type":"testing","description":"{{steps.a.output}}"})"),
                 {"plan.out_of_range /steps/0/complexity"});
}

TEST(PlanProblems, ACycleIsToldBesideOthers) {
  expectProblems(planOf(stepOf("a", R"(,"dependencies":["b","who"])") + ',' + stepOf("b", R"(,"dependencies":["a"])")),
                 {"plan.unknown_dependency /steps/0/dependencies/1", "plan.cycle /steps/0/dependencies/0"});
}

TEST(PlanProblems, MalformedTextLeads) {
  expectProblems(R"({"steps":[7,{]})", {"json.malformed ", "plan.wrong_type /steps/0"});
}

TEST(PlanProblems, TwentyAreKept) {
  std::string steps = "7";
  for (int i = 0; i < 40; ++i) steps += ",7";
  EXPECT_EQ(problemsOf(planOf(steps), 9).size(), 20u);
  EXPECT_EQ(problemsOf(planOf(steps).substr(0, 60), 9).front(), "json.malformed ");
}

TEST(PlanProblems, StepsBehindOneDoNotCount) {
  PlanReader reader;
  readInPieces(reader, planOf(stepOf("a", R"(,"dependencies":["c"])") + ",7," + stepOf("c")), 4);
  EXPECT_EQ(reader.stepCount(), 1u);
  ASSERT_EQ(reader.plan().steps.size(), 1u);
  EXPECT_EQ(reader.plan().steps[0].dependencies[0].step, kNone);
  EXPECT_EQ(reader.plan().byId.find("c"), TextIndex::end());
}

std::string warningOf(std::string_view text) {
  PlanReader reader;
  readInPieces(reader, text, 50);
  return reader.plan().warnings.empty() ? "" : reader.plan().warnings.front().detail;
}

TEST(PlanProblems, AMisspeltNameIsAskedAbout) {
  const auto step = [](std::string_view type, std::string_view rest = {}) {
    return planOf(R"({"id":"a","description":"x","type":")" + std::string(type) + '"' + std::string(rest) + '}');
  };
  EXPECT_EQ(warningOf(step("analisys")), R"("analisys" is no known type; did you mean "analysis"?)");
  EXPECT_EQ(warningOf(step("Code_Generation")),
            R"("Code_Generation" is no known type; did you mean "code_generation"?)");
  EXPECT_EQ(warningOf(step("code-generation")),
            R"("code-generation" is no known type; did you mean "code_generation"?)");
  EXPECT_EQ(warningOf(step("poetry")), R"("poetry" is no known type)");
  EXPECT_EQ(warningOf(step("testing", R"(,"dependancies":[])")),
            R"("dependancies" is not a member of a step; did you mean "dependencies"?)");
  EXPECT_EQ(warningOf(R"({"taskId":"t",)" + planOf(stepOf("a")).substr(1)),
            R"("taskId" is not a member of a plan; did you mean "task_id"?)");
  EXPECT_EQ(errorOf(planOf(stepOf("parse", "") + ',' + stepOf("b", R"(,"dependencies":["prase"])"))).detail,
            R"("prase" is the id of no step; did you mean "parse"?)");
}

}  // namespace
}  // namespace aetherflow
