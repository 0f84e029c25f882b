// What a plan says comes out as steps, while the text is still arriving.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/plan/reader.hpp"
#include "tests/core/plan_testing.hpp"

namespace aetherflow {
namespace {

constexpr std::string_view kSample = R"({
  "metadata": { "by" : "a planner", "n": [1, 2] },
  "later": {"steps": [{"id": 1}]},
  "steps": [
    {"id": "join", "type": "documentation", "description": "Join \u201call\u201d of it: {{steps.two.output}}\n",
     "dependencies": ["one", "é-😀"], "complexity": 0.25, "estimated_tokens": 4e3, "priority": -7, "optional": true,
     "cache": "exact", "output": {"type": "object", "properties": {"files": {"type": "array"}}}, "provider": "groq/fast",
     "validation_criteria": ["it is \"whole\"", ""], "extra": [1, {"a": null}],
     "context": {"style" : { "tabs" : false }, "files" : ["a.txt", "b/c.txt"], "n" : 1.50}},
    {"description": "", "type": "analysis", "id": "one"},
    {"id": "\u00e9-\ud83d\ude00", "type": "poetry", "description": "with {{steps.one.output}}", "output": "code"},
    {"id": "two", "type": "code_generation", "description": "x", "output": "json", "dependencies": []}
  ],
  "description": "all of it",
  "task_id": "t-1"
}
)";

TEST(PlanReader, EveryMemberIsRead) {
  PlanReader reader;
  readInPieces(reader, kSample, kSample.size());
  ASSERT_EQ(reader.error().code, ErrorCode::None) << print(reader.error());
  const Plan& plan = reader.plan();
  EXPECT_EQ(plan.taskId, "t-1");
  EXPECT_EQ(plan.description, "all of it");
  EXPECT_EQ(plan.metadata, R"({ "by" : "a planner", "n": [1, 2] })");
  ASSERT_EQ(plan.steps.size(), 4u);
  const Step& join = plan.steps[0];
  EXPECT_EQ(join.id, "join");
  EXPECT_EQ(join.description, "Join “all” of it: {{steps.two.output}}\n");
  EXPECT_EQ(join.type, StepType::Documentation);
  EXPECT_EQ(join.complexity, 0.25);
  EXPECT_EQ(join.estimatedTokens, 4000u);
  EXPECT_EQ(join.priority, -7);
  EXPECT_TRUE(join.optional);
  EXPECT_EQ(join.cache, CacheUse::Exact);
  EXPECT_EQ(join.output, OutputKind::Schema);
  EXPECT_EQ(join.schema, R"({"type":"object","properties":{"files":{"type":"array"}}})");
  EXPECT_EQ(join.provider, "groq/fast");
  EXPECT_EQ(join.validationCriteria, (std::vector<std::string>{"it is \"whole\"", ""}));
  EXPECT_EQ(join.context, R"({"style":{"tabs":false},"n":1.50})");
  EXPECT_EQ(join.files, (std::vector<std::string>{"a.txt", "b/c.txt"}));
  ASSERT_EQ(join.dependencies.size(), 3u);
  EXPECT_EQ(join.dependencies[0].step, 1u);
  EXPECT_EQ(join.dependencies[1].step, 2u);
  EXPECT_EQ(join.dependencies[1].place, 1u);
  EXPECT_EQ(join.dependencies[2].step, 3u);
  EXPECT_EQ(join.dependencies[2].place, kNone);
  EXPECT_EQ(plan.byId.at("é-😀"), 2u);
}

TEST(PlanReader, AbsentMembersHaveTheirDefaults) {
  PlanReader reader;
  readInPieces(reader, kSample, kSample.size());
  ASSERT_EQ(reader.stepCount(), 4u);
  const Step& one = reader.plan().steps[1];
  EXPECT_EQ(one.complexity, 0.5);
  EXPECT_EQ(one.estimatedTokens, 0u);
  EXPECT_EQ(one.priority, 0);
  EXPECT_FALSE(one.optional);
  EXPECT_EQ(one.cache, CacheUse::Count);
  EXPECT_EQ(one.output, OutputKind::Any);
  EXPECT_TRUE(one.dependencies.empty());
  EXPECT_EQ(one.context, "");
  EXPECT_EQ(reader.plan().steps[2].output, OutputKind::Code);
  EXPECT_EQ(reader.plan().steps[3].output, OutputKind::Json);
}

TEST(PlanReader, EveryTypeHasItsName) {
  for (int i = 0; i < kStepTypes; ++i) {
    const auto type = static_cast<StepType>(i);
    EXPECT_EQ(stepTypeOf(name(type)), type);
  }
  EXPECT_EQ(stepTypeOf("Analysis"), StepType::Other);
  EXPECT_EQ(stepTypeOf(""), StepType::Other);
}

TEST(PlanReader, OneCutAnywhereChangesNothing) {
  PlanReader whole;
  readInPieces(whole, kSample, kSample.size());
  const std::string expected = print(whole);
  for (std::size_t cut = 0; cut <= kSample.size(); ++cut) {
    PlanReader reader;
    reader.push(kSample.substr(0, cut));
    reader.push(kSample.substr(cut));
    reader.end();
    ASSERT_EQ(print(reader), expected) << "cut at " << cut;
  }
  for (const std::size_t size : {1u, 2u, 3u, 7u, 64u}) {
    PlanReader reader;
    readInPieces(reader, kSample, size);
    ASSERT_EQ(print(reader), expected) << "pieces of " << size;
  }
}

TEST(PlanReader, AStepIsKnownAtItsLastBrace) {
  const std::string text = planOf(stepOf("a") + ',' + stepOf("b"));
  PlanReader reader;
  const std::size_t last = text.find(stepOf("a")) + stepOf("a").size() - 1;
  reader.push(std::string_view(text).substr(0, last));
  EXPECT_EQ(reader.stepCount(), 0u);
  reader.push("}");
  EXPECT_EQ(reader.stepCount(), 1u);
  EXPECT_FALSE(reader.ended());
  reader.push(std::string_view(text).substr(last + 1));
  EXPECT_EQ(reader.stepCount(), 2u);
  reader.end();
  EXPECT_TRUE(reader.ended());
  EXPECT_EQ(reader.error().code, ErrorCode::None);
}

TEST(PlanReader, NothingCountsAfterTheEnd) {
  const std::string text = planOf(stepOf("a"));
  PlanReader reader;
  readInPieces(reader, text, text.size());
  reader.push("garbage");
  reader.end();
  EXPECT_EQ(reader.error().code, ErrorCode::None);
  EXPECT_EQ(reader.offset(), text.size());
}

TEST(PlanReader, ForwardReferencesAreHandedOverOnceResolved) {
  using List = std::vector<ResolvedReference>;
  PlanReader reader;
  reader.push(R"({"steps":[)" + stepOf("a", R"(,"dependencies":["c","b"])"));
  reader.push(',' + stepOf("b", R"(,"dependencies":["c"])"));
  EXPECT_EQ(reader.plan().steps[0].dependencies[0].step, kNone);
  EXPECT_EQ(reader.plan().steps[0].dependencies[1].step, 1u);
  EXPECT_EQ(reader.takeResolved(), (List{{0, 1}}));
  EXPECT_EQ(reader.takeResolved(), List{});
  reader.push(',' + stepOf("c") + ',' + stepOf("d", R"(,"dependencies":["a","c"])") + "]}");
  EXPECT_EQ(reader.takeResolved(), (List{{0, 0}, {1, 0}}));
  EXPECT_EQ(reader.plan().steps[3].dependencies[0].step, 0u);
  reader.end();
  EXPECT_EQ(reader.takeResolved(), List{});
  EXPECT_EQ(reader.error().code, ErrorCode::None);
}

TEST(PlanReader, ARepeatedDependencyCountsOnce) {
  PlanReader reader;
  readInPieces(reader,
               planOf(stepOf("a", R"(,"dependencies":["b","b"])") + ',' + stepOf("b") + ',' +
                      R"({"id":"c","type":"testing","description":"{{steps.a.output}}","dependencies":["a","a","b"]})"),
               1000);
  ASSERT_EQ(reader.error().code, ErrorCode::None);
  EXPECT_EQ(reader.plan().steps[0].dependencies.size(), 1u);
  ASSERT_EQ(reader.plan().steps[2].dependencies.size(), 2u);
  EXPECT_EQ(reader.plan().steps[2].dependencies[1].place, 2u);
  ASSERT_EQ(reader.plan().warnings.size(), 2u);
  EXPECT_EQ(reader.plan().warnings[0].code, ErrorCode::PlanRepeatedDependency);
  EXPECT_EQ(reader.plan().warnings[0].where, "/steps/0/dependencies/1");
  EXPECT_EQ(reader.plan().warnings[1].where, "/steps/2/dependencies/1");
}

TEST(PlanReader, DocumentsAStepAsksForAreNoPartOfItsContext) {
  PlanReader reader;
  readInPieces(
      reader,
      planOf(stepOf("a", R"(,"context":{"k":1,"documents":{"paths":["docs","a.md"],"query":"why?","tokens":50}})") +
             ',' + stepOf("b", R"(,"context":{"documents":{}})") + ',' + stepOf("c", R"(,"context":{})")),
      1);
  ASSERT_EQ(reader.error().code, ErrorCode::None) << print(reader.error());
  const Step& a = reader.plan().steps[0];
  EXPECT_EQ(a.context, R"({"k":1})");
  EXPECT_EQ(a.query, "why?");
  EXPECT_EQ(a.documentPaths, R"(["docs","a.md"])");
  EXPECT_EQ(a.documentTokens, 50u);
  EXPECT_EQ(reader.plan().steps[1].documentTokens, 2000u);
  EXPECT_EQ(reader.plan().steps[1].context, "");
  EXPECT_EQ(reader.plan().steps[2].documentTokens, 0u);
  EXPECT_TRUE(reader.plan().warnings.empty());
}

TEST(PlanReader, DocumentsAreCheckedLikeEveryMember) {
  const auto at = [](std::string_view documents) {
    const Error error = errorOf(planOf(stepOf("a", R"(,"context":{"documents":)" + std::string(documents) + "}")));
    return std::string(codeName(error.code)) + ' ' + error.where;
  };
  EXPECT_EQ(at(R"(["a"])"), "plan.wrong_type /steps/0/context/documents");
  EXPECT_EQ(at(R"({"query":1})"), "plan.wrong_type /steps/0/context/documents/query");
  EXPECT_EQ(at(R"({"paths":"docs"})"), "plan.wrong_type /steps/0/context/documents/paths");
  EXPECT_EQ(at(R"({"paths":["docs",1]})"), "plan.wrong_type /steps/0/context/documents/paths/1");
  EXPECT_EQ(at(R"({"tokens":0})"), "plan.out_of_range /steps/0/context/documents/tokens");
  EXPECT_EQ(at(R"({"tokens":1e9})"), "plan.out_of_range /steps/0/context/documents/tokens");
  EXPECT_EQ(at(R"({"tokens":1.5})"), "plan.wrong_type /steps/0/context/documents/tokens");
  EXPECT_EQ(at(R"({"query":"a","query":"b"})"), "plan.duplicate_key /steps/0/context/documents/query");
  EXPECT_EQ(at(R"({},"documents":{})"), "plan.duplicate_key /steps/0/context/documents");

  PlanReader reader;
  readInPieces(reader, planOf(stepOf("a", R"(,"context":{"documents":{"querry":"x","query":"{{steps.a.output}}"}})")),
               100);
  ASSERT_EQ(reader.error().code, ErrorCode::None);
  ASSERT_EQ(reader.plan().warnings.size(), 2u);
  EXPECT_EQ(reader.plan().warnings[0].where, "/steps/0/context/documents/querry");
  EXPECT_NE(reader.plan().warnings[0].detail.find("query"), std::string::npos);
  EXPECT_EQ(reader.plan().warnings[1].code, ErrorCode::PlanBadTemplate);
  EXPECT_EQ(reader.plan().warnings[1].where, "/steps/0/context/documents/query");
}

TEST(PlanReader, OddButHarmlessIsWarnedOf) {
  PlanReader reader;
  readInPieces(reader,
               R"({"x~/y":1,"steps":[{"id":"a","type":"poetry","description":"","x":1},)"
               R"({"id":"b","type":"testing","description":"","x":2}]})",
               1000);
  ASSERT_EQ(reader.error().code, ErrorCode::None);
  std::string seen;
  for (const Error& warning : reader.plan().warnings)
    seen += std::string(codeName(warning.code)) + ' ' + warning.where + '\n';
  EXPECT_EQ(seen,
            "plan.unknown_member /x~0~1y\nplan.unknown_type /steps/0/type\nplan.unknown_member /steps/0/x\n"
            "plan.missing /task_id\nplan.missing /description\n");
  EXPECT_EQ(reader.plan().steps[0].type, StepType::Other);
  EXPECT_EQ(reader.plan().steps[0].typeName, "poetry");
}

TEST(PlanReader, WarningsAreBounded) {
  std::string steps;
  for (int i = 0; i < 500; ++i) {
    if (i > 0) steps += ',';
    steps +=
        R"({"id":"s)" + std::to_string(i) + R"(","type":"poetry","description":"","x)" + std::to_string(i) + R"(":0})";
  }
  PlanReader reader;
  readInPieces(reader, planOf(steps), 4096);
  EXPECT_EQ(reader.error().code, ErrorCode::None);
  ASSERT_EQ(reader.plan().warnings.size(), Warnings::kMost + 1);
  EXPECT_EQ(reader.plan().warnings.back().where, "");
}

TEST(PlanReader, AHundredThousandStepsInAnyOrderOfReference) {
  constexpr std::uint32_t kCount = 100'000;
  std::string text = R"({"task_id":"t","description":"d","steps":[)";
  for (std::uint32_t i = 0; i < kCount; ++i) {
    if (i > 0) text += ',';
    // An even step needs both its neighbours, one not yet known; an odd one needs the very last step.
    std::string needs = "\"end\"";
    if (i % 2 == 0) needs = "\"s" + std::to_string(i + 1) + '"' + (i > 0 ? ",\"s" + std::to_string(i - 1) + '"' : "");
    text += stepOf("s" + std::to_string(i), ",\"dependencies\":[" + needs + ']');
  }
  text += ',' + stepOf("end") + "]}";
  PlanReader reader;
  readInPieces(reader, text, 16'384);
  ASSERT_EQ(reader.error().code, ErrorCode::None) << print(reader.error());
  ASSERT_EQ(reader.stepCount(), kCount + 1);
  EXPECT_EQ(reader.plan().steps[4].dependencies[0].step, 5u);
  EXPECT_EQ(reader.plan().steps[5].dependencies[0].step, kCount);
  EXPECT_EQ(reader.takeResolved().size(), std::size_t{kCount});
}

}  // namespace
}  // namespace aetherflow
