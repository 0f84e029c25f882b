#include <gtest/gtest.h>

#include <list>
#include <map>

#include "core/base/rng.hpp"
#include "core/cache/lru.hpp"

namespace aetherflow {
namespace {

CacheKey keyOf(std::uint64_t n) {
  return {n * 0x9e3779b97f4a7c15ull, n};
}

struct Book {
  CacheBook book;
  std::vector<std::uint32_t> gone;
  std::uint32_t id = kNone;

  explicit Book(CacheLimits limits = {}) : book(limits) {}
  Admission put(std::uint64_t n, std::uint64_t bytes, TimeMs now, std::int64_t ttlMs = 0, std::uint64_t space = 0) {
    Answer answer;
    answer.bytes = bytes;
    answer.ttlMs = ttlMs;
    return book.put(keyOf(n), {0, space}, answer, now, id, gone);
  }
};

TEST(CacheBook, OnlyWholeSuccessfulAnswersThatHoldTheirConstraintAreStored) {
  Book b({1000, 10, 100, 1000});
  const auto refused = [&](auto change) {
    Answer answer;
    answer.bytes = 10;
    change(answer);
    const Admission admission = b.book.put(keyOf(1), {}, answer, 0, b.id, b.gone);
    EXPECT_EQ(b.id, kNone);
    return name(admission);
  };
  EXPECT_EQ(refused([](Answer& a) { a.failed = true; }), "failed");
  EXPECT_EQ(refused([](Answer& a) { a.whole = false; }), "cut_off");
  EXPECT_EQ(refused([](Answer& a) { a.holdsConstraint = false; }), "constraint");
  EXPECT_EQ(refused([](Answer& a) { a.empty = true; }), "empty");
  EXPECT_EQ(refused([](Answer& a) { a.bytes = 101; }), "too_large");
  EXPECT_EQ(refused([](Answer& a) { a.ttlMs = -1; }), "refused");
  EXPECT_EQ(b.book.size(), 0u);
}

TEST(CacheBook, TheLeastRecentlyUsedGoesFirst) {
  Book b({1000, 3, 1000, 1000});
  for (const std::uint64_t n : {1, 2, 3}) EXPECT_EQ(b.put(n, 10, 0), Admission::Stored);
  b.book.touch(b.book.find(keyOf(1), 0, b.gone));
  b.put(4, 10, 0);
  EXPECT_EQ(b.gone, std::vector<std::uint32_t>{1});
  EXPECT_EQ(b.book.find(keyOf(2), 0, b.gone), kNone);
  EXPECT_NE(b.book.find(keyOf(1), 0, b.gone), kNone);
}

TEST(CacheBook, TimeToLiveEndsAtItsMillisecond) {
  Book b({1000, 10, 1000, 50});
  b.put(1, 10, 100);
  b.put(2, 10, 100, 5);
  EXPECT_NE(b.book.find(keyOf(1), 149, b.gone), kNone);
  EXPECT_EQ(b.book.find(keyOf(2), 105, b.gone), kNone);
  EXPECT_EQ(b.book.find(keyOf(1), 150, b.gone), kNone);
  EXPECT_EQ(b.gone.size(), 2u);
  b.put(3, 10, 100, INT64_MAX);
  EXPECT_TRUE(b.book.alive(b.id, INT64_MAX - 1));
}

TEST(CacheBook, ClearTakesOneSpaceOrAll) {
  Book b;
  for (std::uint64_t n = 0; n < 10; ++n) b.put(n, 10, 0, 0, n % 2);
  const CacheKey odd{0, 1};
  EXPECT_EQ(b.book.clear(&odd, b.gone), 5u);
  EXPECT_EQ(b.book.size(), 5u);
  EXPECT_EQ(b.book.find(keyOf(1), 0, b.gone), kNone);
  EXPECT_EQ(b.book.clear(nullptr, b.gone), 5u);
  EXPECT_EQ(b.book.bytes(), 0u);
  EXPECT_EQ(b.gone.size(), 10u);
}

/// Random traffic beside a list and a map.
TEST(CacheBook, FollowsAModel) {
  Rng rng(5);
  Book b({300, 12, 100, 40});
  struct Item {
    std::uint64_t n, bytes;
    TimeMs end;
  };
  std::list<Item> items;  // oldest first
  const auto locate = [&](std::uint64_t n) {
    return std::find_if(items.begin(), items.end(), [&](const Item& item) { return item.n == n; });
  };
  std::uint64_t bytes = 0;
  for (TimeMs now = 0; now < 20'000; ++now) {
    const std::uint64_t n = rng.below(30);
    const auto found = locate(n);
    if (rng.below(2) == 0) {
      const std::uint64_t size = 1 + rng.below(100);
      ASSERT_EQ(b.put(n, size, now), Admission::Stored);
      if (found != items.end()) {
        bytes -= found->bytes;
        items.erase(found);
      }
      items.push_back({n, size, now + 40});
      bytes += size;
      while (bytes > 300 || items.size() > 12) {
        bytes -= items.front().bytes;
        items.pop_front();
      }
    } else {
      const std::uint32_t id = b.book.find(keyOf(n), now, b.gone);
      const bool live = found != items.end() && now < found->end;
      ASSERT_EQ(id != kNone, live);
      if (live) {
        b.book.touch(id);
        items.splice(items.end(), items, found);
      } else if (found != items.end()) {
        bytes -= found->bytes;
        items.erase(found);
      }
    }
    ASSERT_EQ(b.book.size(), items.size());
    ASSERT_EQ(b.book.bytes(), bytes);
  }
  std::size_t at = 0;
  const std::vector<std::uint32_t> order = b.book.byUse();
  for (const Item& item : items) EXPECT_EQ(b.book.key(order[at++]), keyOf(item.n));
}

}  // namespace
}  // namespace aetherflow
