// Limits against an oracle that keeps every request and every token, and tries every placement of the window.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/rng.hpp"
#include "core/limit/quotas.hpp"

namespace aetherflow::testing {
namespace {

struct Use {
  TimeMs from = 0;
  TimeMs to = kNever;  ///< the latest moment at which it can have been counted
  std::int64_t amount = 0;
};

/// The most that a window of that length can hold, over all placements and all moments at which uses may have counted.
std::int64_t fullest(const std::vector<Use>& uses, std::int64_t length) {
  std::int64_t most = 0;
  for (const Use& last : uses) {
    // A window that reaches its greatest sum can be moved until it ends with the beginning of some use.
    std::int64_t sum = 0;
    for (const Use& use : uses)
      if (use.from <= last.from && (use.to == kNever || use.to > last.from - length)) sum += use.amount;
    most = std::max(most, sum);
  }
  return most;
}

TEST(SlidingWindow, NoPlacementHoldsMoreThanTheLimit) {
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Rng rng(seed);
    const std::int64_t length = 1 + rng.below(2000), limit = 1 + rng.below(30);
    SlidingWindow window;
    window.open(length, limit);
    std::vector<Use> uses;
    std::vector<std::size_t> live;
    TimeMs now = 0;
    for (int turn = 0; turn < 40; ++turn) {
      now += rng.below(static_cast<std::uint32_t>(length / 4 + 2));
      const std::int64_t amount = 1 + rng.below(10);
      if (rng.below(2) == 0 && window.fits(amount, now)) {
        window.reserve(amount);
        live.push_back(uses.size());
        uses.push_back({now, kNever, amount});
      } else if (!live.empty()) {
        const std::size_t at = rng.below(static_cast<std::uint32_t>(live.size()));
        Use& use = uses[live[at]];
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(at));
        const std::int64_t reserved = use.amount;
        use.amount = rng.below(static_cast<std::uint32_t>(reserved + 1));
        use.to = now;
        window.settle(reserved, use.amount, now);
      }
      ASSERT_LE(fullest(uses, length), limit) << "seed " << seed;
      ASSERT_LE(window.taken(now), limit) << "seed " << seed;
    }
  }
}

TEST(SlidingWindow, FitsAtIsTheFirstMomentAtWhichItFits) {
  for (std::uint64_t seed = 1; seed <= 3'000; ++seed) {
    Rng rng(seed);
    const std::int64_t limit = 1 + rng.below(20);
    SlidingWindow window;
    window.open(300, limit);
    TimeMs now = 0;
    for (int i = static_cast<int>(rng.below(6)); i > 0; --i) {
      now += rng.below(100);
      const std::int64_t used = 1 + rng.below(8);
      window.reserve(used);
      if (rng.below(4) > 0) window.settle(used, used, now);
    }
    if (rng.below(2) == 0)
      window.seen(-1, rng.below(static_cast<std::uint32_t>(limit + 1)), rng.below(2) == 0 ? -1 : rng.below(300), now);
    const std::int64_t amount = 1 + rng.below(20);
    const TimeMs told = window.fitsAt(amount, now);
    TimeMs found = kNever;
    for (TimeMs at = now; at <= now + 1000 && found == kNever; ++at) {
      SlidingWindow later = window;
      if (later.fits(amount, at)) found = at;
    }
    ASSERT_EQ(told, found) << "seed " << seed;
  }
}

TEST(SlidingWindow, UsesExpireAfterOneWindowAndReservationsNever) {
  SlidingWindow window;
  window.open(60'000, 10);
  window.reserve(4);
  window.reserve(6);
  window.settle(6, 5, 1'000);
  EXPECT_EQ(window.taken(1'000), 9);
  EXPECT_EQ(window.taken(60'999), 9);
  EXPECT_EQ(window.taken(1'000 + 60'000 + 60'000 / 256), 4);
  EXPECT_EQ(window.taken(1'000'000'000), 4);
}

TEST(SlidingWindow, ALooserLimitThanTheConfiguredTeachesNothing) {
  SlidingWindow window;
  window.open(60'000, 10);
  EXPECT_FALSE(window.seen(100, -1, -1, 0));
  EXPECT_EQ(window.limit(), 10);
  EXPECT_TRUE(window.seen(5, -1, -1, 0));
  EXPECT_FALSE(window.seen(5, -1, -1, 1));
  EXPECT_EQ(window.limit(), 5);
}

TEST(SlidingWindow, WhatOthersUsedCountsUntilTheReset) {
  SlidingWindow window;
  window.open(60'000, 10);
  window.seen(10, 3, 5'000, 100);
  EXPECT_TRUE(window.fits(3, 100));
  EXPECT_FALSE(window.fits(4, 100));
  EXPECT_EQ(window.fitsAt(4, 100), 5'100);
  // Our own use is no one else's: of seven that are gone, two are ours.
  window.reserve(2);
  window.settle(2, 2, 200);
  window.seen(10, 1, 5'000, 200);
  EXPECT_EQ(window.taken(200), 9);
  EXPECT_EQ(window.taken(5'200), 2);
}

TEST(SlidingWindow, WithoutALimitEverythingFits) {
  SlidingWindow window;
  window.open(60'000, -1);
  window.reserve(1'000'000'000);
  EXPECT_FALSE(window.limited());
  EXPECT_TRUE(window.fits(1'000'000'000, 0));
  EXPECT_EQ(window.fitsAt(1'000'000'000, 7), 7);
}

QuotaLimits limits(std::int64_t requests, std::int64_t tokens, std::uint32_t concurrency) {
  QuotaLimits one;
  one.most = {requests, tokens, -1, -1};
  one.concurrency = concurrency;
  return one;
}

TEST(Quotas, NoPlacementOfTheMinuteHoldsMoreRequestsOrTokensThanAllowed) {
  struct Call {
    QuotaIndex group;
    std::int64_t reserved;
    bool counted = false, live = true;
    std::size_t request;
    std::vector<std::size_t> tokens;  ///< what it reserved at first, and what it took later
  };
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    Rng rng(seed);
    Quotas quotas;
    const std::int64_t requests = 1 + rng.below(5), tokens = 10 + rng.below(50);
    quotas.open({limits(requests, tokens, 3), limits(-1, -1, 0)});
    std::vector<Use> asked, used;
    std::vector<Call> calls;
    TimeMs now = 0;
    int inFlight = 0;
    for (int turn = 0; turn < 40; ++turn) {
      now += rng.below(20'000);
      const std::int64_t amount = 1 + rng.below(40);
      if (rng.below(2) == 0 && quotas.check(0, amount, now).fits) {
        quotas.take(0, amount);
        calls.push_back({0, amount, false, true, asked.size(), {used.size()}});
        asked.push_back({now, kNever, 1});
        used.push_back({now, kNever, amount});
        ASSERT_LE(++inFlight, 3);
      } else if (!calls.empty()) {
        Call& call = calls[rng.below(static_cast<std::uint32_t>(calls.size()))];
        if (!call.live) continue;
        const std::uint32_t what = rng.below(3);
        if (what == 0 && !call.counted) {
          quotas.arrived(0, now);
          call.counted = true;
          asked[call.request].to = now;
        } else if (what == 1 && quotas.check(0, 5, now, false).fits) {
          quotas.grow(0, 5);
          call.reserved += 5;
          call.tokens.push_back(used.size());
          used.push_back({now, kNever, 5});
        } else {
          const bool sent = call.counted || rng.below(4) > 0;
          const std::int64_t real = sent ? rng.below(static_cast<std::uint32_t>(call.reserved + 1)) : 0;
          quotas.settle(0, call.reserved, real, call.counted, sent, now);
          std::int64_t rest = real;
          for (const std::size_t token : call.tokens) {
            used[token].amount = std::min(used[token].amount, rest);
            used[token].to = now;
            rest -= used[token].amount;
          }
          if (!sent) asked[call.request].amount = 0;
          if (!call.counted) asked[call.request].to = now;
          call.live = false;
          --inFlight;
        }
      }
      ASSERT_LE(fullest(asked, 60'000), requests) << "seed " << seed;
      ASSERT_LE(fullest(used, 60'000), tokens) << "seed " << seed;
    }
  }
}

TEST(Quotas, TellsWhichWindowAndUntilWhen) {
  Quotas quotas;
  quotas.open({limits(2, 100, 2)});
  quotas.take(0, 60);
  const QuotaFit tokens = quotas.check(0, 50, 0);
  EXPECT_FALSE(tokens.fits);
  EXPECT_TRUE(tokens.ever);
  EXPECT_EQ(tokens.window, Window::TokensMinute);
  EXPECT_EQ(tokens.until, kNever) << "only the end of the call can help";
  EXPECT_FALSE(quotas.check(0, 101, 0).ever);
  quotas.take(0, 40);
  EXPECT_EQ(quotas.check(0, 0, 0).window, Window::RequestsMinute);
  quotas.settle(0, 60, 60, false, true, 1'000);
  quotas.settle(0, 40, 0, false, false, 2'000);
  EXPECT_TRUE(quotas.check(0, 40, 2'000).fits) << "what never left counts for nothing";
  const QuotaFit later = quotas.check(0, 41, 2'000);
  EXPECT_GE(later.until, 61'000);
  EXPECT_LE(later.until, 61'000 + 60'000 / 256);
}

TEST(Quotas, CoolsAGroupUntilTheLatestWord) {
  Quotas quotas;
  quotas.open({limits(-1, -1, 0), limits(-1, -1, 0)});
  quotas.cool(0, 5'000);
  quotas.cool(0, 3'000);
  EXPECT_EQ(quotas.coolUntil(0), 5'000);
  EXPECT_EQ(quotas.coolUntil(1), 0);
}

TEST(Quotas, CountsTokensOnceALimitOfThemIsKnown) {
  Quotas quotas;
  quotas.open({limits(5, -1, 0)});
  EXPECT_FALSE(quotas.countsTokens());
  quotas.seen(0, Window::RequestsMinute, 3, -1, -1, 0);
  EXPECT_FALSE(quotas.countsTokens());
  quotas.seen(0, Window::TokensDay, 1'000, -1, -1, 0);
  EXPECT_TRUE(quotas.countsTokens());
}

TEST(Quotas, OnlyAStatedLimitIsTooSmallForEver) {
  Quotas quotas;
  quotas.open({limits(-1, 1'000, 0), limits(-1, -1, 0)});
  for (const QuotaIndex group : {0, 1}) quotas.seen(group, Window::TokensMinute, 100, -1, -1, 0);
  EXPECT_FALSE(quotas.check(0, 1'001, 0).ever);
  for (const QuotaIndex group : {0, 1}) {
    EXPECT_TRUE(quotas.check(group, 900, 0).fits) << "nothing else is in the window";
    quotas.take(group, 900);
    quotas.settle(group, 900, 60, false, true, 10);
    const QuotaFit fit = quotas.check(group, 900, 20);
    EXPECT_TRUE(fit.ever);
    EXPECT_FALSE(fit.fits);
    EXPECT_TRUE(quotas.check(group, 900, fit.until).fits);
    EXPECT_TRUE(quotas.check(group, 40, 20).fits);
  }
}

}  // namespace
}  // namespace aetherflow::testing
