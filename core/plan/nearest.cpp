#include "core/plan/nearest.hpp"

#include <algorithm>
#include <array>

#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kLongest = 128;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// Letters to change, add or leave out, or `most` when it is not below that.
std::uint32_t distance(std::string_view a, std::string_view b, std::uint32_t most) {
  std::array<std::uint8_t, kLongest + 1> row;
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<std::uint8_t>(j);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::uint32_t diagonal = row[0], least = row[0] = static_cast<std::uint8_t>(i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::uint32_t change = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      const std::uint32_t one = 1 + (diagonal < row[j] ? diagonal : row[j]);
      row[j + 1] = static_cast<std::uint8_t>(change < one ? change : one);
      if (row[j + 1] < least) least = row[j + 1];
    }
    if (least >= most) return most;
  }
  return row[b.size()] < most ? row[b.size()] : most;
}

}  // namespace

Nearest::Nearest(std::string_view wrong) : wrong_(wrong), least_(wrong.size() < 4 ? 2 : wrong.size() < 8 ? 3 : 4) {}

void Nearest::offer(std::string_view known) {
  const std::size_t longer = std::max(known.size(), wrong_.size()), shorter = std::min(known.size(), wrong_.size());
  if (longer > kLongest || shorter == 0 || longer - shorter >= least_) return;
  const std::uint32_t found = distance(wrong_, known, least_);
  // Of one letter all are wrong.
  if (found >= least_ || (found >= shorter && found > 0)) return;
  least_ = found;
  best_ = known;
}

void offerIds(Nearest& nearest, const Plan& plan) {
  const std::size_t count = std::min<std::size_t>(plan.steps.size(), 10'000);
  for (std::size_t i = 0; i < count; ++i) nearest.offer(plan.steps[i].id);
}

std::string Nearest::question() const {
  return best_.empty() ? std::string() : "; did you mean " + quoted(best_) + '?';
}

}  // namespace aetherflow
