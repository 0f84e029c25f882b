#pragma once
// The rule of vCache (Schroeder et al. 2025), per entry, for comparison: P(right | s) = σ(γ(s − t)), fitted on the
// entry's labelled look-ups and the two it starts out with, (0, wrong) and (1, right); explore with probability min
// over ε of 1 − δ / (1 − (1 − ε)·σ(γ(s − t'))), t' the upper ε-quantile of t.

#include <algorithm>
#include <cmath>
#include <vector>

namespace aetherflow::bench {

struct VcacheEntry {
  struct Seen {
    double similarity;
    bool right;
  };
  std::vector<Seen> seen{{0, false}, {1, true}};

  /// The chance that the entry serves at this similarity: 1 − τ. Fewer than four labels of its own: never, since t has
  /// no variance that could be known.
  double serves(double similarity, double delta) const {
    if (seen.size() < 6) return 0;
    double intercept = -5, slope = 10;
    double h[3];
    for (int step = 0; step < 50; ++step) {
      double g[2] = {};
      h[0] = h[2] = 1e-6;  // pairs that can be parted cleanly have no finite fit
      h[1] = 0;
      for (const Seen& one : seen) {
        const double p = 1 / (1 + std::exp(-(intercept + slope * one.similarity)));
        const double w = p * (1 - p);
        g[0] += one.right - p;
        g[1] += (one.right - p) * one.similarity;
        h[0] += w;
        h[1] += w * one.similarity;
        h[2] += w * one.similarity * one.similarity;
      }
      const double det = h[0] * h[2] - h[1] * h[1];
      intercept = std::clamp(intercept + (h[2] * g[0] - h[1] * g[1]) / det, -300.0, 300.0);
      slope = std::clamp(slope + (h[0] * g[1] - h[1] * g[0]) / det, 0.1, 300.0);
    }
    const double det = h[0] * h[2] - h[1] * h[1];
    const double d0 = -1 / slope, d1 = intercept / (slope * slope);
    const double variance = (h[2] * d0 * d0 - 2 * h[1] * d0 * d1 + h[0] * d1 * d1) / det;
    double explore = 1;
    for (const auto& [chance, quantile] :
         {std::pair{0.01, 2.326}, {0.02, 2.054}, {0.05, 1.645}, {0.1, 1.282}, {0.2, 0.842}, {0.3, 0.524}, {0.5, 0.0}}) {
      const double t = std::clamp(-intercept / slope + quantile * std::sqrt(std::max(0.0, variance)), 0.0, 1.0);
      const double right = (1 - chance) / (1 + std::exp(-slope * (similarity - t)));
      explore = std::min(explore, 1 - delta / (1 - right));
    }
    return 1 - std::max(0.0, explore);
  }
};

}  // namespace aetherflow::bench
