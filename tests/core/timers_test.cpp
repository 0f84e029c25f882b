// Timers and the narrowing of routes: small parts that retries, deadlines and fall-backs stand on.

#include "core/schedule/timers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/base/rng.hpp"
#include "core/route/router.hpp"

namespace aetherflow::testing {
namespace {

TEST(Timers, GiveWhatIsDueInOrderOfTimeThenId) {
  Timers timers;
  Timers::Due due;
  EXPECT_EQ(timers.next(), kNever);
  EXPECT_FALSE(timers.take(1'000, due));
  timers.add(30, 2, 7);
  timers.add(10, 5, 8);
  timers.add(30, 1, 9);
  EXPECT_EQ(timers.next(), 10);
  EXPECT_FALSE(timers.take(9, due));
  ASSERT_TRUE(timers.take(30, due));
  EXPECT_EQ(due.id, 5u);
  EXPECT_EQ(due.tag, 8u);
  ASSERT_TRUE(timers.take(30, due));
  EXPECT_EQ(due.id, 1u);
  ASSERT_TRUE(timers.take(30, due));
  EXPECT_EQ(due.id, 2u);
  EXPECT_EQ(due.at, 30);
  EXPECT_FALSE(timers.take(kNever - 1, due));
}

TEST(Timers, AgreeWithASortedList) {
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    Rng rng(seed);
    Timers timers;
    std::vector<std::pair<TimeMs, std::uint32_t>> list;
    TimeMs now = 0;
    for (std::uint32_t id = 0; id < 60; ++id) {
      const TimeMs at = now + rng.below(50);
      timers.add(at, id);
      list.emplace_back(at, id);
      now += rng.below(4);
      std::sort(list.begin(), list.end());
      Timers::Due due;
      while (timers.take(now, due)) {
        ASSERT_EQ(list.front(), std::make_pair(due.at, due.id)) << "seed " << seed;
        list.erase(list.begin());
      }
      ASSERT_EQ(timers.next(), list.empty() ? kNever : list.front().first);
    }
  }
}

class Narrowing : public ::testing::Test {
 protected:
  Narrowing() : table_(*loadTable(nullptr)) {
    for (Provider& provider : table_.providers) provider.available = true;
    router_ = Router(&table_, table_.findMode("build"));
    group_ = *router_.route({});
  }
  Target at(const char* text) const { return table_.findTarget(text); }
  const std::vector<Target>& admissible(GroupIndex group) const { return router_.group(group).admissible; }

  Table table_;
  Router router_;
  GroupIndex group_ = kNone;
};

TEST_F(Narrowing, TakesOneTargetAwayAndKeepsTheOrder) {
  const std::vector<Target> before = admissible(group_);
  ASSERT_GE(before.size(), 3u);
  const GroupIndex rest = router_.without(group_, before[1]);
  ASSERT_NE(rest, kNone);
  std::vector<Target> expected = before;
  expected.erase(expected.begin() + 1);
  EXPECT_EQ(admissible(rest), expected);
  EXPECT_EQ(admissible(group_), before) << "the group itself stays";
  EXPECT_EQ(router_.group(rest).rule, router_.group(group_).rule);
}

TEST_F(Narrowing, MakesEachNarrowingOnce) {
  const std::vector<Target> all = admissible(group_);
  const GroupIndex one = router_.without(router_.without(group_, all[0]), all[1]);
  const std::size_t groups = router_.groups().size();
  EXPECT_EQ(router_.without(router_.without(group_, all[0]), all[1]), one);
  EXPECT_EQ(router_.groups().size(), groups);
  EXPECT_EQ(admissible(router_.without(router_.without(group_, all[1]), all[0])), admissible(one));
}

TEST_F(Narrowing, LeavesNoGroupWithoutATarget) {
  GroupIndex group = group_;
  const std::vector<Target> all = admissible(group_);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) group = router_.without(group, all[i]);
  EXPECT_EQ(admissible(group).size(), 1u);
  EXPECT_EQ(router_.without(group, all.back()), kNone);
}

TEST_F(Narrowing, IgnoresATargetThatIsNotInTheGroup) {
  const GroupIndex one = router_.only(group_, at("groq"));
  EXPECT_EQ(admissible(router_.without(one, at("openai"))), admissible(one));
}

TEST_F(Narrowing, NarrowsToATargetThatWasNotAdmissible) {
  const Target cheap = at("openai/gpt-6-sol");
  const GroupIndex one = router_.only(group_, cheap);
  EXPECT_EQ(admissible(one), std::vector<Target>{cheap});
  EXPECT_EQ(router_.only(group_, cheap), one);
  EXPECT_EQ(router_.only(router_.without(group_, at("groq")), cheap), one) << "both narrow the same rule";
}

}  // namespace
}  // namespace aetherflow::testing
