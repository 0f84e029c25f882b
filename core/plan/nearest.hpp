#pragma once
// Which of the known names a misspelt one was meant to be.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace aetherflow {

/// Offer the known names one after the other. Case counts for nothing. Of up to three bytes one may be wrong, of up to
/// seven two, else three.
class Nearest {
 public:
  explicit Nearest(std::string_view wrong);
  void offer(std::string_view known);
  /// The first of the nearest, or empty; borrowed from what was offered.
  std::string_view best() const { return best_; }
  /// `; did you mean "name"?`, or nothing.
  std::string question() const;

 private:
  std::string_view wrong_, best_;
  std::uint32_t least_;  ///< only what is nearer than this counts
};

/// Offers the ids of the plan's first ten thousand steps: more would let a hostile plan buy time with its mistakes.
void offerIds(Nearest& nearest, const Plan& plan);

}  // namespace aetherflow
