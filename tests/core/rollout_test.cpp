// The rollout that may hold back: when it holds, and what it must never do.

#include "core/schedule/rollout.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "carry_out.hpp"
#include "core/base/rng.hpp"
#include "longest_path.hpp"

namespace aetherflow::testing {
namespace {

struct Task {
  std::uint32_t resource, amount;
  std::int64_t ms;
  std::vector<std::uint32_t> next;
};

Project projectOf(const std::vector<Task>& tasks, std::vector<std::uint32_t> capacity) {
  Project project;
  project.tasks = static_cast<std::uint32_t>(tasks.size());
  project.capacity = std::move(capacity);
  project.successorStart.push_back(0);
  project.demandStart.push_back(0);
  for (const Task& task : tasks) {
    project.successor.insert(project.successor.end(), task.next.begin(), task.next.end());
    project.successorStart.push_back(static_cast<std::uint32_t>(project.successor.size()));
    project.demandResource.push_back(task.resource);
    project.demandAmount.push_back(task.amount);
    project.demandStart.push_back(static_cast<std::uint32_t>(project.demandResource.size()));
    project.durationMs.push_back(task.ms);
  }
  return project;
}

/// `long` could take the one place of resource 1, but `next` will want it in a moment, and `rest` hangs on that.
enum : std::uint32_t { kLong, kShort, kNext, kRest };
Project worthWaiting() {
  return projectOf({{1, 1, 10'000, {}}, {0, 1, 1'000, {kNext}}, {1, 1, 1'000, {kRest}}, {0, 1, 20'000, {}}}, {1, 1});
}
std::vector<TaskProgress> shortRuns() {
  std::vector<TaskProgress> progress(4);
  progress[kShort].state = TaskProgress::State::Running;
  return progress;
}

TEST(Rollout, HoldsAPlaceForWhatIsAboutToBeReady) {
  const Project project = worthWaiting();
  Rollout rollout(project, longestPathFirst(project), {});
  EXPECT_EQ(rollout.choose(shortRuns(), kLong).heldFor, kNext);
  const CarriedOut held = carryOut(project, longestPathFirst(project), project.durationMs, {});
  EXPECT_EQ(held.makespan, 22'000);
  EXPECT_EQ(dispatch(project, longestPathFirst(project), project.durationMs), 31'000);
}

TEST(Rollout, HoldsNothingWhileNothingRuns) {
  const Project project = worthWaiting();
  Rollout rollout(project, longestPathFirst(project), {});
  EXPECT_EQ(rollout.choose(std::vector<TaskProgress>(4), kLong).start, kLong);
}

TEST(Rollout, HoldsNothingForWhatIsFarAway) {
  Project project = worthWaiting();
  project.durationMs[kShort] = 40'000;
  Rollout rollout(project, longestPathFirst(project), {});
  EXPECT_EQ(rollout.choose(shortRuns(), kLong).start, kLong);
}

TEST(Rollout, AnOverdueTaskIsNotExpectedInTheNextMoment) {
  const Project project = worthWaiting();
  Rollout rollout(project, longestPathFirst(project), {});
  std::vector<TaskProgress> progress = shortRuns();
  progress[kShort].elapsedMs = 60'000;  // sixty times as long as expected
  EXPECT_EQ(rollout.choose(progress, kLong).start, kLong);
}

TEST(Rollout, StartsAnotherThanTheBestWhereThatIsBetter) {
  // Three places: `wide` is the longest alone, but the two others lead to what is left.
  const Project project =
      projectOf({{0, 2, 6'000, {}}, {0, 2, 5'000, {2}}, {1, 1, 500, {}}, {0, 1, 5'000, {}}}, {3, 1});
  ListOrder order = ListOrder::fromTasks({0, 3, 1, 2});
  Rollout rollout(project, order, {});
  const Rollout::Choice choice = rollout.choose(std::vector<TaskProgress>(4), 0);
  EXPECT_NE(choice.start, Rollout::kNobody);
}

TEST(Rollout, WhereNothingCanWaitItCostsNothing) {
  Project project = worthWaiting();
  project.capacity = {2, 2};
  Rollout rollout(project, longestPathFirst(project), {});
  EXPECT_FALSE(rollout.mayHelp());
  EXPECT_EQ(rollout.choose(shortRuns(), kLong).start, kLong);
  EXPECT_EQ(rollout.spent(), 0u);
}

TEST(Rollout, WhereNoSampledRowWaitsItLooksNoFurther) {
  // Both want the same place, but one long after the other in every row: only the count of them says that they could meet.
  const Project project =
      projectOf({{1, 1, 1'000, {}}, {0, 1, 90'000, {2}}, {1, 1, 1'000, {}}, {0, 1, 1'000, {}}}, {2, 1});
  Rollout rollout(project, longestPathFirst(project), {});
  ASSERT_TRUE(rollout.mayHelp());
  std::vector<TaskProgress> progress(4);
  progress[1].state = TaskProgress::State::Running;
  EXPECT_EQ(rollout.choose(progress, 0).start, 0u);
  EXPECT_LE(rollout.spent(), 2u * 8 * 5);
}

TEST(Rollout, WithoutABudgetTheListDecides) {
  const Project project = worthWaiting();
  Rollout::Options options;
  options.budget = 100;
  Rollout rollout(project, longestPathFirst(project), options);
  EXPECT_EQ(rollout.choose(shortRuns(), kLong).start, kLong);
  EXPECT_EQ(rollout.spent(), 0u);
}

TEST(DurationSpread, IsLearntFromAnswers) {
  DurationSpread spread;
  EXPECT_DOUBLE_EQ(spread.spread(), 2);
  EXPECT_DOUBLE_EQ(spread.centre(), 1);
  spread.learn(0, 5);  // says nothing
  EXPECT_DOUBLE_EQ(spread.spread(), 2);
  for (int i = 0; i < 100; ++i) spread.learn(1000, 1000);
  EXPECT_LT(spread.spread(), 1.3);
  DurationSpread twice;
  for (int i = 0; i < 400; ++i) twice.learn(1000, 2000);
  EXPECT_NEAR(twice.centre(), 2, 0.05);
  EXPECT_LT(twice.spread(), 1.5);
  DurationSpread wide;
  for (int i = 0; i < 200; ++i) wide.learn(1000, i % 2 == 0 ? 250 : 4000);
  EXPECT_NEAR(wide.centre(), 1, 0.01);
  EXPECT_GT(wide.spread(), 6);
  for (int i = 0; i < 1000; ++i) wide.learn(1, INT64_MAX / 2), wide.learn(INT64_MAX / 2, 0);
  EXPECT_LE(wide.spread(), 200);  // no answer counts as more than 16 times off
}

/// Layered work on few places of three resources, in the shape of plans.
Project randomProject(Rng& rng) {
  std::vector<Task> tasks(6 + rng.below(20));
  for (std::uint32_t t = 0; t < tasks.size(); ++t) {
    tasks[t] = {rng.below(3), 1 + rng.below(2), 500 + rng.below(10'000), {}};
    for (std::uint32_t i = rng.below(3); i > 0 && t + 1 < tasks.size(); --i)
      tasks[t].next.push_back(t + 1 +
                              rng.below(std::min<std::uint32_t>(static_cast<std::uint32_t>(tasks.size()) - t - 1, 6)));
  }
  return projectOf(tasks, {1 + rng.below(3), 1 + rng.below(3), 1 + rng.below(3)});
}

/// Inputs first, and never more of a resource than there is.
void expectLawful(const Project& project, const std::vector<std::int64_t>& real, const CarriedOut& done) {
  for (std::uint32_t t = 0; t < project.tasks; ++t) {
    const std::int64_t begin = done.startedAt[t];
    for (std::uint32_t e = project.successorStart[t]; e < project.successorStart[t + 1]; ++e)
      ASSERT_GE(done.startedAt[project.successor[e]], begin + real[t]);
    std::uint64_t used = 0;
    const std::uint32_t resource = project.demandResource[t], capacity = project.capacity[resource];
    for (std::uint32_t other = 0; other < project.tasks; ++other)
      if (project.demandResource[other] == resource && done.startedAt[other] <= begin &&
          begin < done.startedAt[other] + real[other])
        used += std::min(project.demandAmount[other], capacity);
    ASSERT_LE(used, capacity);
  }
}

TEST(RolloutProperties, NeverStuckNeverOverALimitTheSameTwiceAndBetterInTheMean) {
  double list = 0, rollout = 0;
  std::uint32_t holds = 0;
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    Rng rng(seed);
    const Project project = randomProject(rng);
    std::vector<std::int64_t> real;
    for (const std::int64_t ms : project.durationMs)
      real.push_back(std::max<std::int64_t>(1, ms / 2 + rng.below(static_cast<std::uint32_t>(ms))));
    Rollout::Options options;
    options.seed = seed;
    options.budget = 60'000;
    const ListOrder order = longestPathFirst(project);
    const CarriedOut done = carryOut(project, order, real, options);
    ASSERT_GE(done.makespan, 0) << "stuck at seed " << seed;
    expectLawful(project, real, done);
    ASSERT_EQ(carryOut(project, order, real, options).startedAt, done.startedAt) << "seed " << seed;
    // The budget bounds the work, but for the last decision's share of it.
    ASSERT_LE(done.spent, options.budget + options.budget / 2);
    holds += done.holds;
    rollout += static_cast<double>(done.makespan);
    list += static_cast<double>(dispatch(project, order, real));
  }
  EXPECT_GT(holds, 20u);
  EXPECT_LT(rollout, 0.99 * list);
}

}  // namespace
}  // namespace aetherflow::testing
