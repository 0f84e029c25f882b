#include "core/schedule/list_samples.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/rng.hpp"

namespace aetherflow {
namespace {

constexpr int kFactorBits = 16;
constexpr std::int64_t kLongest = std::int64_t{1} << 36;  // ms, two years: sums stay far from overflow
constexpr std::int64_t kFinest = std::int64_t{1} << 20;   // the longest task is scaled up to at least this

/// spread^(2u − 1). The binary digits of u choose among repeated square roots of spread².
class LogUniform {
 public:
  explicit LogUniform(double spread) : least_(1.0 / spread) {
    root_[0] = spread;
    for (int i = 1; i < kFactorBits; ++i) root_[i] = std::sqrt(root_[i - 1]);
  }

  double at(double u) const {
    const auto digits = static_cast<std::uint32_t>(u * (1 << kFactorBits));
    double factor = least_;
    for (int i = 0; i < kFactorBits; ++i) {
      if ((digits >> (kFactorBits - 1 - i) & 1) != 0) factor *= root_[i];
    }
    return factor;
  }

 private:
  double least_;
  double root_[kFactorBits];
};

}  // namespace

DurationSamples sampleDurations(const std::vector<std::int64_t>& estimates, const DurationDraw& draw) {
  const auto tasks = static_cast<std::uint32_t>(estimates.size());
  const double spread = draw.spread > 1.0 ? std::min(draw.spread, 1000.0) : 1.0;  // not a number becomes 1, too
  const std::uint32_t drawn = spread > 1.0 ? std::min(draw.samples, 1024u) : 0;
  DurationSamples samples;
  samples.tasks = tasks;
  samples.rows = drawn + 1;
  samples.durations.resize(std::size_t{samples.rows} * tasks);

  std::int64_t longest = 1;
  for (std::uint32_t t = 0; t < tasks; ++t) {
    samples.durations[t] = std::clamp<std::int64_t>(estimates[t], 0, kLongest);
    longest = std::max(longest, samples.durations[t]);
  }
  while ((longest << samples.shift) < kFinest) ++samples.shift;

  Rng rng(draw.seed);
  const LogUniform factor(spread);
  std::vector<std::uint32_t> slice(drawn);
  for (std::uint32_t t = 0; t < tasks; ++t) {
    const std::int64_t estimate = samples.durations[t] <<= samples.shift;
    for (std::uint32_t i = 0; i < drawn; ++i) slice[i] = i;
    for (std::uint32_t i = drawn; i > 1; --i) std::swap(slice[i - 1], slice[rng.below(i)]);
    for (std::uint32_t i = 0; i < drawn; ++i) {
      const double value = static_cast<double>(estimate) * factor.at((slice[i] + rng.unit()) / drawn);
      samples.durations[std::size_t{i + 1} * tasks + t] = static_cast<std::int64_t>(value + 0.5);
    }
  }
  return samples;
}

}  // namespace aetherflow
