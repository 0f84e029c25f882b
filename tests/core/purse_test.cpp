// The purse against a second book, and the parts of a run that are types of their own: leaders, pricing, the answer to a failure.

#include "core/run/purse.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "core/base/rng.hpp"
#include "core/run/attempts.hpp"
#include "core/run/leaders.hpp"
#include "core/run/pricing.hpp"

namespace aetherflow::testing {
namespace {

TEST(Purse, GivesBackWhatWasNotUsed) {
  Purse purse;
  purse.open({1'000, -1}, {}, {});
  CallMoney call;
  StepMoney step;
  purse.reserve(call, step, {600, 60});
  EXPECT_FALSE(purse.fitsRun({401, 1}, false));
  EXPECT_TRUE(purse.fitsRun({400, 1}, false));
  EXPECT_EQ(purse.settle(call, step, {100, 10}, false).usd, 600);
  EXPECT_TRUE(purse.nothingReserved());
  EXPECT_EQ(purse.spent().usd, 100);
  EXPECT_EQ(call.cost(), 100);
  EXPECT_TRUE(purse.fitsRun({900, 1}, false));
}

TEST(Purse, HoldsWhatAFailedCallMayHaveCost) {
  Purse purse;
  purse.open({1'000, -1}, {700, -1}, {});
  CallMoney call;
  StepMoney step;
  purse.reserve(call, step, {600, 60});
  purse.settle(call, step, {100, 10}, true);
  EXPECT_EQ(purse.held().usd, 500);
  EXPECT_EQ(purse.held().tokens, 50);
  EXPECT_FALSE(purse.fitsRun({401, 0}, false));
  EXPECT_FALSE(purse.fitsStep(step, {101, 0}));
  EXPECT_TRUE(purse.fitsStep(step, {100, 0}));
}

TEST(Purse, KeepsTheExpectedCostOfStepsBackFromOptionalOnes) {
  Purse purse;
  purse.open({1'000, -1}, {}, {});
  StepMoney needed;
  CallMoney call;
  purse.plan(needed, 800);
  EXPECT_FALSE(purse.fitsRun({201, 0}, true));
  EXPECT_TRUE(purse.fitsRun({1'000, 0}, false));
  purse.reserve(call, needed, {300, 0});  // it has started: its reservation stands for it now
  EXPECT_TRUE(purse.fitsRun({700, 0}, true));
  purse.unplan(needed);
  EXPECT_EQ(purse.release(call, needed).usd, 300);
  EXPECT_TRUE(purse.fitsRun({1'000, 0}, true));
}

TEST(Purse, AgreesWithASecondBook) {
  struct Line {
    std::size_t step = 0;
    CallMoney money;
    Spend reserved;
    bool live = true;
  };
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    Rng rng(seed);
    const Ceiling run{static_cast<MicroUsd>(rng.below(5'000)), static_cast<std::int64_t>(rng.below(5'000))};
    Purse purse;
    purse.open(run, {}, {});
    std::vector<StepMoney> steps(4);
    std::vector<Line> lines;
    Spend spent, held;
    for (int turn = 0; turn < 80; ++turn) {
      const Spend more{static_cast<MicroUsd>(rng.below(900)), static_cast<std::int64_t>(rng.below(900))};
      if (rng.below(2) == 0) {
        if (!purse.fitsRun(more, false)) continue;
        Line line;
        line.step = rng.below(4);
        line.reserved = more;
        purse.reserve(line.money, steps[line.step], more);
        lines.push_back(line);
      } else if (!lines.empty()) {
        Line& line = lines[rng.below(static_cast<std::uint32_t>(lines.size()))];
        if (!line.live) continue;
        line.live = false;
        const bool uncertain = rng.below(3) == 0;
        const Spend used{static_cast<MicroUsd>(rng.below(static_cast<std::uint32_t>(line.reserved.usd) + 1)),
                         static_cast<std::int64_t>(rng.below(static_cast<std::uint32_t>(line.reserved.tokens) + 1))};
        if (rng.below(4) == 0) {
          purse.release(line.money, steps[line.step]);
          continue;
        }
        purse.settle(line.money, steps[line.step], used, uncertain);
        spent += used;
        if (uncertain) held += {line.reserved.usd - used.usd, line.reserved.tokens - used.tokens};
      }
      Spend reserved;
      for (const Line& line : lines)
        if (line.live) reserved += line.reserved;
      ASSERT_EQ(purse.spent().usd, spent.usd) << seed;
      ASSERT_EQ(purse.held().tokens, held.tokens) << seed;
      ASSERT_EQ(purse.reserved().usd, reserved.usd) << seed;
      ASSERT_LE(spent.usd + held.usd + reserved.usd, run.usd) << seed;
      ASSERT_LE(spent.tokens + held.tokens + reserved.tokens, run.tokens) << seed;
    }
  }
}

TEST(Leaders, FollowersStandInTheOrderInWhichTheyCame) {
  Leaders leaders;
  EXPECT_EQ(leaders.leader(3), kNone);
  EXPECT_FALSE(leaders.leads(7));
  leaders.lead(3, 7);
  leaders.follow(3, 2);
  leaders.follow(3, 9);
  EXPECT_TRUE(leaders.leads(7));
  EXPECT_FALSE(leaders.leads(2));
  EXPECT_EQ(leaders.behind(7), 2u);
  EXPECT_EQ(leaders.behind(2), 9u);
  EXPECT_EQ(leaders.behind(9), kNone);
  leaders.handOver(7, 2);
  EXPECT_TRUE(leaders.leads(2));
  EXPECT_FALSE(leaders.leads(7));
  leaders.follow(3, 4);
  EXPECT_EQ(leaders.behind(9), 4u);
}

TEST(Leaders, WhoJoinsNeitherLeadsNorWaits) {
  Leaders leaders;
  leaders.lead(0, 1);
  leaders.join(0, 5);
  EXPECT_FALSE(leaders.leads(5));
  EXPECT_EQ(leaders.behind(1), kNone);
  // Another request leads on its own.
  leaders.lead(8, 5);
  EXPECT_TRUE(leaders.leads(5));
  EXPECT_TRUE(leaders.leads(1));
}

class Deciding : public ::testing::Test {
 protected:
  Again after(FailureKind kind, bool cut = false) {
    Failing failing{step_, call_, policy_};
    failing.now = now_;
    failing.others = others_;
    failing.canWiden = canWiden_;
    failing.closed = closed_;
    Failed event;
    event.kind = kind;
    return decide(failing, event, cut);
  }
  Deciding() { step_.state = StepState::Calling; }

  StepRecord step_;
  CallRecord call_;
  Policy policy_;
  TimeMs now_ = 0;
  bool others_ = true, canWiden_ = true, closed_ = false;
};

TEST_F(Deciding, ARefusedKeyNeverFallsThrough) {
  EXPECT_FALSE(after(FailureKind::Auth).again);
}
TEST_F(Deciding, TheSameModelIsAskedPerModelTimesBeforeTheNext) {
  EXPECT_TRUE(after(FailureKind::ServerError).again);
  EXPECT_FALSE(after(FailureKind::ServerError).elsewhere);
  step_.triesHere = static_cast<std::uint8_t>(policy_.perModel);
  EXPECT_TRUE(after(FailureKind::ServerError).elsewhere);
  others_ = false;
  EXPECT_TRUE(after(FailureKind::ServerError).again);
  EXPECT_FALSE(after(FailureKind::ServerError).elsewhere);
}
TEST_F(Deciding, NothingIsStartedAfterTheEnd) {
  closed_ = true;
  EXPECT_FALSE(after(FailureKind::ServerError).again);
  closed_ = false;
  step_.deadlineAt = 10;
  EXPECT_TRUE(after(FailureKind::ServerError).again);
  now_ = 10;
  EXPECT_FALSE(after(FailureKind::ServerError).again);
}
TEST_F(Deciding, ACutAnswerIsWidenedOrAskedForElsewhere) {
  EXPECT_TRUE(after(FailureKind::Truncated, true).widen);
  canWiden_ = false;
  EXPECT_TRUE(after(FailureKind::Truncated, true).elsewhere);
  others_ = false;
  EXPECT_FALSE(after(FailureKind::Truncated, true).again);
}

TEST(Pricing, PeakHoldsAtItsHoursAlone) {
  Provider provider;
  provider.peakPercent = 200;
  provider.peakDays = 1u << 2;                  // Tuesday
  provider.peakHours = 1u << 14;                // from 14:00 to 15:00
  const std::int64_t tuesday = 5 * 86'400'000;  // 6 January 1970
  EXPECT_TRUE(atPeak(provider, tuesday + 14 * 3'600'000));
  EXPECT_FALSE(atPeak(provider, tuesday + 15 * 3'600'000));
  EXPECT_FALSE(atPeak(provider, tuesday + 86'400'000 + 14 * 3'600'000));
  EXPECT_FALSE(atPeak(provider, -1));
  provider.peakPercent = 100;
  EXPECT_FALSE(atPeak(provider, tuesday + 14 * 3'600'000));
}

}  // namespace
}  // namespace aetherflow::testing
