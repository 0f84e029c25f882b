// Prompts that begin alike: their layout, the trie of a plan, what a wait is worth, how fast prompts are read.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/assemble.hpp"
#include "core/run/prefix_leads.hpp"
#include "core/run/run.hpp"

namespace aetherflow {
namespace {

struct Texts {
  std::vector<NamedText> files, outputs;
};

Step stepOf(std::string id, StepType type = StepType::Testing, OutputKind output = OutputKind::Any) {
  Step step;
  step.id = std::move(id);
  step.description = "Do " + step.id + ".";
  step.type = type;
  step.output = output;
  return step;
}

Prompt shared(const Step& step, const Texts& texts, PromptRole role = PromptRole::Work) {
  PromptParts parts;
  parts.step = &step;
  parts.planDescription = "A plan.";
  parts.files = texts.files;
  parts.dependencies = texts.outputs;
  parts.role = role;
  parts.answer = "the answer";
  parts.issues = "- too long";
  parts.layout = PromptLayout::Shared;
  return assemble(parts);
}

TEST(SharedLayout, SystemIsTheSameForEveryTypeOutputAndRole) {
  const Prompt one = shared(stepOf("a"), {});
  const Prompt two = shared(stepOf("b", StepType::Analysis, OutputKind::Json), {}, PromptRole::Judge);
  EXPECT_EQ(one.system, two.system);
  EXPECT_EQ(one.system, sharedSystemText());
}

TEST(SharedLayout, MostUsedFirstThenByPathAndTheOwnLast) {
  const Texts mine{{{"z.md", "Z", 3}, {"own.md", "O", 1}, {"b.md", "B", 5}, {"a.md", "A", 3}}, {{"s", "S", 4}}};
  const Prompt prompt = shared(stepOf("a"), mine);
  std::size_t last = 0;
  for (const char* part : {"A plan.", "name=\"b.md\"", "step=\"s\"", "name=\"a.md\"", "name=\"z.md\"",
                           "name=\"own.md\"", "Do a.", "You are a test engineer"}) {
    const std::size_t at = prompt.user.find(part);
    ASSERT_NE(at, std::string::npos) << part;
    EXPECT_GT(at, last) << part;
    last = at;
  }
  EXPECT_EQ(prompt.shared, prompt.user.find("<file name=\"own.md\">"));
  EXPECT_EQ(prompt.keyed, prompt.shared) << "all of it is short";
}

TEST(SharedLayout, RequestsThatShareEnoughHaveTheSameKey) {
  const std::string large(5000, 'x');
  const Texts mine{{{"a.md", "A", 9}, {"b.md", large, 7}, {"c.md", "C", 3}}, {}};
  Texts others = mine;
  others.files[2] = {"d.md", "D", 3};
  const Prompt one = shared(stepOf("a"), mine), two = shared(stepOf("b"), others);
  EXPECT_EQ(one.keyed, one.user.find("<file name=\"c.md\">"));
  EXPECT_EQ(one.user.substr(0, one.keyed), two.user.substr(0, two.keyed));
  EXPECT_NE(one.user.substr(0, one.shared), two.user.substr(0, two.shared));
}

TEST(SharedLayout, ARepairAppendsToTheWork) {
  const Texts texts{{{"b.md", "B", 5}}, {}};
  const Step step = stepOf("a", StepType::CodeGeneration, OutputKind::Code);
  const Prompt work = shared(step, texts), repair = shared(step, texts, PromptRole::Repair);
  EXPECT_EQ(repair.user.substr(0, work.user.size()), work.user);
  EXPECT_NE(repair.user.find("too long"), std::string::npos);
  const Prompt judge = shared(step, texts, PromptRole::Judge);
  EXPECT_EQ(judge.user.substr(0, work.user.find("You are")), work.user.substr(0, work.user.find("You are")));
  EXPECT_NE(judge.user.find("\"verdict\""), std::string::npos);
}

Step reading(std::string id, std::vector<std::string> files) {
  Step step = stepOf(std::move(id));
  step.files = std::move(files);
  return step;
}

TEST(Prefixes, StepsMeetInWhatTheyShareMost) {
  Plan plan;
  plan.description = "A plan.";
  for (const char* id : {"a", "b", "c"}) plan.steps.push_back(reading(id, {"types.ts", "api.md"}));
  for (const char* id : {"d", "e", "f"}) plan.steps.push_back(reading(id, {"notes.md", "api.md"}));
  plan.steps.push_back(reading("g", {"alone.md"}));
  Prefixes prefixes;
  for (const Step& step : plan.steps)
    for (std::uint32_t i = 0; i < step.files.size(); ++i)
      prefixes.weigh(step, i, step.files[i] == "api.md" ? 2000 : 700);
  ASSERT_TRUE(prefixes.update(plan, 7));
  EXPECT_FALSE(prefixes.update(plan, 7)) << "nothing new";
  const std::uint32_t abc = prefixes.leaf(0), def = prefixes.leaf(3);
  EXPECT_EQ(prefixes.leaf(2), abc);
  EXPECT_EQ(prefixes.leaf(5), def);
  ASSERT_NE(abc, def);
  EXPECT_EQ(prefixes.parent(abc), prefixes.parent(def)) << "api.md, whatever its place in the lists";
  EXPECT_EQ(prefixes.leaf(6), 0u);
  EXPECT_EQ(prefixes.tokens(abc), prefixes.tokens(0) + 2700);
  EXPECT_TRUE(prefixes.begins(4, prefixes.parent(abc)));
  EXPECT_FALSE(prefixes.begins(4, abc));
  EXPECT_EQ(prefixes.usesOfFile("api.md"), 6u);
}

TEST(Prefixes, AFileIsUsedWhereItsFolderIsNamed) {
  Plan plan;
  for (const char* id : {"a", "b", "c"}) plan.steps.push_back(reading(id, {"src/lib/"}));
  plan.steps.push_back(reading("d", {"docs"}));
  Prefixes prefixes;
  prefixes.update(plan, 4);
  EXPECT_EQ(prefixes.usesOfFile("src/lib/deep/x.ts"), 3u);
  EXPECT_EQ(prefixes.usesOfFile("docs/x.md"), 1u);
  EXPECT_EQ(prefixes.usesOfFile("src/other.ts"), 0u);
  EXPECT_EQ(prefixes.usesOfFile("/"), 0u);
}

TEST(Prefixes, AnOutputThatTheTaskTakesInIsNoSharedBeginning) {
  Plan plan;
  plan.steps.push_back(stepOf("base"));
  plan.steps[0].estimatedTokens = 3000;
  for (const char* id : {"a", "b", "c"}) {
    plan.steps.push_back(stepOf(id));
    plan.steps.back().dependencies.emplace_back().step = 0;
  }
  plan.steps[3].description = "Change {{steps.base.output}}.";
  Prefixes prefixes;
  prefixes.update(plan, 4);
  EXPECT_NE(prefixes.leaf(1), 0u);
  EXPECT_EQ(prefixes.leaf(2), prefixes.leaf(1));
  EXPECT_EQ(prefixes.leaf(3), 0u);
}

TEST(Prefixes, WhatAStepAddsToTheSystemTextStandsBeforeAllElse) {
  Plan plan;
  plan.description = "A plan.";
  for (const char* id : {"a", "b", "c", "d", "e"}) plan.steps.push_back(reading(id, {"api.md"}));
  for (const StepIndex own : {1u, 2u}) plan.steps[own].system = "Answer as a lawyer would.";
  plan.steps[3].system = "Answer as a poet would.";
  Prefixes prefixes;
  prefixes.weigh(plan.steps[0], 0, 4000);
  prefixes.update(plan, 5);
  EXPECT_EQ(prefixes.leaf(0), prefixes.leaf(4));
  EXPECT_EQ(prefixes.leaf(1), prefixes.leaf(2));
  EXPECT_NE(prefixes.leaf(1), prefixes.leaf(0));
  EXPECT_NE(prefixes.leaf(3), prefixes.leaf(1));
  EXPECT_FALSE(prefixes.begins(1, 0)) << "the plan stands behind it";
  EXPECT_GT(prefixes.tokens(prefixes.leaf(1)), prefixes.tokens(prefixes.leaf(0)));
}

WaitQuestion question() {
  WaitQuestion q;
  q.others = 5;
  q.places = 8;
  q.tokens = 3200;
  q.readMs = 320;
  q.leaderMs = 620;
  q.savedPerMtok = 100'000;
  q.runMs = 3000;
  return q;
}

TEST(Wait, PaysWhereItSavesMoneyAndTakesLittleTime) {
  const WaitAnswer answer = weighWait(question());
  EXPECT_TRUE(answer.waits);
  EXPECT_EQ(answer.addsMs, 300);
  EXPECT_EQ(answer.saves, 5 * 3200 / 10);
}

TEST(Wait, IsRefusedForEachReasonAlone) {
  WaitQuestion q = question();
  q.savedPerMtok = 0;
  EXPECT_FALSE(weighWait(q).waits) << "no discount";
  q = question();
  q.others = 1;
  EXPECT_FALSE(weighWait(q).waits) << "a group of two";
  q = question();
  q.runMs = 1000;
  EXPECT_FALSE(weighWait(q).waits) << "on the critical path of a short run";
  q.slackMs = 300;
  EXPECT_TRUE(weighWait(q).waits) << "off the critical path";
  q.slackMs = 0;
  q.always = true;
  EXPECT_TRUE(weighWait(q).waits) << "money comes first";
  q.savedPerMtok = -1;
  EXPECT_FALSE(weighWait(q).waits) << "reading costs more than it would save";
}

TEST(Wait, OnlyTheFirstWaveWouldPay) {
  WaitQuestion q = question();
  q.others = 40;
  EXPECT_EQ(weighWait(q).saves, 8 * 3200 / 10);
}

TEST(ReadingSpeed, FindsTheSlopeThroughTheNoise) {
  ReadingSpeed speed;
  EXPECT_EQ(speed.microsPerToken(100), 100) << "planned";
  for (int i = 0; i < 200; ++i) speed.learn(1000 + i % 10 * 3000, 400 + (1000 + i % 10 * 3000) / 8 + i % 7);
  EXPECT_NEAR(static_cast<double>(speed.microsPerToken(100)), 125, 2);
}

TEST(ReadingSpeed, PromptsOfOneLengthSayNothing) {
  ReadingSpeed speed;
  for (int i = 0; i < 50; ++i) speed.learn(3000 + i % 3, 400 + i);
  EXPECT_EQ(speed.microsPerToken(77), 77);
}

}  // namespace
}  // namespace aetherflow
