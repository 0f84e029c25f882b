#include "core/plan/problems.hpp"

#include <utility>

namespace aetherflow {

bool Problems::add(ErrorCode code, std::string where, std::string detail) {
  if (!full()) list_.push_back({code, std::move(where), std::move(detail)});
  return false;
}

void Problems::lead(ErrorCode code, std::string detail) {
  list_.push_back({code, {}, std::move(detail)});
  for (std::size_t i = list_.size() - 1; i > 0; --i) std::swap(list_[i], list_[i - 1]);
}

}  // namespace aetherflow
