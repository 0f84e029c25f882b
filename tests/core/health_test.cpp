// The breaker, the throttle of retries, and what is remembered of first tokens.

#include "core/route/health.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/rng.hpp"

namespace aetherflow::testing {
namespace {

Health opened(std::uint32_t failures, std::int64_t openMs, std::int64_t maxOpenMs) {
  Policy policy;
  policy.failures = failures;
  policy.openMs = openMs;
  policy.maxOpenMs = maxOpenMs;
  Health health;
  health.open(policy, 2, 2);
  return health;
}

TEST(Health, OpensAfterSoManyFailuresInARow) {
  Health health = opened(3, 1'000, 4'000);
  EXPECT_EQ(health.failed(0, true, false, 10), BreakerChange::None);
  EXPECT_EQ(health.failed(0, true, false, 20), BreakerChange::None);
  EXPECT_EQ(health.succeeded(0), BreakerChange::None);
  health.failed(0, true, false, 30);
  health.failed(0, true, false, 40);
  EXPECT_EQ(health.blockedUntil(0, 45), 0);
  EXPECT_EQ(health.failed(0, true, false, 50), BreakerChange::Opened);
  EXPECT_EQ(health.blockedUntil(0, 60), 1'050);
  EXPECT_EQ(health.state(0), BreakerState::Open);
  EXPECT_EQ(health.blockedUntil(1, 60), 0) << "each provider has its own";
  EXPECT_EQ(health.timesOpened(0), 1u);
}

TEST(Health, FullLimitsDoNotOpenIt) {
  Health health = opened(1, 1'000, 1'000);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(health.failed(0, false, false, i), BreakerChange::None);
  EXPECT_EQ(health.state(0), BreakerState::Closed);
}

TEST(Health, OneProbeDecides) {
  Health health = opened(1, 1'000, 3'000);
  health.failed(0, true, false, 0);
  EXPECT_FALSE(health.dispatched(0, 999));
  EXPECT_EQ(health.blockedUntil(0, 1'000), 0);
  EXPECT_TRUE(health.dispatched(0, 1'000));
  EXPECT_EQ(health.blockedUntil(0, 1'500), kNever) << "others wait for the probe";
  EXPECT_EQ(health.failed(0, true, true, 2'000), BreakerChange::Opened);
  EXPECT_EQ(health.openUntil(0), 4'000) << "twice as long";
  EXPECT_TRUE(health.dispatched(0, 4'000));
  EXPECT_EQ(health.failed(0, true, true, 4'100), BreakerChange::Opened);
  EXPECT_EQ(health.openUntil(0), 7'100) << "but never longer than stated";
  EXPECT_TRUE(health.dispatched(0, 7'100));
  EXPECT_EQ(health.succeeded(0), BreakerChange::Closed);
  EXPECT_EQ(health.blockedUntil(0, 7'200), 0);
  health.failed(0, true, false, 8'000);
  EXPECT_EQ(health.openUntil(0), 9'000) << "and it begins anew";
}

TEST(Health, AProbeThatTellsNothingLeavesTheNextOneToTry) {
  Health health = opened(1, 1'000, 1'000);
  health.failed(0, true, false, 0);
  ASSERT_TRUE(health.dispatched(0, 1'000));
  health.withdrawn(0, true);
  EXPECT_EQ(health.blockedUntil(0, 1'001), 0);
  EXPECT_TRUE(health.dispatched(0, 1'001));
}

TEST(Health, AProbeThatIsOnlyRefusedForALimitFindsTheProviderWell) {
  Health health = opened(1, 1'000, 1'000);
  health.failed(0, true, false, 0);
  ASSERT_TRUE(health.dispatched(0, 1'000));
  EXPECT_EQ(health.failed(0, false, true, 1'100), BreakerChange::Closed);
}

TEST(Health, NeverOpenForLongerThanStatedAndOneProbeAtATime) {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Rng rng(seed);
    const std::int64_t most = 1 + rng.below(5'000);
    Health health = opened(1 + rng.below(3), 1 + rng.below(5'000), most);
    std::vector<bool> live;  // calls in flight: whether they are probes
    TimeMs now = 0;
    for (int turn = 0; turn < 60; ++turn) {
      now += rng.below(2'000);
      const TimeMs blocked = health.blockedUntil(0, now);
      if (rng.below(2) == 0) {
        if (blocked == 0) live.push_back(health.dispatched(0, now));
        ASSERT_LE(std::count(live.begin(), live.end(), true), 1) << "seed " << seed;
      } else if (!live.empty()) {
        const std::size_t at = rng.below(static_cast<std::uint32_t>(live.size()));
        const bool probe = live[at];
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
        BreakerChange change = BreakerChange::None;
        const std::uint32_t end = rng.below(4);
        if (end == 0)
          change = health.succeeded(0);
        else if (end == 1)
          health.withdrawn(0, probe);
        else
          change = health.failed(0, end == 2, probe, now);
        // A closed breaker has no probe; what is in flight from before are calls like any other.
        if (change == BreakerChange::Closed) std::fill(live.begin(), live.end(), false);
        if (change == BreakerChange::Opened) {
          ASSERT_GT(health.openUntil(0), now);
          ASSERT_LE(health.openUntil(0) - now, most) << "seed " << seed;
        }
      }
      // Blocked without an end is only what a probe in flight will end.
      if (health.blockedUntil(0, now) == kNever) {
        ASSERT_EQ(std::count(live.begin(), live.end(), true), 1) << "seed " << seed;
      }
    }
  }
}

TEST(Health, RetriesArePausedUnderAStormAndEarnedBack) {
  Health health = opened(1'000, 1'000, 1'000);
  for (int i = 0; i < 4; ++i) health.failed(0, true, false, i);
  EXPECT_TRUE(health.retriesAllowed(0));
  health.failed(0, true, false, 5);
  EXPECT_FALSE(health.retriesAllowed(0));
  health.succeeded(0);
  EXPECT_TRUE(health.retriesAllowed(0)) << "a success gives back a tenth";
  for (int i = 0; i < 100; ++i) health.failed(0, false, false, 10 + i);
  for (int i = 0; i < 50; ++i) health.succeeded(0);
  EXPECT_FALSE(health.retriesAllowed(0));
  health.succeeded(0);
  EXPECT_TRUE(health.retriesAllowed(0)) << "the debt has a floor";
}

TEST(Health, FirstTokensAreGuessedUntilEightAreKnown) {
  Health health = opened(1, 1, 1);
  for (int i = 0; i < 7; ++i) health.firstToken(1, 100);
  EXPECT_EQ(health.firstTokenP95(1, 300), 1'200);
  health.firstToken(1, 900);
  EXPECT_EQ(health.firstTokenP95(1, 300), 900) << "of eight the greatest";
  for (int i = 0; i < 32; ++i) health.firstToken(1, i);
  EXPECT_EQ(health.firstTokenP95(1, 300), 30) << "the last 32 count, and one of them may be slower";
  EXPECT_EQ(health.firstTokenP95(0, 300), 1'200) << "each model has its own";
}

}  // namespace
}  // namespace aetherflow::testing
