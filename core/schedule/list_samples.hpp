#pragma once
// The sets of durations over which a list is judged: the estimates, and what they may turn out to be.

#include <cstdint>
#include <vector>

#include "core/schedule/list_search.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {

/// Row 0 holds the estimates, the others one sampled set each. Times are in 2^-shift ms, so that short tasks keep
/// their sampled differences; only the comparison of lists reads them.
struct DurationSamples {
  std::uint32_t tasks = 0;
  std::uint32_t rows = 0;
  std::uint32_t shift = 0;
  std::vector<std::int64_t> durations;  ///< rows × tasks
  std::vector<double> weight;           ///< by row: 1 for each sample; the estimates count as an eighth of them

  const std::int64_t* row(std::uint32_t index) const { return &durations[std::size_t{index} * tasks]; }
};

/// Latin hypercube: over the samples each task's factor visits `samples` equal slices of the log-uniform range once,
/// which takes most of the luck out of few samples. Uses √ alone, so that every build draws the same.
DurationSamples sampleDurations(const Project& project, const ListSearch& search);

/// What the search minimises: the weighted sum of makespans over the rows.
double weightedMakespan(ListSimulator& simulator, const ListOrder& order, const DurationSamples& samples);

/// What no list can beat, weighted alike: by row, the longest path or the work on the busiest resource.
double weightedBound(const Project& project, const DurationSamples& samples);

}  // namespace aetherflow
