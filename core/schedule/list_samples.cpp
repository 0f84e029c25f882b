#include "core/schedule/list_samples.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/rng.hpp"
#include "core/schedule/list_paths.hpp"

namespace aetherflow {
namespace {

constexpr double kEstimatesShare =
    0.125;  // of the samples' weight: enough to stay near the best list for exact durations
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

DurationSamples sampleDurations(const Project& project, const ListSearch& search) {
  const std::uint32_t tasks = project.tasks;
  const double spread = search.spread > 1.0 ? std::min(search.spread, 1000.0) : 1.0;  // not a number becomes 1, too
  const std::uint32_t drawn = spread > 1.0 ? std::min(search.samples, 1024u) : 0;
  DurationSamples samples;
  samples.tasks = tasks;
  samples.rows = drawn + 1;
  samples.durations.resize(std::size_t{samples.rows} * tasks);
  samples.weight.assign(samples.rows, 1.0);
  samples.weight[0] = std::max(1.0, drawn * kEstimatesShare);

  std::int64_t longest = 1;
  for (std::uint32_t t = 0; t < tasks; ++t) {
    samples.durations[t] = std::clamp<std::int64_t>(project.durationMs[t], 0, kLongest);
    longest = std::max(longest, samples.durations[t]);
  }
  while ((longest << samples.shift) < kFinest) ++samples.shift;

  Rng rng(search.seed);
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

double weightedMakespan(ListSimulator& simulator, const ListOrder& order, const DurationSamples& samples) {
  double sum = 0;
  for (std::uint32_t i = 0; i < samples.rows; ++i) {
    sum += samples.weight[i] * static_cast<double>(simulator.run(order, samples.row(i)));
  }
  return sum;
}

double weightedBound(const Project& project, const DurationSamples& samples) {
  const std::vector<std::uint32_t> order = topologicalOrder(project);
  std::vector<std::int64_t> path(project.tasks);
  std::vector<double> work(project.capacity.size());
  double sum = 0;
  for (std::uint32_t i = 0; i < samples.rows; ++i) {
    const std::int64_t* durations = samples.row(i);
    longestPaths(project, order, durations, path);
    double bound = 0;
    for (std::int64_t length : path) bound = std::max(bound, static_cast<double>(length));
    std::fill(work.begin(), work.end(), 0.0);
    for (std::uint32_t t = 0; t < project.tasks; ++t) {
      for (std::uint32_t d = project.demandStart[t]; d < project.demandStart[t + 1]; ++d) {
        const std::uint32_t r = project.demandResource[d];
        const std::uint32_t amount = std::min(project.demandAmount[d], project.capacity[r]);
        work[r] += static_cast<double>(amount) * static_cast<double>(durations[t]);
      }
    }
    for (std::size_t r = 0; r < work.size(); ++r) {
      if (project.capacity[r] > 0) bound = std::max(bound, work[r] / project.capacity[r]);
    }
    sum += samples.weight[i] * bound;
  }
  return sum;
}

}  // namespace aetherflow
