#pragma once
// The sets of durations over which a choice is judged: the estimates, and what they may turn out to be.

#include <cstdint>
#include <vector>

#include "core/schedule/project.hpp"

namespace aetherflow {

/// What is drawn. Equal draws of equal estimates are equal in every build.
struct DurationDraw {
  std::uint32_t samples = 128;  ///< beside the estimates; at most 1,024
  double spread = 2;            ///< real durations are 1/spread … spread × the estimate, log-uniform; 1 … 1,000
  std::uint64_t seed = 1;
};

/// Row 0 holds the estimates, the others one sampled set each. Times are in 2^-shift ms, so that short tasks keep
/// their sampled differences; only the comparison of choices reads them.
struct DurationSamples {
  std::uint32_t tasks = 0;
  std::uint32_t rows = 0;
  std::uint32_t shift = 0;
  std::vector<std::int64_t> durations;  ///< rows × tasks

  const std::int64_t* row(std::uint32_t index) const { return &durations[std::size_t{index} * tasks]; }
};

/// Latin hypercube: over the samples each task's factor visits `samples` equal slices of the log-uniform range once,
/// which takes most of the luck out of few samples. Uses √ alone, so that every build draws the same.
DurationSamples sampleDurations(const std::vector<std::int64_t>& estimates, const DurationDraw& draw);

}  // namespace aetherflow
