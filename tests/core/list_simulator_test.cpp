// The fast dispatch of a list against a slow one that is obviously right, from the start and from the middle.

#include "core/schedule/list_simulator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/rng.hpp"
#include "core/schedule/list_samples.hpp"
#include "longest_path.hpp"

namespace aetherflow::testing {
namespace {

struct Shape {
  std::uint32_t tasks, resources, capacity, edgesPerTask;
  std::int64_t longestMs;
  bool zeroDurations = false;
};

Project randomProject(Rng& rng, const Shape& shape) {
  Project project;
  project.tasks = shape.tasks;
  project.successorStart.push_back(0);
  project.demandStart.push_back(0);
  for (std::uint32_t r = 0; r < shape.resources; ++r) project.capacity.push_back(1 + rng.below(shape.capacity));
  for (std::uint32_t t = 0; t < shape.tasks; ++t) {
    for (std::uint32_t i = rng.below(shape.edgesPerTask + 1); i > 0 && t + 1 < shape.tasks; --i) {
      project.successor.push_back(t + 1 + rng.below(std::min(shape.tasks - t - 1, 10u)));  // may repeat an edge
    }
    project.successorStart.push_back(static_cast<std::uint32_t>(project.successor.size()));
    for (std::uint32_t r = 0; r < shape.resources; ++r) {
      if (rng.below(3) == 0) continue;
      project.demandResource.push_back(r);
      project.demandAmount.push_back(1 + rng.below(project.capacity[r] / 2 + 1));
    }
    project.demandStart.push_back(static_cast<std::uint32_t>(project.demandResource.size()));
    const auto span = static_cast<std::uint32_t>(shape.longestMs);
    project.durationMs.push_back(shape.zeroDurations && rng.below(3) == 0 ? 0 : 1 + rng.below(span));
  }
  return project;
}

/// Independent tasks, all in need of `amount` of the one resource.
Project sharing(std::uint32_t capacity, std::uint32_t amount, const std::vector<std::int64_t>& durations) {
  Project project;
  project.tasks = static_cast<std::uint32_t>(durations.size());
  project.successorStart.assign(project.tasks + 1, 0);
  for (std::uint32_t t = 0; t <= project.tasks; ++t) project.demandStart.push_back(t);
  project.demandResource.assign(project.tasks, 0);
  project.demandAmount.assign(project.tasks, amount);
  project.capacity = {capacity};
  project.durationMs = durations;
  return project;
}

std::vector<std::uint32_t> shuffled(Rng& rng, std::uint32_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0u);
  for (std::uint32_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[rng.below(i)]);
  return numbers;
}

/// The definition, word for word: every look at the state is recomputed from the start and end times.
std::int64_t slowDispatch(const Project& project, const std::vector<std::uint32_t>& rank,
                          const std::vector<std::int64_t>& durations) {
  enum class State { Waiting, Running, Done };
  const std::uint32_t tasks = project.tasks;
  std::vector<State> state(tasks, State::Waiting);
  std::vector<std::int64_t> end(tasks, 0);
  std::vector<std::uint32_t> byRank(tasks);
  for (std::uint32_t t = 0; t < tasks; ++t) byRank[rank[t]] = t;
  const auto demand = [&](std::uint32_t t, std::uint32_t r) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = project.demandStart[t]; i < project.demandStart[t + 1]; ++i) {
      if (project.demandResource[i] == r) sum += project.demandAmount[i];
    }
    return std::min<std::uint64_t>(sum, project.capacity[r]);
  };
  const auto ready = [&](std::uint32_t t) {
    for (std::uint32_t p = 0; p < tasks; ++p) {
      for (std::uint32_t e = project.successorStart[p]; e < project.successorStart[p + 1]; ++e) {
        if (project.successor[e] == t && state[p] != State::Done) return false;
      }
    }
    return state[t] == State::Waiting;
  };
  const auto fits = [&](std::uint32_t t) {
    for (std::uint32_t r = 0; r < project.capacity.size(); ++r) {
      std::uint64_t used = demand(t, r);
      for (std::uint32_t k = 0; k < tasks; ++k) used += state[k] == State::Running ? demand(k, r) : 0;
      if (used > project.capacity[r]) return false;
    }
    return true;
  };
  for (std::int64_t now = 0;;) {
    for (std::uint32_t t : byRank) {
      if (ready(t) && fits(t)) state[t] = State::Running, end[t] = now + durations[t];
    }
    std::int64_t next = -1;
    for (std::uint32_t t = 0; t < tasks; ++t) {
      if (state[t] == State::Running && (next < 0 || end[t] < next)) next = end[t];
    }
    if (next < 0) return now;
    now = next;
    for (std::uint32_t t = 0; t < tasks; ++t) {
      if (state[t] == State::Running && end[t] == now) state[t] = State::Done;
    }
  }
}

void compareWithSlow(const Shape& shape, int projects) {
  Rng rng(shape.tasks * 31 + shape.resources);
  for (int i = 0; i < projects; ++i) {
    const Project project = randomProject(rng, shape);
    const std::vector<std::uint32_t> rank = shuffled(rng, shape.tasks);
    ASSERT_EQ(dispatch(project, ListOrder::fromRanks(rank), project.durationMs),
              slowDispatch(project, rank, project.durationMs))
        << "project " << i;
  }
}

TEST(ListDispatch, AgreesWithTheDefinition) {
  compareWithSlow({12, 2, 6, 2, 9}, 300);
}
TEST(ListDispatch, AgreesWithZeroDurations) {
  compareWithSlow({14, 2, 5, 2, 3, true}, 300);
}
TEST(ListDispatch, AgreesBeyondOneWordOfReadyTasks) {
  compareWithSlow({90, 3, 20, 2, 50}, 8);
}
TEST(ListDispatch, SaysWhenItsResourcesDoNotFitOneWord) {
  Rng rng(5);
  EXPECT_FALSE(ListSimulator(randomProject(rng, {40, 9, 100'000, 1, 9})).packed());
  EXPECT_TRUE(ListSimulator(randomProject(rng, {40, 9, 60, 1, 9})).packed());
}

TEST(ListDispatch, ATaskThatDoesNotFitLetsALaterOnePass) {
  Project project = sharing(3, 2, {5, 5, 5});
  project.demandAmount[2] = 1;
  EXPECT_EQ(dispatch(project, ListOrder::fromRanks({0, 1, 2}), project.durationMs), 10);  // 0 and 2 together, then 1
}

TEST(ListDispatch, DemandBeyondTheCapacityRunsAlone) {
  const Project project = sharing(2, 7, {3, 4});
  EXPECT_EQ(dispatch(project, ListOrder::fromRanks({0, 1}), project.durationMs), 7);
}

TEST(ListDispatch, ZeroCapacityLimitsNobody) {
  const Project project = sharing(0, 1, {3, 4});
  EXPECT_EQ(dispatch(project, ListOrder::fromRanks({0, 1}), project.durationMs), 4);
}

TEST(ListDispatch, TheWidestCapacityIsCountedRightly) {
  const Project project = sharing(0xffffffffu, 0x80000000u, {3, 4});
  EXPECT_EQ(dispatch(project, ListOrder::fromRanks({0, 1}), project.durationMs), 7);
}

TEST(ListDispatch, NoTasksTakeNoTime) {
  EXPECT_EQ(dispatch(sharing(1, 1, {}), {}, {}), 0);
}

TEST(LongestPathFirst, CountsTheOwnDurationAndBreaksTiesByNumber) {
  Project project = sharing(1, 1, {2, 6, 2, 5});
  project.successorStart = {0, 1, 1, 1, 1};  // 0 → 3: a path of 7
  project.successor = {3};
  EXPECT_EQ(longestPathFirst(project).rank, (std::vector<std::uint32_t>{0, 1, 3, 2}));
  project.durationMs = {1, 1, 1, 0};
  EXPECT_EQ(longestPathFirst(project).rank, (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(DurationSamples, EveryTaskVisitsEverySliceOfTheRange) {
  Rng rng(3);
  const Project project = randomProject(rng, {10, 1, 3, 1, 100'000});
  DurationDraw draw;
  draw.samples = 4;
  draw.spread = 4.0;
  const DurationSamples samples = sampleDurations(project.durationMs, draw);
  ASSERT_EQ(samples.rows, 5u);
  for (std::uint32_t t = 0; t < project.tasks; ++t) {
    const auto estimate = static_cast<double>(samples.row(0)[t]);
    EXPECT_EQ(samples.row(0)[t], project.durationMs[t] << samples.shift);
    std::vector<double> factor;
    for (std::uint32_t i = 1; i < samples.rows; ++i)
      factor.push_back(static_cast<double>(samples.row(i)[t]) / estimate);
    std::sort(factor.begin(), factor.end());
    const double edge[] = {0.25, 0.5, 1.0, 2.0, 4.0};  // equal slices of the logarithm
    for (int i = 0; i < 4; ++i) {
      EXPECT_GE(factor[i], edge[i] * 0.999);
      EXPECT_LE(factor[i], edge[i + 1] * 1.001);
    }
  }
}

TEST(DurationSamples, HostileDurationsAndSpreadsStayInRange) {
  Project project = sharing(1, 1, {0, -5, INT64_MAX / 8, 1});
  for (double spread : {1e300, 0.0, -1.0, 1000.0}) {
    DurationDraw draw;
    draw.spread = spread;
    const DurationSamples samples = sampleDurations(project.durationMs, draw);
    for (std::int64_t duration : samples.durations) EXPECT_TRUE(duration >= 0 && duration < INT64_MAX / 16);
    EXPECT_EQ(samples.row(samples.rows - 1)[0], 0);
    EXPECT_EQ(samples.row(samples.rows - 1)[1], 0);
  }
}

TEST(ListStart, GoesOnFromTheMiddleAsTheWholeDoes) {
  // After the first end of a dispatch, what is left takes what the whole takes.
  Rng rng(9);
  for (int i = 0; i < 60; ++i) {
    const std::uint32_t tasks = i % 4 == 0 ? 70 : 25;
    const Project project = randomProject(rng, {tasks, 2, 5, 2, 5000});
    const ListOrder order = ListOrder::fromTasks(shuffled(rng, tasks));
    ListSimulator simulator(project);
    const std::int64_t whole = simulator.run(order, project.durationMs.data());
    ListStart start;
    start.missing.assign(tasks, 0);
    for (const std::uint32_t next : project.successor) ++start.missing[next];
    for (const std::uint32_t task : order.task)
      if (start.missing[task] == 0) start.ready.push_back(task);
    std::uint64_t free = simulator.capacity();
    std::int64_t first = INT64_MAX;
    for (const std::uint32_t task : start.ready)
      if (simulator.take(free, task)) {
        start.first.push_back(task);
        first = std::min(first, project.durationMs[task]);
      }
    EXPECT_EQ(simulator.run(order, project.durationMs.data(), start), whole);
    // The others have run for a while.
    std::vector<std::int64_t> left = project.durationMs;
    std::vector<std::uint32_t> running;
    for (const std::uint32_t task : start.first) {
      left[task] -= first;
      if (left[task] > 0) {
        running.push_back(task);
        continue;
      }
      for (std::uint32_t e = project.successorStart[task]; e < project.successorStart[task + 1]; ++e)
        if (--start.missing[project.successor[e]] == 0) start.ready.push_back(project.successor[e]);
    }
    std::erase_if(start.ready, [&](std::uint32_t task) {
      return std::find(start.first.begin(), start.first.end(), task) != start.first.end();
    });
    start.first = running;
    EXPECT_EQ(first + simulator.run(order, left.data(), start), whole);
  }
}

TEST(ListStart, HoldsBackForOneThatIsNotReady) {
  // 0 runs, 1 could start, but the place is kept for 2, which follows 0.
  Project project = sharing(1, 1, {3, 10, 2});
  project.successorStart = {0, 1, 1, 1};
  project.successor = {2};
  project.capacity = {1, 1};
  project.demandResource = {1, 0, 0};
  ListSimulator simulator(project);
  const ListOrder order = ListOrder::fromTasks({1, 0, 2});
  ListStart start;
  start.missing = {0, 0, 1};
  start.ready = {1};
  start.first = {0};
  EXPECT_EQ(simulator.run(order, project.durationMs.data(), start), 12);  // 1 until 10, then 2
  EXPECT_TRUE(simulator.waited());
  start.held = 2;
  EXPECT_EQ(simulator.run(order, project.durationMs.data(), start), 15);  // 2 from 3 to 5, then 1
  start.missing[2] = 9;  // never ready: the hold ends with the last that runs
  EXPECT_EQ(simulator.run(order, project.durationMs.data(), start), 13);
}

}  // namespace
}  // namespace aetherflow::testing
