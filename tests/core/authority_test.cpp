// The limits that all runs share: fair, never exceeded, and given back by owners that are gone. See also shared_runs_test.cpp.

#include "core/limit/authority.hpp"

#include <gtest/gtest.h>

namespace aetherflow::testing {
namespace {

class AuthorityTest : public ::testing::Test {
 protected:
  SharedGroup places(std::uint32_t most) {
    SharedLimits limits;
    limits.places = most;
    bool narrowed = false;
    return authority_.group(0, "g", limits, narrowed);
  }
  SharedAnswer ask(MemberId member, CallId call, std::int32_t priority = 0, std::int64_t tokens = 100) {
    SharedAsk ask;
    ask.member = member;
    ask.call = call;
    ask.priority = priority;
    ask.tokens = tokens;
    return authority_.ask(ask, now_);
  }
  void end(MemberId member, CallId call, bool ok = true) {
    SharedEnd how;
    how.tokens = 10;
    how.ok = ok;
    how.unwell = !ok;
    authority_.settle(member, call, how, now_);
  }
  /// Who is told of room, in order.
  std::vector<MemberId> freed() {
    std::vector<MemberId> told;
    MemberId member = 0;
    SharedGroup group = 0;
    while (authority_.takeFreed(member, group)) told.push_back(member);
    return told;
  }

  Authority authority_;
  TimeMs now_ = 0;
};

TEST_F(AuthorityTest, OnePlaceForThreeRunsIsOneCallAtOnce) {
  places(1);
  const MemberId a = authority_.join(), b = authority_.join(), c = authority_.join();
  EXPECT_TRUE(ask(a, 0).granted);
  EXPECT_EQ(ask(b, 0).why, Refusal::Places);
  EXPECT_FALSE(ask(c, 0).granted);
  end(a, 0);
  EXPECT_EQ(freed(), std::vector<MemberId>{b});
  // What was offered to b is not taken by others.
  EXPECT_EQ(ask(a, 1).why, Refusal::Turn);
  EXPECT_TRUE(ask(b, 1).granted);
  EXPECT_EQ(authority_.inFlight(0), 1u);
}

TEST_F(AuthorityTest, PriorityIsServedFirstThenWhoHadLeast) {
  places(1);
  const MemberId a = authority_.join(), b = authority_.join(), c = authority_.join();
  for (CallId call = 0; call < 3; ++call) {
    ASSERT_TRUE(ask(a, call).granted);
    end(a, call);
  }
  ASSERT_TRUE(ask(a, 9).granted);
  ask(b, 0);
  ask(c, 0, 5);
  ask(a, 10);
  end(a, 9);
  EXPECT_EQ(freed(), std::vector<MemberId>{c});
  ASSERT_TRUE(ask(c, 1, 5).granted);
  end(c, 1);
  EXPECT_EQ(freed(), std::vector<MemberId>{b});
}

TEST_F(AuthorityTest, NobodyStarvesBehindUrgentCalls) {
  places(1);
  const MemberId urgent = authority_.join(), calm = authority_.join();
  ASSERT_TRUE(ask(urgent, 0, 9).granted);
  EXPECT_FALSE(ask(calm, 0).granted);
  std::uint32_t before = 0;
  for (CallId call = 1; call < 100; ++call) {
    ask(urgent, call, 9);
    end(urgent, call - 1);
    freed();
    if (!ask(urgent, call, 9).granted) break;
    ++before;
  }
  EXPECT_LE(before, Authority::kMostPassed + 1);
  EXPECT_TRUE(ask(calm, 1).granted);
}

TEST_F(AuthorityTest, WhoDoesNotAskLosesTheTurn) {
  places(1);
  const MemberId a = authority_.join(), b = authority_.join();
  ASSERT_TRUE(ask(a, 0).granted);
  EXPECT_FALSE(ask(b, 0).granted);
  end(a, 0);
  EXPECT_FALSE(ask(a, 1).granted);
  EXPECT_EQ(authority_.nextWake(now_), Authority::kOfferMs);
  now_ = Authority::kOfferMs;
  authority_.tick(now_);
  freed();
  EXPECT_TRUE(ask(a, 2).granted);
}

TEST_F(AuthorityTest, ARunThatIsGoneGivesBackItsPlacesAndItsTurn) {
  places(1);
  const MemberId a = authority_.join(), b = authority_.join(), c = authority_.join();
  ASSERT_TRUE(ask(a, 0).granted);
  ask(b, 0);
  ask(c, 0);
  authority_.leave(b, now_);
  authority_.leave(a, now_);
  EXPECT_EQ(freed(), std::vector<MemberId>{c});
  EXPECT_TRUE(ask(c, 1).granted);
  EXPECT_FALSE(ask(a, 1).granted) << "it has left";
}

TEST_F(AuthorityTest, TheSmallerLimitHolds) {
  SharedLimits wide, tight;
  wide.places = 8;
  wide.most[0] = 100;
  tight.places = 2;
  bool narrowed = false;
  const MemberId first = authority_.join(), second = authority_.join();
  EXPECT_EQ(authority_.group(first, "g", wide, narrowed), 0u);
  EXPECT_FALSE(narrowed);
  EXPECT_EQ(authority_.group(second, "g", tight, narrowed), 0u);
  EXPECT_TRUE(narrowed) << "8 and 2 differ";
  EXPECT_EQ(authority_.limits(0).places, 2u);
  EXPECT_EQ(authority_.limits(0).most[0], 100);
  authority_.group(authority_.join(), "g", tight, narrowed);
  EXPECT_FALSE(narrowed) << "places agree, and it states no window";
  authority_.leave(second, 0);
  EXPECT_EQ(authority_.limits(0).places, 2u) << "the third states it too";
  authority_.leave(2, 0);
  EXPECT_EQ(authority_.limits(0).places, 8u) << "what a member stated binds nobody once it has left";
  authority_.leave(first, 0);
  authority_.group(authority_.join(), "g", tight, narrowed);
  EXPECT_FALSE(narrowed) << "nobody is there whose limits differ";
  EXPECT_EQ(authority_.limits(0).places, 2u);
}

TEST_F(AuthorityTest, ACallLargerThanAWindowIsToldSoAndHoldsNobodyUp) {
  SharedLimits limits;
  limits.most[1] = 1'000;
  bool narrowed = false;
  authority_.group(0, "g", limits, narrowed);
  const MemberId a = authority_.join(), b = authority_.join();
  EXPECT_EQ(ask(a, 0, 0, 1'001).why, Refusal::TooLarge);
  EXPECT_TRUE(ask(b, 0, 0, 900).granted);
  const SharedAnswer full = ask(a, 1, 0, 900);
  EXPECT_EQ(full.why, Refusal::Window);
  EXPECT_EQ(full.window, Window::TokensMinute);
  // A limit stated meanwhile makes what waits too large: it is told, and others go on.
  SharedLimits tighter;
  tighter.most[1] = 500;
  authority_.group(b, "g", tighter, narrowed);
  end(b, 0);
  EXPECT_EQ(freed(), std::vector<MemberId>{a});
  EXPECT_TRUE(ask(b, 1, 0, 300).granted);
  EXPECT_EQ(ask(a, 1, 0, 900).why, Refusal::TooLarge);
}

TEST_F(AuthorityTest, ACallLargerThanALimitThatAProviderTellsOfHasAWindowToItself) {
  bool narrowed = false;
  authority_.group(0, "g", {}, narrowed);
  const MemberId a = authority_.join(), b = authority_.join();
  authority_.seen(0, Window::TokensMinute, 500, -1, -1, now_);
  ASSERT_TRUE(ask(b, 0, 0, 300).granted);
  EXPECT_EQ(ask(a, 0, 0, 900).why, Refusal::Window);
  EXPECT_EQ(ask(b, 1, 0, 100).why, Refusal::Turn) << "what is large is not overtaken for ever";
  end(b, 0);
  EXPECT_EQ(freed(), std::vector<MemberId>{}) << "what it used counts for a whole window";
  now_ = authority_.nextWake(now_);
  authority_.tick(now_);
  EXPECT_EQ(freed(), std::vector<MemberId>{a});
  EXPECT_TRUE(ask(a, 0, 0, 900).granted);
  EXPECT_FALSE(ask(b, 2, 0, 1).granted);
}

TEST_F(AuthorityTest, OneProbeOfAnOpenBreakerForAll) {
  SharedLimits limits;
  limits.breakerFailures = 2;
  bool narrowed = false;
  authority_.group(0, "g", limits, narrowed);
  const MemberId a = authority_.join(), b = authority_.join();
  ASSERT_TRUE(ask(a, 0).granted);
  ASSERT_TRUE(ask(b, 0).granted);
  end(a, 0, false);
  end(b, 0, false);
  EXPECT_EQ(authority_.breaker(0), BreakerState::Open);
  const SharedAnswer open = ask(a, 1);
  EXPECT_EQ(open.why, Refusal::Breaker);
  EXPECT_EQ(open.until, limits.openMs);
  EXPECT_EQ(authority_.nextWake(now_), limits.openMs);
  now_ = limits.openMs;
  ASSERT_TRUE(ask(a, 2).granted);
  EXPECT_EQ(ask(b, 1).why, Refusal::Breaker);
  end(a, 2);
  EXPECT_EQ(freed(), std::vector<MemberId>{b});
  EXPECT_TRUE(ask(b, 2).granted);
}

TEST_F(AuthorityTest, ACoolDownIsKeptForAll) {
  places(4);
  const MemberId a = authority_.join(), b = authority_.join();
  ASSERT_TRUE(ask(a, 0).granted);
  SharedEnd limited;
  limited.ok = false;
  limited.retryAfterMs = 700;
  authority_.settle(a, 0, limited, now_);
  EXPECT_EQ(ask(b, 0).why, Refusal::Cooldown);
  EXPECT_EQ(ask(b, 0).until, 700);
}

TEST_F(AuthorityTest, WhatAnEarlierProcessHadSentIsCountedAndNeverRefused) {
  places(1);
  const MemberId a = authority_.join();
  ASSERT_TRUE(ask(a, 0).granted);
  SharedAsk again;
  again.member = a;
  again.call = 1;
  again.again = true;
  EXPECT_TRUE(authority_.ask(again, now_).granted);
  EXPECT_EQ(authority_.inFlight(0), 2u);
  authority_.leave(a, now_);
  EXPECT_EQ(authority_.inFlight(0), 0u);
}

}  // namespace
}  // namespace aetherflow::testing
