#include "core/limit/draft_book.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

// ln(P under H1 / P under H0) of each outcome, and the bounds ln((1 − β)/α), ln(β/(1 − α)); all × 1,000,000.
constexpr std::int64_t kAccepted = -223'144, kNotAccepted = 470'004;
constexpr std::int64_t kAgrees = -63'179, kRegrets = 1'386'294;
constexpr std::int64_t kUpper = 2'890'372, kLower = -2'251'292;
/// Where the sum of a pair that has passed stands, and below which it never falls: so far under the upper bound that watching the pair
/// over 1,000 further answers adds next to nothing to α.
constexpr std::int64_t kWatched = kUpper - 7'500'000;

constexpr std::int64_t kMostCount = 1'000'000'000, kMostTest = 10'000'000;

}  // namespace

void DraftRecord::set(DraftField field, std::int64_t value) {
  const bool test = field == DraftField::AcceptTest || field == DraftField::RegretTest;
  at(field) = test ? std::clamp(value, -kMostTest, kMostTest) : std::clamp<std::int64_t>(value, 0, kMostCount);
}

/// A bound that is reached decides. At the upper one the pair is switched off, and its way back is a test of its own. At the lower
/// one it has passed: it is watched from there on, or it is on again where this test had switched it off, and tested again.
void DraftRecord::step(DraftField test, std::int64_t by, std::int64_t off) {
  std::int64_t& sum = at(test);
  const bool watched = sum < kLower;
  sum += by;
  if (watched) sum = std::max(sum, kWatched);
  if ((watched || sum > kLower) && sum < kUpper) return;
  const bool bad = sum >= kUpper;
  sum = bad || at(DraftField::Off) == off ? 0 : kWatched;
  if (bad && at(DraftField::Off) == 0) {
    at(DraftField::Off) = off;
    at(DraftField::ProbeIn) = kDraftProbe;
    ++at(DraftField::Switched);
    at(DraftField::AcceptTest) = at(DraftField::RegretTest) = 0;
  } else if (!bad && at(DraftField::Off) == off) {
    at(DraftField::Off) = at(DraftField::ProbeIn) = 0;
  }
}

void DraftRecord::tell(DraftOutcome outcome) {
  const bool off = at(DraftField::Off) != 0;
  switch (outcome) {
    case DraftOutcome::Refused:
      if (off) at(DraftField::ProbeIn) = std::max<std::int64_t>(1, at(DraftField::ProbeIn) - 1);
      return;
    case DraftOutcome::Accepted:
    case DraftOutcome::Patched:
    case DraftOutcome::Rejected:
      ++at(DraftField::Drafted);
      if (off) at(DraftField::ProbeIn) = kDraftProbe;
      if (outcome == DraftOutcome::Patched) ++at(DraftField::Patched);
      if (outcome == DraftOutcome::Accepted) ++at(DraftField::Accepted);
      return step(DraftField::AcceptTest, outcome == DraftOutcome::Accepted ? kAccepted : kNotAccepted, 1);
    default:
      ++at(DraftField::Audited);
      if (outcome == DraftOutcome::Regrets) ++at(DraftField::Regrets);
      return step(DraftField::RegretTest, outcome == DraftOutcome::Regrets ? kRegrets : kAgrees, 2);
  }
}

}  // namespace aetherflow
