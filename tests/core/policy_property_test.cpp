// The failure policy under random plans, policies and faults: an independent ledger finds every promise kept.
//   AETHERFLOW_SCHEDULES=1000000  how many schedules; the default is what CI has time for
//   AETHERFLOW_SEED=17            only this one

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "policy_host.hpp"
#include "random_plan.hpp"

namespace aetherflow::testing {
namespace {

#ifdef __EMSCRIPTEN__
constexpr std::uint64_t kSchedules = 8'000;
#else
constexpr std::uint64_t kSchedules = 60'000;
#endif

std::uint64_t asked(const char* variable, std::uint64_t fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// Steps for the policy to work on: some with schemas, some with a policy of their own.
std::string policyPlan(Rng& rng, std::uint32_t steps, std::uint32_t edges) {
  static constexpr const char* kEach[] = {"",
                                          ",\"output\":\"json\"",
                                          ",\"optional\":true",
                                          ",\"priority\":3",
                                          ",\"on_interrupt\":\"continue\"",
                                          ",\"on_interrupt\":\"restart\"",
                                          ",\"output\":{\"type\":\"object\"}",
                                          ",\"on_interrupt\":\"fail\"",
                                          ",\"cache\":\"off\"",
                                          ",\"cache\":\"exact\""};
  std::string json = "{\"task_id\":\"t\",\"description\":\"d\",\"steps\":[";
  for (std::uint32_t i = 0; i < steps; ++i) {
    json += (i > 0 ? ",{\"id\":\"s" : "{\"id\":\"s") + std::to_string(i) + "\",\"description\":\"d\",\"type\":\"";
    json += std::string(rng.below(3) == 0 ? "refactoring" : "testing") + "\",\"complexity\":0.5,\"estimated_tokens\":";
    json += std::to_string(rng.below(4) == 0 ? 0 : rng.below(3000)) + ",\"dependencies\":[";
    std::string separator;
    for (std::uint32_t from = 0; from < i; ++from, edges >>= 1) {
      if ((edges & 1) == 0) continue;
      json += separator + "\"s" + std::to_string(from) + "\"";
      separator = ",";
    }
    json += std::string("]") + kEach[rng.below(10)] + "}";
  }
  return json + "]}";
}

std::string randomPolicyPlan(Rng& rng) {
  const std::uint32_t steps = 1 + rng.below(6);
  const std::uint32_t edges = static_cast<std::uint32_t>(rng.next() & rng.next());
  return policyPlan(rng, steps, edges);
}

/// Plays one seed; true when every promise was kept.
bool keeps(std::uint64_t seed, const std::string& plan) {
  PolicyHost host(seed, plan);
  host.play();
  if (host.finding().empty()) return true;
  ADD_FAILURE() << host.finding() << "\nseed " << seed << "\n" << host.plan() << "\n" << host.options();
  return false;
}

TEST(PolicyProperties, HoldUnderEverySchedule) {
  const std::uint64_t only = asked("AETHERFLOW_SEED", 0);
  const std::uint64_t first = only > 0 ? only : 1, last = only > 0 ? only : asked("AETHERFLOW_SCHEDULES", kSchedules);
  std::uint64_t broken = 0, calls = 0, delivered = 0, again = 0;
  std::array<std::uint64_t, static_cast<std::size_t>(Reason::Count)> told{};
  for (std::uint64_t seed = first; seed <= last && broken < 3; ++seed) {
    Rng rng(~seed);
    const std::string plan = randomPolicyPlan(rng);
    PolicyHost host(seed, plan);
    host.play();
    calls += host.run().calls().size();
    for (std::size_t i = 0; i < told.size(); ++i) told[i] += host.told()[i];
    for (const StepRecord& step : host.run().steps()) delivered += step.state == StepState::Done ? 1 : 0;
    if (!host.finding().empty()) {
      ++broken;
      ADD_FAILURE() << host.finding() << "\nseed " << seed << "\n" << host.plan() << "\n" << host.options();
    }
    if (seed % 50 != 0) continue;
    PolicyHost twin(seed, plan);
    twin.play();
    ++again;
    ASSERT_EQ(host.bytes(), twin.bytes()) << "seed " << seed;
  }
  std::printf("%llu schedules, %llu calls, %llu steps delivered, %llu of the schedules twice\n",
              static_cast<unsigned long long>(last - first + 1), static_cast<unsigned long long>(calls),
              static_cast<unsigned long long>(delivered), static_cast<unsigned long long>(again));
  EXPECT_GT(delivered, 0u);
  // A promise that was never put to the test is not kept.
  if (last - first < 10'000) return;
  for (auto i = static_cast<std::size_t>(Reason::Retrying); i < static_cast<std::size_t>(Reason::Recalled); ++i)
    EXPECT_GT(told[i], 0u) << name(static_cast<Reason>(i)) << " never happened";
  for (const Reason reason : {Reason::CacheUnavailable, Reason::CacheExact, Reason::CacheSemantic, Reason::Shared,
                              Reason::DraftAccepted, Reason::DraftPatched, Reason::DraftRejected, Reason::DraftFailed,
                              Reason::DraftSlow, Reason::DraftOff, Reason::CanaryAgrees, Reason::CanaryRegrets})
    EXPECT_GT(told[static_cast<std::size_t>(reason)], 0u) << name(reason) << " never happened";
}

TEST(PolicyProperties, HoldForEveryGraphUpToFiveSteps) {
  std::uint64_t graphs = 0, broken = 0;
  for (std::uint32_t steps = 1; steps <= 5; ++steps)
    for (std::uint32_t edges = 0; edges < 1u << (steps * (steps - 1) / 2) && broken < 3; ++edges, ++graphs) {
      Rng rng(edges * 8 + steps);
      broken += keeps(1'000'000'000 + graphs, policyPlan(rng, steps, edges)) ? 0 : 1;
    }
  EXPECT_EQ(graphs, 1u + 2 + 8 + 64 + 1024);
}

}  // namespace
}  // namespace aetherflow::testing
