// The priority-list search: the fast dispatch against a slow one that is obviously right, and what a list may claim.

#include "core/schedule/list_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/base/rng.hpp"
#include "core/schedule/list_climber.hpp"
#include "core/schedule/list_samples.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {
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

bool isPermutation(std::vector<std::uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  for (std::uint32_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != i) return false;
  }
  return true;
}

void compareWithSlow(const Shape& shape, int projects) {
  Rng rng(shape.tasks * 31 + shape.resources);
  for (int i = 0; i < projects; ++i) {
    const Project project = randomProject(rng, shape);
    const std::vector<std::uint32_t> rank = shuffled(rng, shape.tasks);
    ASSERT_EQ(dispatch(project, rank, project.durationMs), slowDispatch(project, rank, project.durationMs))
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
TEST(ListDispatch, AgreesBeyondOneWordOfResources) {
  compareWithSlow({20, 9, 100'000, 1, 9}, 60);
}

TEST(ListDispatch, ATaskThatDoesNotFitLetsALaterOnePass) {
  Project project = sharing(3, 2, {5, 5, 5});
  project.demandAmount[2] = 1;
  EXPECT_EQ(dispatch(project, {0, 1, 2}, project.durationMs), 10);  // 0 and 2 together, then 1
}

TEST(ListDispatch, DemandBeyondTheCapacityRunsAlone) {
  const Project project = sharing(2, 7, {3, 4});
  EXPECT_EQ(dispatch(project, {0, 1}, project.durationMs), 7);
}

TEST(ListDispatch, ZeroCapacityLimitsNobody) {
  const Project project = sharing(0, 1, {3, 4});
  EXPECT_EQ(dispatch(project, {0, 1}, project.durationMs), 4);
}

TEST(ListDispatch, TheWidestCapacityIsCountedRightly) {
  const Project project = sharing(0xffffffffu, 0x80000000u, {3, 4});
  EXPECT_EQ(dispatch(project, {0, 1}, project.durationMs), 7);
}

TEST(ListDispatch, NoTasksTakeNoTime) {
  EXPECT_EQ(dispatch(sharing(1, 1, {}), {}, {}), 0);
}

TEST(LongestPathFirst, CountsTheOwnDurationAndBreaksTiesByNumber) {
  Project project = sharing(1, 1, {2, 6, 2, 5});
  project.successorStart = {0, 1, 1, 1, 1};  // 0 → 3: a path of 7
  project.successor = {3};
  EXPECT_EQ(longestPathFirst(project), (std::vector<std::uint32_t>{0, 1, 3, 2}));
  project.durationMs = {1, 1, 1, 0};
  EXPECT_EQ(longestPathFirst(project), (std::vector<std::uint32_t>{0, 1, 2, 3}));
}

TEST(DurationSamples, EveryTaskVisitsEverySliceOfTheRange) {
  Rng rng(3);
  const Project project = randomProject(rng, {10, 1, 3, 1, 100'000});
  ListSearch search;
  search.samples = 4;
  search.spread = 4.0;
  const DurationSamples samples = sampleDurations(project, search);
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
    ListSearch search;
    search.spread = spread;
    const DurationSamples samples = sampleDurations(project, search);
    for (std::int64_t duration : samples.durations) EXPECT_TRUE(duration >= 0 && duration < INT64_MAX / 16);
    EXPECT_EQ(samples.row(samples.rows - 1)[0], 0);
    EXPECT_EQ(samples.row(samples.rows - 1)[1], 0);
  }
}

TEST(DurationSamples, NoListBeatsTheBound) {
  Rng rng(8);
  for (int i = 0; i < 40; ++i) {
    const Project project = randomProject(rng, {15, 2, 5, 2, 100});
    const DurationSamples samples = sampleDurations(project, ListSearch{6, 2.0, 1, 0});
    ListSimulator simulator(project);
    const double bound = weightedBound(project, samples);
    EXPECT_GT(bound, 0);
    EXPECT_LE(bound, weightedMakespan(simulator, ListOrder::fromTasks(shuffled(rng, 15)), samples));
  }
}

// The climber does not simulate rows in which a move cannot matter. Were it ever wrong about that, its running total
// would drift from the true one.
TEST(ListClimber, KnowsWhichRowsAMoveLeavesAlone) {
  Rng rng(9);
  for (int i = 0; i < 40; ++i) {
    const std::uint32_t tasks = i % 4 == 0 ? 70 : 25;
    const Project project = randomProject(rng, {tasks, 2, 5, 2, i % 2 == 0 ? 4 : 5000, i % 3 == 0});
    const DurationSamples samples = sampleDurations(project, ListSearch{10, 2.0, 1, 0});
    ListSimulator simulator(project);
    ListClimber climber(simulator, samples, 3);
    const ListOrder start = ListOrder::fromTasks(shuffled(rng, tasks));
    climber.start(start);
    climber.climb(100'000);
    EXPECT_EQ(climber.bestValue(), weightedMakespan(simulator, climber.best(), samples));
    EXPECT_LE(climber.bestValue(), weightedMakespan(simulator, start, samples));
  }
}

class ImprovedLists : public ::testing::TestWithParam<Shape> {};

TEST_P(ImprovedLists, ArePermutationsNeverWorseThanLongestPathFirst) {
  Rng rng(11);
  ListSearch search;
  search.samples = 12;
  search.budget = 13 * 100 * std::max<std::uint64_t>(GetParam().tasks, 1);  // exactly what all samples ask for
  for (int i = 0; i < 6; ++i) {
    search.seed = static_cast<std::uint64_t>(i);
    const Project project = randomProject(rng, GetParam());
    const std::vector<std::uint32_t> rank = improveList(project, search);
    ASSERT_EQ(rank.size(), project.tasks);
    ASSERT_TRUE(isPermutation(rank));
    EXPECT_EQ(rank, improveList(project, search)) << "not deterministic";
    ListSimulator simulator(project);
    const DurationSamples samples = sampleDurations(project, search);
    EXPECT_LE(weightedMakespan(simulator, ListOrder::fromRanks(rank), samples),
              weightedMakespan(simulator, ListOrder::fromRanks(longestPathFirst(project)), samples));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ImprovedLists,
                         ::testing::Values(Shape{1, 1, 2, 1, 9}, Shape{5, 1, 2, 1, 9}, Shape{30, 4, 10, 2, 1000},
                                           Shape{40, 2, 4, 1, 5, true}, Shape{80, 1, 6, 2, 60'000},
                                           Shape{30, 12, 50'000, 1, 1000}));

TEST(ImproveList, WinsOnDurationsThatItHasNotSeen) {
  Rng rng(42), draws(4711);
  double longest = 0, improved = 0;
  for (int i = 0; i < 12; ++i) {
    const Project project = randomProject(rng, {40, 3, 10, 2, 10'000});
    const std::vector<std::uint32_t> rank = improveList(project, ListSearch{64, 2.0, 7, 400'000});
    for (int draw = 0; draw < 20; ++draw) {
      std::vector<std::int64_t> real(project.tasks);
      for (std::uint32_t t = 0; t < project.tasks; ++t) {
        // Not the sampler's distribution: uniform in 0.5 … 2.
        real[t] = static_cast<std::int64_t>(static_cast<double>(project.durationMs[t]) * (0.5 + 1.5 * draws.unit()));
      }
      longest += static_cast<double>(dispatch(project, longestPathFirst(project), real));
      improved += static_cast<double>(dispatch(project, rank, real));
    }
  }
  EXPECT_LT(improved, longest);
}

TEST(ImproveList, LeavesPlansWithoutContentionAlone) {
  const Project project = sharing(4, 1, {5, 1, 3, 2});
  EXPECT_EQ(improveList(project, {}), longestPathFirst(project));
}

TEST(ImproveList, LeavesPlansAloneThatItsBudgetCannotServe) {
  Rng rng(5);
  const Project project = randomProject(rng, {60, 2, 4, 2, 1000});
  ListSearch search;
  search.budget = 60 * 100 * 8;  // one row short of eight samples and the estimates
  EXPECT_EQ(improveList(project, search), longestPathFirst(project));
  search.budget = 0;
  EXPECT_EQ(improveList(project, search), longestPathFirst(project));
  search.budget = 60 * 100 * 9;
  EXPECT_NE(improveList(project, search), longestPathFirst(project));
}

TEST(ImproveList, SearchesOverTheEstimatesAloneWithoutSamples) {
  // Longest first packs 5 4 3 3 3 on two machines into 10; 5+4 and 3+3+3 take 9.
  const Project project = sharing(2, 1, {5, 4, 3, 3, 3});
  ListSearch search;
  search.samples = 0;
  EXPECT_EQ(dispatch(project, longestPathFirst(project), project.durationMs), 10);
  EXPECT_EQ(dispatch(project, improveList(project, search), project.durationMs), 9);
}

TEST(ImproveList, GivesTheSameListInEveryBuild) {
  Rng rng(2024);
  std::uint64_t hash = 14695981039346656037ull;  // FNV-1a over the ranks
  for (int i = 0; i < 5; ++i) {
    for (std::uint32_t r : improveList(randomProject(rng, {50, 3, 8, 2, 5000}), ListSearch{32, 2.0, 1, 300'000})) {
      hash = (hash ^ r) * 1099511628211ull;
    }
  }
  // Changes with every change of the search; what matters is that native and WebAssembly agree on it.
  EXPECT_EQ(hash, 3609724121367195656ull);
}

}  // namespace
}  // namespace aetherflow
