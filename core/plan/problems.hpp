#pragma once
// All errors of a plan, so that one reading tells them all.

#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace aetherflow {

/// In the order in which the text shows them; the first kMost are kept.
class Problems {
 public:
  static constexpr std::size_t kMost = 20;

  /// False, so that a check can end with `return problems.add(…)`.
  bool add(ErrorCode code, std::string where, std::string detail);
  /// The text is no JSON at all: that comes first.
  void lead(ErrorCode code, std::string detail);

  bool any() const { return !list_.empty(); }
  bool full() const { return list_.size() >= kMost; }
  /// plan.too_large ends the reading.
  bool tooLarge() const { return any() && list_.back().code == ErrorCode::PlanTooLarge; }
  const std::vector<Error>& list() const { return list_; }

 private:
  std::vector<Error> list_;
};

}  // namespace aetherflow
