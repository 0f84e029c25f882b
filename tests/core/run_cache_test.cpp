// The cache as a run sees it, beyond the traces: its options, what the prompt of a look is, the report, a dry run.

#include <gtest/gtest.h>

#include <string>

#include "core/run/options.hpp"
#include "core/run/run.hpp"
#include "core/run/simulate.hpp"

namespace aetherflow::testing {
namespace {

std::string options(const std::string& cache, const std::string& more = "") {
  return R"({"available":["deepseek","openai"],"table":{"overflow":"never"},"cache":)" + cache + more + "}";
}

CacheUse useOf(const BeginOptions& begin, StepType type) {
  return begin.run.cache[static_cast<std::size_t>(type)];
}

TEST(RunCache, TheOptionsNameTypesAndAStarForTheOthers) {
  const Expected<BeginOptions> begin = readBegin(options(R"({"testing":"off","*":"exact","analysis":"semantic"})"));
  ASSERT_TRUE(begin);
  EXPECT_TRUE(begin->run.cached);
  EXPECT_EQ(useOf(*begin, StepType::Testing), CacheUse::Off);
  EXPECT_EQ(useOf(*begin, StepType::Analysis), CacheUse::Semantic);
  EXPECT_EQ(useOf(*begin, StepType::Refactoring), CacheUse::Exact);
  EXPECT_EQ(useOf(*begin, StepType::Other), CacheUse::Exact);
}

TEST(RunCache, WithoutTheOptionThereIsNone) {
  for (const char* cache : {"null", "{}"}) {
    const Expected<BeginOptions> begin = readBegin(options(cache));
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->run.cached, std::string(cache) == "{}");
    for (const CacheUse use : begin->run.cache) EXPECT_EQ(use, CacheUse::Off);
  }
}

TEST(RunCache, RefusesWhatItDoesNotKnow) {
  for (const char* cache :
       {"1", "[]", "\"exact\"", R"({"*":"fuzzy"})", R"({"*":1})", R"({"poetry":"exact"})", R"({"other":"exact"})"}) {
    const Expected<BeginOptions> begin = readBegin(options(cache));
    ASSERT_FALSE(begin) << cache;
    EXPECT_EQ(begin.error().code, ErrorCode::OptionsInvalid);
    EXPECT_EQ(begin.error().where, "/cache");
  }
}

/// A plan of one step, read whole.
void give(aetherflow::Run& run, const std::string& begin, const std::string& step) {
  ASSERT_EQ(run.begin(begin, 0), ErrorCode::None) << run.error().detail;
  ASSERT_EQ(run.planBytes(R"({"task_id":"t","description":"d","steps":[)" + step + "]}", 0), ErrorCode::None);
  ASSERT_EQ(run.planEnd(0), ErrorCode::None);
}

constexpr const char* kStep = R"({"id":"a","type":"testing","description":"do a","output":{"type":"object"}})";

// Otherwise a call's prompt is laid out by what other steps share with it, which no key of an answer may depend on.
TEST(RunCache, ALookIsPromptedLikeTheMainCallToItsTargetInItsOwnLayout) {
  aetherflow::Run run;
  std::string own = options(R"({"*":"exact"})");
  own.insert(1, R"("promptCache":"off",)");
  give(run, own, kStep);
  const CommandBuffer& commands = run.drain();
  ASSERT_EQ(commands.count(), 1u);
  const auto provider = static_cast<ProviderIndex>(get(commands.data(), CommandField::Provider));
  ASSERT_EQ(run.promptToLook(0, provider), ErrorCode::None);
  const Prompt looked = run.promptEnd();
  const ConstraintLevel level = run.promptLevel();
  while (run.steps()[0].state == StepState::Looking)
    ASSERT_EQ(run.looked({0, Found::None, 0, {}, 0, -1}, 1), ErrorCode::None);
  run.drain();
  ASSERT_EQ(run.calls().size(), 1u);
  ASSERT_EQ(run.calls()[0].target.provider, provider);
  ASSERT_EQ(run.promptBegin(0), ErrorCode::None);
  const Prompt called = run.promptEnd();
  EXPECT_EQ(looked.system, called.system);
  EXPECT_EQ(looked.user, called.user);
  EXPECT_EQ(level, run.promptLevel());
}

TEST(RunCache, ALookIsPromptedByTheConstraintThatItsProviderCanEnforce) {
  aetherflow::Run run;
  give(run, options(R"({"*":"exact"})"), kStep);
  ASSERT_EQ(run.promptToLook(0, run.table().findProvider("openai")), ErrorCode::None);
  EXPECT_EQ(run.promptLevel(), ConstraintLevel::Native);
  const std::string native = run.promptEnd().user;
  ASSERT_EQ(run.promptToLook(0, run.table().findProvider("deepseek")), ErrorCode::None);
  EXPECT_EQ(run.promptLevel(), ConstraintLevel::JsonMode);
  EXPECT_NE(run.promptEnd().user, native);
  EXPECT_EQ(run.promptToLook(1, 0), ErrorCode::RunUnknownStep);
  EXPECT_EQ(run.promptToLook(0, 1000), ErrorCode::RunUnknownStep);
}

TEST(RunCache, AKeyOutOfAllBoundsIsNone) {
  aetherflow::Run run;
  give(run, options(R"({"*":"exact"})"), kStep);
  ASSERT_EQ(run.looked({0, Found::None, 4'000'000'000u, {}, 0, -1}, 0), ErrorCode::None);
  EXPECT_EQ(run.steps()[0].state, StepState::Looking) << "asked on, at the next target";
}

TEST(RunCache, TheReportHasItOnlyWhenThereWasOne) {
  aetherflow::Run with, without;
  give(with, options(R"({"*":"off"})"), kStep);
  give(without, R"({"available":["deepseek"]})", kStep);
  EXPECT_NE(with.document(Document::Report).find(R"("cache":{"looked":0,)"), std::string::npos);
  EXPECT_EQ(without.document(Document::Report).find("cache\""), std::string::npos);
}

TEST(RunCache, ADryRunFindsNothing) {
  aetherflow::Run run;
  give(run, options(R"({"*":"semantic"})"), kStep);
  const std::string text = explain(run);
  EXPECT_TRUE(run.finished());
  EXPECT_EQ(run.outcome(), Outcome::Ok);
  EXPECT_NE(text.find(R"("cache":{"looked":1,"exact":0,"semantic":0,"shared":0,"misses":1)"), std::string::npos);
}

}  // namespace
}  // namespace aetherflow::testing
