// Every member of the policy, its bounds and its errors, each told by its place.

#include "core/route/policy_reader.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "core/route/table.hpp"

namespace aetherflow::testing {
namespace {

JsonValue json(const std::string& text) {
  const std::optional<JsonValue> value = parseJson(text);
  EXPECT_TRUE(value.has_value()) << text;
  return value ? *value : JsonValue{};
}

Policy read(const std::string& text, std::string* where = nullptr) {
  Reading reading;
  const Policy policy = readPolicy(reading, json(text));
  if (where != nullptr)
    *where = reading.error.where;
  else
    EXPECT_EQ(reading.error.where, "") << text;
  return policy;
}

std::string placeOf(const std::string& text) {
  std::string where;
  read(text, &where);
  return where;
}

TEST(PolicyReader, DefaultsHoldWhereNothingIsSaid) {
  for (const char* text : {"{}", R"({"retry":{},"breaker":{},"hedge":{},"floor":{},"budget":{}})",
                           R"({"retry":null,"budget":{"run":null,"ladder":null},"interrupt":null})"}) {
    const Policy policy = read(text);
    EXPECT_EQ(policy.attempts, 5u);
    EXPECT_EQ(policy.perModel, 3u);
    EXPECT_EQ(policy.baseMs, 500);
    EXPECT_EQ(policy.capMs, 8'000);
    EXPECT_EQ(policy.deadlineMs, 0);
    EXPECT_EQ(policy.patienceMs, 900'000);
    EXPECT_EQ(policy.failures, 5u);
    EXPECT_EQ(policy.openMs, 10'000);
    EXPECT_EQ(policy.maxOpenMs, 60'000);
    EXPECT_EQ(policy.hedgePermille, 0u);
    EXPECT_EQ(policy.floorTokensPerSecond, 0u);
    EXPECT_EQ(policy.floorAfterMs, 10'000);
    EXPECT_EQ(policy.interrupt, Interrupt::Restart);
    EXPECT_FALSE(policy.run.any() || policy.step.any() || policy.attempt.any());
    EXPECT_EQ(policy.ladder, (std::array<Rung, 3>{Rung::Cheaper, Rung::SkipOptional, Rung::Stop}));
  }
}

TEST(PolicyReader, ReadsEveryMember) {
  const Policy policy = read(R"({
    "retry":{"attempts":7,"perModel":2,"baseMs":11,"capMs":12,"deadlineMs":13,"patienceMs":14},
    "breaker":{"failures":3,"openMs":15,"maxOpenMs":16},"hedge":{"share":0.05},
    "floor":{"tokensPerSecond":17,"afterMs":18},"interrupt":"continue",
    "budget":{"run":{"usd":1.5,"tokens":200000},"step":{"usd":0},"attempt":{"tokens":9},"ladder":["stop","cheaper"]}})");
  EXPECT_EQ(policy.attempts, 7u);
  EXPECT_EQ(policy.perModel, 2u);
  EXPECT_EQ(policy.baseMs, 11);
  EXPECT_EQ(policy.capMs, 12);
  EXPECT_EQ(policy.deadlineMs, 13);
  EXPECT_EQ(policy.patienceMs, 14);
  EXPECT_EQ(policy.failures, 3u);
  EXPECT_EQ(policy.openMs, 15);
  EXPECT_EQ(policy.maxOpenMs, 16);
  EXPECT_EQ(policy.hedgePermille, 50u);
  EXPECT_EQ(policy.floorTokensPerSecond, 17u);
  EXPECT_EQ(policy.floorAfterMs, 18);
  EXPECT_EQ(policy.interrupt, Interrupt::Continue);
  EXPECT_EQ(policy.run.usd, 1'500'000);
  EXPECT_EQ(policy.run.tokens, 200'000);
  EXPECT_EQ(policy.step.usd, 0);
  EXPECT_EQ(policy.step.tokens, -1);
  EXPECT_EQ(policy.attempt.usd, -1);
  EXPECT_EQ(policy.attempt.tokens, 9);
  EXPECT_EQ(policy.ladder, (std::array<Rung, 3>{Rung::Stop, Rung::Cheaper, Rung::None}));
}

TEST(PolicyReader, ACeilingIsNeverMoreThanWasSaid) {
  EXPECT_EQ(read(R"({"budget":{"run":{"usd":0.1}}})").run.usd, 100'000);
  EXPECT_EQ(read(R"({"budget":{"run":{"usd":0.29}}})").run.usd, 290'000);
  EXPECT_EQ(read(R"({"budget":{"run":{"usd":0.0000019}}})").run.usd, 1);
  EXPECT_EQ(read(R"({"budget":{"run":{"usd":0.0000009}}})").run.usd, 0);
}

TEST(PolicyReader, AnEmptyLadderGivesNothingUp) {
  EXPECT_EQ(read(R"({"budget":{"ladder":[]}})").ladder, (std::array<Rung, 3>{Rung::None, Rung::None, Rung::None}));
}

TEST(PolicyReader, NamesThePlaceOfEveryError) {
  struct Case {
    const char *text, *where;
  };
  const Case cases[] = {
      {R"({"retry":5})", "/table/retry"},
      {R"({"retry":{"attempts":0}})", "/table/retry/attempts"},
      {R"({"retry":{"attempts":101}})", "/table/retry/attempts"},
      {R"({"retry":{"attempts":"5"}})", "/table/retry/attempts"},
      {R"({"retry":{"perModel":0}})", "/table/retry/perModel"},
      {R"({"retry":{"baseMs":-1}})", "/table/retry/baseMs"},
      {R"({"retry":{"capMs":-1}})", "/table/retry/capMs"},
      {R"({"retry":{"deadlineMs":-1}})", "/table/retry/deadlineMs"},
      {R"({"retry":{"patienceMs":1e300}})", "/table/retry/patienceMs"},
      {R"({"breaker":[]})", "/table/breaker"},
      {R"({"breaker":{"failures":0}})", "/table/breaker/failures"},
      {R"({"breaker":{"openMs":0}})", "/table/breaker/openMs"},
      {R"({"breaker":{"maxOpenMs":0}})", "/table/breaker/maxOpenMs"},
      {R"({"hedge":true})", "/table/hedge"},
      {R"({"hedge":{"share":1.5}})", "/table/hedge/share"},
      {R"({"hedge":{"share":-0.1}})", "/table/hedge/share"},
      {R"({"floor":1})", "/table/floor"},
      {R"({"floor":{"tokensPerSecond":-1}})", "/table/floor/tokensPerSecond"},
      {R"({"floor":{"afterMs":0}})", "/table/floor/afterMs"},
      {R"({"interrupt":"resume"})", "/table/interrupt"},
      {R"({"interrupt":1})", "/table/interrupt"},
      {R"({"budget":1})", "/table/budget"},
      {R"({"budget":{"run":1}})", "/table/budget/run"},
      {R"({"budget":{"run":{"usd":-1}}})", "/table/budget/run/usd"},
      {R"({"budget":{"step":{"usd":"1"}}})", "/table/budget/step/usd"},
      {R"({"budget":{"attempt":{"tokens":-1}}})", "/table/budget/attempt/tokens"},
      {R"({"budget":{"ladder":["sell"]}})", "/table/budget/ladder"},
      {R"({"budget":{"usd":1}})", "/table/budget/usd"},
      {R"({"budget":{"run":{"eur":1}}})", "/table/budget/run/eur"},
      {R"({"retry":{"attempt":1}})", "/table/retry/attempt"},
      {R"({"breaker":{"open":1}})", "/table/breaker/open"},
      {R"({"hedge":{"shares":1}})", "/table/hedge/shares"},
      {R"({"floor":{"tokens":1}})", "/table/floor/tokens"},
      {R"({"budget":{"ladder":[1]}})", "/table/budget/ladder"},
      {R"({"budget":{"ladder":"stop"}})", "/table/budget/ladder"},
      {R"({"budget":{"ladder":["stop","stop","stop","stop"]}})", "/table/budget/ladder"},
  };
  for (const Case& one : cases) EXPECT_EQ(placeOf(one.text), one.where) << one.text;
}

Expected<Table> tableWith(const std::string& patch) {
  const JsonValue value = json(patch);
  return loadTable(&value);
}

TEST(PolicyReader, ReadsLimitsByQuotaGroup) {
  const Expected<Table> table = tableWith(R"({
    "limits":{"team":{"requestsPerMinute":1,"tokensPerMinute":2,"requestsPerDay":3,"tokensPerDay":4,"concurrency":5},
              "pro":{"requestsPerMinute":9}},
    "providers":{"groq":{"quotaGroup":"team"},"deepseek":{"quotaGroup":"team","models":{"deepseek-v4-pro":{"quotaGroup":"pro"}}}}})");
  ASSERT_TRUE(table) << table.error().where;
  const auto group = [&](const char* model) {
    return table->quotas[table->models[table->findTarget(model).model].quota].group;
  };
  EXPECT_EQ(group("groq"), "team");
  EXPECT_EQ(group("deepseek/deepseek-flash"), "team");
  EXPECT_EQ(group("deepseek/deepseek-v4-pro"), "pro");
  EXPECT_EQ(group("mistral"), "mistral") << "a provider is its own group unless it says otherwise";
  for (const QuotaLimits& limits : table->quotas) {
    if (limits.group != "team") continue;
    EXPECT_EQ(limits.most, (std::array<std::int64_t, kWindows>{1, 2, 3, 4}));
    EXPECT_EQ(limits.concurrency, 5u);
  }
}

TEST(PolicyReader, RefusesLimitsThatProtectNothing) {
  const auto where = [](const char* patch) { return tableWith(patch) ? "" : tableWith(patch).error().where; };
  EXPECT_EQ(where(R"({"limits":{"grok":{"requestsPerMinute":5}}})"), "/table/limits/grok");
  EXPECT_EQ(where(R"({"limits":{"groq":5}})"), "/table/limits/groq");
  EXPECT_EQ(where(R"({"limits":5})"), "/table/limits");
  EXPECT_EQ(where(R"({"limits":{"groq":{"requestsPerMinute":0}}})"), "/table/limits/groq/requestsPerMinute");
  EXPECT_EQ(where(R"({"limits":{"groq":{"tokensPerDay":"1"}}})"), "/table/limits/groq/tokensPerDay");
  EXPECT_EQ(where(R"({"limits":{"groq":{"concurrency":-1}}})"), "/table/limits/groq/concurrency");
}

TEST(PolicyReader, KeepsNothingOfAnotherConfiguration) {
  const auto places = [](const Expected<Table>& table) {
    return table->providers[table->findProvider("groq")].concurrency;
  };
  const std::uint32_t usual = places(loadTable(nullptr));
  const char* three = R"({"providers":{"groq":{"concurrency":3}}})";
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(places(tableWith(three)), 3u);
    Expected<Table> changed = tableWith(three);
    changed->providers.clear();
    EXPECT_EQ(places(tableWith(three)), 3u) << "each run has its own";
    EXPECT_FALSE(tableWith(R"({"providers":{"groq":{"concurrency":0}}})"));
    EXPECT_EQ(places(tableWith(three)), 3u) << "a refusal is not kept";
    EXPECT_EQ(places(tableWith(R"({"providers":{"groq":{"concurrency":4}}})")), 4u);
    EXPECT_EQ(places(tableWith("{}")), usual);
    EXPECT_EQ(places(loadTable(nullptr)), usual);
  }
}

TEST(PolicyReader, KnowsEveryFailureKind) {
  // What may be tried again, and where: the word of the issue, kind by kind.
  for (int kind = 0; kind < static_cast<int>(FailureKind::Count); ++kind) {
    const auto failure = static_cast<FailureKind>(kind);
    const FailureRule rule = failureRule(failure);
    const bool ours = failure == FailureKind::Input || failure == FailureKind::Withheld ||
                      failure == FailureKind::Deadline || failure == FailureKind::BudgetExceeded ||
                      failure == FailureKind::Host || failure == FailureKind::Refused ||
                      failure == FailureKind::CheckFailed;
    const bool falls = failure != FailureKind::Auth && failure != FailureKind::BadRequest &&
                       failure != FailureKind::Cancelled && !ours;
    EXPECT_EQ(rule.fallback, falls) << name(failure);
    EXPECT_TRUE(!rule.free || (rule.retry && !rule.worked && !rule.health)) << name(failure) << ": free is no attempt";
    EXPECT_TRUE(learntFrom(failure) == Learnt::Nothing || !rule.retry)
        << name(failure) << ": what is gone is not asked";
    EXPECT_TRUE(!rule.retry || rule.fallback) << name(failure) << ": what may be tried again may go elsewhere";
    EXPECT_TRUE(!rule.health || rule.retry) << name(failure) << ": what tells of illness may pass";
  }
}

}  // namespace
}  // namespace aetherflow::testing
