// Every way in which a text is no plan: the code and the place. Details are for people and mostly not compared.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

struct Case {
  std::string text;
  ErrorCode code;
  std::string where;
};

void expectAll(const std::vector<Case>& cases, const PlanLimits& limits = {}) {
  for (const Case& each : cases) {
    const Error error = errorOf(each.text, limits);
    EXPECT_EQ(codeName(error.code), codeName(each.code)) << each.text << "\n" << print(error);
    EXPECT_EQ(error.where, each.where) << each.text;
    PlanReader bytes(limits);
    readInPieces(bytes, each.text, 1);
    EXPECT_EQ(print(bytes.error()), print(error)) << "in single bytes: " << each.text;
  }
}

/// A plan whose only step has `member` beside the required ones.
std::string with(std::string_view member) {
  return planOf(stepOf("a", ',' + std::string(member)));
}

TEST(PlanErrors, TheTopOfThePlan) {
  expectAll({
      {"[]", ErrorCode::PlanNotObject, ""},
      {"\"a\"", ErrorCode::PlanNotObject, ""},
      {" 12 ", ErrorCode::PlanNotObject, ""},
      {"null", ErrorCode::PlanNotObject, ""},
      {"[{\"steps\":[]}]", ErrorCode::PlanNotObject, ""},
      {"{}", ErrorCode::PlanMissing, "/steps"},
      {R"({"a":{"steps":[1]}})", ErrorCode::PlanMissing, "/steps"},
      {R"({"steps":[]})", ErrorCode::PlanEmpty, "/steps"},
      {R"({"steps":{}})", ErrorCode::PlanWrongType, "/steps"},
      {R"({"steps":null})", ErrorCode::PlanWrongType, "/steps"},
      {R"({"steps":[],"steps":[]})", ErrorCode::PlanDuplicateKey, "/steps"},
      {R"({"steps":[],"st\u0065ps":[]})", ErrorCode::PlanDuplicateKey, "/steps"},
      {R"({"x":1,"y":2,"x":3})", ErrorCode::PlanDuplicateKey, "/x"},
      {R"({"task_id":7})", ErrorCode::PlanWrongType, "/task_id"},
      {R"({"description":["d"]})", ErrorCode::PlanWrongType, "/description"},
      {R"({"metadata":"m"})", ErrorCode::PlanWrongType, "/metadata"},
  });
}

TEST(PlanErrors, TheMembersOfAStep) {
  expectAll({
      {planOf("7"), ErrorCode::PlanWrongType, "/steps/0"},
      {planOf(stepOf("a") + ",[]"), ErrorCode::PlanWrongType, "/steps/1"},
      {planOf("{}"), ErrorCode::PlanMissing, "/steps/0/id"},
      {planOf(R"({"id":"a"})"), ErrorCode::PlanMissing, "/steps/0/type"},
      {planOf(R"({"id":"a","type":"testing"})"), ErrorCode::PlanMissing, "/steps/0/description"},
      {planOf(R"({"id":7,"type":"testing","description":""})"), ErrorCode::PlanWrongType, "/steps/0/id"},
      {planOf(R"({"id":"a","type":null,"description":""})"), ErrorCode::PlanWrongType, "/steps/0/type"},
      {planOf(R"({"id":"a","type":"testing","description":{}})"), ErrorCode::PlanWrongType, "/steps/0/description"},
      {with(R"("complexity":"high")"), ErrorCode::PlanWrongType, "/steps/0/complexity"},
      {with(R"("complexity":1.5)"), ErrorCode::PlanOutOfRange, "/steps/0/complexity"},
      {with(R"("complexity":-0.1)"), ErrorCode::PlanOutOfRange, "/steps/0/complexity"},
      {with(R"("complexity":1e999)"), ErrorCode::PlanOutOfRange, "/steps/0/complexity"},
      {with(R"("complexity":1.0)"), ErrorCode::None, ""},
      {with(R"("complexity":-0)"), ErrorCode::None, ""},
      {with(R"("estimated_tokens":true)"), ErrorCode::PlanWrongType, "/steps/0/estimated_tokens"},
      {with(R"("estimated_tokens":1.5)"), ErrorCode::PlanWrongType, "/steps/0/estimated_tokens"},
      {with(R"("estimated_tokens":-1)"), ErrorCode::PlanOutOfRange, "/steps/0/estimated_tokens"},
      {with(R"("estimated_tokens":10000001)"), ErrorCode::PlanOutOfRange, "/steps/0/estimated_tokens"},
      {with(R"("estimated_tokens":1e7)"), ErrorCode::None, ""},
      {with(R"("priority":1001)"), ErrorCode::PlanOutOfRange, "/steps/0/priority"},
      {with(R"("priority":-1001)"), ErrorCode::PlanOutOfRange, "/steps/0/priority"},
      {with(R"("optional":1)"), ErrorCode::PlanWrongType, "/steps/0/optional"},
      {with(R"("optional":false)"), ErrorCode::None, ""},
      {with(R"("cache":"exact")"), ErrorCode::None, ""},
      {with(R"("cache":"always")"), ErrorCode::PlanWrongType, "/steps/0/cache"},
      {with(R"("cache":true)"), ErrorCode::PlanWrongType, "/steps/0/cache"},
      {with(R"("provider":{})"), ErrorCode::PlanWrongType, "/steps/0/provider"},
      {with(R"("output":"xml")"), ErrorCode::PlanWrongType, "/steps/0/output"},
      {with(R"("output":[])"), ErrorCode::PlanWrongType, "/steps/0/output"},
      {with(R"("output":"text")"), ErrorCode::None, ""},
      {with(R"("context":[])"), ErrorCode::PlanWrongType, "/steps/0/context"},
      {with(R"("context":{"files":"f"})"), ErrorCode::PlanWrongType, "/steps/0/context/files"},
      {with(R"("context":{"files":["f",1]})"), ErrorCode::PlanWrongType, "/steps/0/context/files/1"},
      {with(R"("context":{"files":[],"files":[]})"), ErrorCode::PlanDuplicateKey, "/steps/0/context/files"},
      {with(R"("validation_criteria":"v")"), ErrorCode::PlanWrongType, "/steps/0/validation_criteria"},
      {with(R"("validation_criteria":["v",null])"), ErrorCode::PlanWrongType, "/steps/0/validation_criteria/1"},
      {with(R"("id":"b")"), ErrorCode::PlanDuplicateKey, "/steps/0/id"},
      {with(R"("x/y":1,"x/y":2)"), ErrorCode::PlanDuplicateKey, "/steps/0/x~1y"},
  });
}

TEST(PlanErrors, IdsAndReferences) {
  const std::string longest(128, 'i');
  expectAll({
      {planOf(stepOf("")), ErrorCode::PlanBadId, "/steps/0/id"},
      {planOf(stepOf("a\\nb")), ErrorCode::PlanBadId, "/steps/0/id"},
      {planOf(stepOf("a\\u0085b")), ErrorCode::PlanBadId, "/steps/0/id"},
      {planOf(stepOf("\x7f")), ErrorCode::PlanBadId, "/steps/0/id"},
      {planOf(stepOf(longest)), ErrorCode::None, ""},
      {planOf(stepOf(longest + 'i')), ErrorCode::PlanBadId, "/steps/0/id"},
      {planOf(stepOf("../é \\\"x\\\"")), ErrorCode::None, ""},
      {planOf(stepOf("a") + ',' + stepOf("b") + ',' + stepOf("a")), ErrorCode::PlanDuplicateId, "/steps/2/id"},
      {planOf(stepOf("a") + ',' + stepOf("\\u0061")), ErrorCode::PlanDuplicateId, "/steps/1/id"},
      {with(R"("dependencies":"a")"), ErrorCode::PlanWrongType, "/steps/0/dependencies"},
      {with(R"("dependencies":[1])"), ErrorCode::PlanWrongType, "/steps/0/dependencies/0"},
      {with(R"("dependencies":[""])"), ErrorCode::PlanBadId, "/steps/0/dependencies/0"},
      {planOf(stepOf("a") + ',' + stepOf("b", R"(,"dependencies":["a","who"])")), ErrorCode::PlanUnknownDependency,
       "/steps/1/dependencies/1"},
      {with(R"("dependencies":["a"])"), ErrorCode::PlanCycle, "/steps/0/dependencies/0"},
      {planOf(R"({"id":"a","type":"testing","description":"{{steps.who.output}}"})"), ErrorCode::PlanBadTemplate,
       "/steps/0/description"},
      {planOf(R"({"id":"a","type":"testing","description":"{{steps.)" + longest + R"(i.output}}"})"),
       ErrorCode::PlanBadTemplate, "/steps/0/description"},
      {planOf(R"({"id":"a","type":"testing","description":"{{steps.a.output}}"})"), ErrorCode::PlanCycle,
       "/steps/0/description"},
  });
}

TEST(PlanErrors, TheDetailNamesWhatIsMeant) {
  const std::string twice = errorOf(planOf(stepOf("a") + ',' + stepOf("b") + ',' + stepOf("b"))).detail;
  EXPECT_NE(twice.find("step 1"), std::string::npos) << twice;
  EXPECT_NE(twice.find("step 2"), std::string::npos) << twice;
  EXPECT_NE(errorOf(with(R"("dependencies":["who"])")).detail.find("\"who\""), std::string::npos);
}

TEST(PlanErrors, LimitsHoldAndTheirEdgesPass) {
  PlanLimits limits;
  limits.steps = 2;
  limits.depth = 5;
  limits.stringBytes = 200;
  limits.dependenciesPerStep = 2;
  limits.dependencies = 3;
  limits.members = 8;
  limits.listItems = 3;
  const std::string two = stepOf("a") + ',' + stepOf("b"), filler(200, 'x');
  expectAll(
      {
          {planOf(two), ErrorCode::None, ""},
          {planOf(two + ',' + stepOf("c")), ErrorCode::PlanTooLarge, "/steps"},
          {with(R"("x":[[]])"), ErrorCode::None, ""},
          {with(R"("x":[[[]]])"), ErrorCode::PlanTooDeep, "/steps/0"},
          {R"({"x":[[[[[]]]]]})", ErrorCode::PlanTooDeep, "/x"},
          {R"({"x":")" + filler + "\"}", ErrorCode::PlanTooLarge, "/x"},
          {R"({"task_id":")" + filler + "\"}", ErrorCode::PlanTooLarge, "/task_id"},
          {R"({"metadata":{"m":")" + filler + "\"}}", ErrorCode::PlanTooLarge, "/metadata"},
          {"{\"" + filler + "\":1}", ErrorCode::PlanTooLarge, ""},
          {R"({"x":[[")" + filler + "\"]]}", ErrorCode::PlanTooLarge, "/x"},
          {with("\"x\":\"" + filler + '"'), ErrorCode::PlanTooLarge, "/steps/0"},
          {with("\"x\":[" + std::string(99, '1') + ',' + std::string(99, '1') + ']'), ErrorCode::PlanTooLarge,
           "/steps/0"},
          {with(R"("dependencies":["b","c","d"])"), ErrorCode::PlanTooLarge, "/steps/0/dependencies"},
          {planOf(R"({"id":"a","type":"x","description":"{{steps.d.output}}","dependencies":["b","c"]})"),
           ErrorCode::PlanTooLarge, "/steps/0/description"},
          {planOf(stepOf("a", R"(,"dependencies":["b","c"])") + ',' + stepOf("b", R"(,"dependencies":["c","d"])")),
           ErrorCode::PlanTooLarge, "/steps/1/dependencies"},
          {with(R"("x1":1,"x2":2,"x3":3,"x4":4,"x5":5)"), ErrorCode::None, ""},
          {with(R"("x1":1,"x2":2,"x3":3,"x4":4,"x5":5,"x6":6)"), ErrorCode::PlanTooLarge, "/steps/0"},
          {R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})", ErrorCode::PlanTooLarge, ""},
          {with(R"("validation_criteria":["1","2"],"context":{"files":["1","2"]})"), ErrorCode::PlanTooLarge,
           "/steps/0/context/files"},
      },
      limits);
  limits = {};
  limits.bytes = planOf(two).size();
  expectAll({{planOf(two), ErrorCode::None, ""}, {planOf(two) + ' ', ErrorCode::PlanTooLarge, ""}}, limits);
}

TEST(PlanErrors, AnEndlessStringIsRefusedBeforeItEnds) {
  PlanReader reader;
  reader.push(R"({"steps":[{"description":")");
  const std::string piece(1 << 16, 'x');
  int pieces = 0;
  while (!reader.error() && pieces < 1000) {
    reader.push(piece);
    ++pieces;
  }
  EXPECT_EQ(reader.error().code, ErrorCode::PlanTooLarge);
  EXPECT_EQ(reader.error().where, "/steps/0");
  EXPECT_LE(reader.offset(), PlanLimits{}.stringBytes + 100u);
  reader.end();
  EXPECT_EQ(reader.error().code, ErrorCode::PlanTooLarge);
}

TEST(PlanErrors, TheFirstErrorStaysAndNoStepFollowsIt) {
  PlanReader reader;
  const std::string text = planOf(stepOf("a") + ",7," + stepOf("a") + ',' + stepOf("b"));
  readInPieces(reader, text, 5);
  EXPECT_EQ(reader.error().code, ErrorCode::PlanWrongType);
  EXPECT_EQ(reader.error().where, "/steps/1");
  EXPECT_EQ(reader.stepCount(), 1u);
}

TEST(PlanErrors, ARefusedStepLeavesNoTrace) {
  PlanReader reader;
  const std::string text = planOf(stepOf("a") + ',' + stepOf("a"));
  readInPieces(reader, text, text.size());
  EXPECT_EQ(reader.error().code, ErrorCode::PlanDuplicateId);
  EXPECT_EQ(reader.stepCount(), 1u);
  EXPECT_EQ(reader.plan().byId.size(), 1u);
}

}  // namespace
}  // namespace aetherflow
