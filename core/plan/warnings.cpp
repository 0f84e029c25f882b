#include "core/plan/warnings.hpp"

#include <utility>

#include "core/plan/place.hpp"

namespace aetherflow {

void Warnings::add(ErrorCode code, std::string where, std::string detail) {
  if (list_.size() > kMost) return;
  if (list_.size() == kMost) {
    list_.push_back({code, "", "more warnings were left out"});
    return;
  }
  list_.push_back({code, std::move(where), std::move(detail)});
}

void Warnings::unknownMember(std::string_view owner, std::string_view name, std::string where, const Nearest& meant) {
  if (list_.size() > kMost) return;
  std::string key(owner);
  key += '/';
  key += name;
  if (!names_.emplace(key, 0).second) return;
  add(ErrorCode::PlanUnknownMember, std::move(where),
      quoted(name) + " is not a member of a " + std::string(owner) + meant.question());
}

}  // namespace aetherflow
