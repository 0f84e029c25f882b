#include "core/schedule/list_search.hpp"

#include <algorithm>

#include "core/schedule/list_climber.hpp"
#include "core/schedule/list_samples.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {
namespace {

// Fewer lists than this find too little; fewer samples than this mislead (a list fitted to them loses when estimates
// are off). A project beyond both keeps longest path first.
constexpr std::uint64_t kLeastLists = 100;
constexpr std::uint64_t kLeastSamples = 8;
// The climber keeps two sets of tasks for each task and row: no more than 64 MB of them, whatever the budget.
constexpr std::uint64_t kMostSetWords = std::uint64_t{1} << 22;
// Longest path first this near to a lower bound leaves nothing worth the search. Plans whose steps take one place
// each on a provider are often so: it is several resources and unequal demands that lists are good for.
constexpr double kNearBound = 1.003;
// What the new list must save on samples that the search has not seen.
constexpr double kLeastGain = 0.0005;

/// Separate streams: neither the moves nor the samples of the proof may follow the samples of the search.
constexpr std::uint64_t kMoveStream = 0x6a09e667f3bcc909ull;
constexpr std::uint64_t kProofStream = 0xbb67ae8584caa73bull;

}  // namespace

std::int64_t dispatch(const Project& project, const std::vector<std::uint32_t>& rank,
                      const std::vector<std::int64_t>& durations) {
  ListSimulator simulator(project);
  return simulator.run(ListOrder::fromRanks(rank), durations.data());
}

std::vector<std::uint32_t> improveList(const Project& project, const ListSearch& search) {
  const ListOrder longest = ListOrder::fromRanks(longestPathFirst(project));
  const std::uint64_t tasks = std::max(project.tasks, 1u);
  const std::uint64_t affordable =
      std::min(search.budget / (kLeastLists * tasks), kMostSetWords / (tasks * ((tasks + 63) / 64)));
  const std::uint64_t needed = std::min<std::uint64_t>(kLeastSamples, search.samples);
  if (project.tasks < 3 || affordable < needed + 1) return longest.rank;
  ListSimulator simulator(project);
  if (!simulator.contended()) return longest.rank;

  ListSearch within = search;
  within.samples = static_cast<std::uint32_t>(std::min<std::uint64_t>(search.samples, affordable - 1));
  const DurationSamples samples = sampleDurations(project, within);
  if (weightedMakespan(simulator, longest, samples) <= kNearBound * weightedBound(project, samples)) {
    return longest.rank;
  }
  ListClimber climber(simulator, samples, search.seed ^ kMoveStream);
  if (!climber.start(longest)) return longest.rank;
  climber.climb(search.budget);

  within.seed ^= kProofStream;
  const DurationSamples unseen = sampleDurations(project, within);
  const double before = weightedMakespan(simulator, longest, unseen);
  const double after = weightedMakespan(simulator, climber.best(), unseen);
  return after < before * (1.0 - kLeastGain) ? climber.best().rank : longest.rank;
}

}  // namespace aetherflow
