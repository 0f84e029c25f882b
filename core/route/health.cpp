#include "core/route/health.hpp"

#include <algorithm>
#include <functional>

#include "core/base/sort.hpp"

namespace aetherflow {

void Health::open(const Policy& policy, std::size_t providers, std::size_t models) {
  policy_ = policy;
  providers_.assign(providers, {});
  models_.assign(models, {});
}

TimeMs Health::blockedUntil(ProviderIndex index, TimeMs now) const {
  const One& one = providers_[index];
  if (one.state == BreakerState::Closed) return 0;
  if (one.probing) return kNever;
  return one.until > now ? one.until : 0;
}

bool Health::dispatched(ProviderIndex index, TimeMs now) {
  One& one = providers_[index];
  if (one.state == BreakerState::Closed || one.until > now) return false;
  one.state = BreakerState::HalfOpen;
  one.probing = true;
  return true;
}

BreakerChange Health::succeeded(ProviderIndex index) {
  One& one = providers_[index];
  one.failures = 0;
  one.allowance = std::min(kAllowance, one.allowance + kSuccessGives);
  if (one.state == BreakerState::Closed) return BreakerChange::None;
  // A call from before the breaker opened proves as much as a probe: the provider answers.
  one.state = BreakerState::Closed;
  one.probing = false;
  one.openMs = 0;
  one.allowance = kAllowance;
  return BreakerChange::Closed;
}

BreakerChange Health::failed(ProviderIndex index, bool unwell, bool probe, TimeMs now) {
  One& one = providers_[index];
  one.allowance = std::max(0, one.allowance - kFailureCosts);
  if (probe) one.probing = false;
  if (!unwell) {
    // It answered, if only to refuse: the cause that opened the breaker is gone.
    if (!probe) return BreakerChange::None;
    one.state = BreakerState::Closed;
    one.failures = 0;
    one.openMs = 0;
    return BreakerChange::Closed;
  }
  ++one.failures;
  const bool opens = one.state == BreakerState::Closed ? one.failures >= policy_.failures : probe;
  if (!opens) return BreakerChange::None;
  one.openMs = std::min(one.openMs == 0 ? policy_.openMs : one.openMs * 2, policy_.maxOpenMs);
  one.until = now + one.openMs;
  one.state = BreakerState::Open;
  ++one.opened;
  return BreakerChange::Opened;
}

void Health::withdrawn(ProviderIndex index, bool probe) {
  if (probe) providers_[index].probing = false;
}

void Health::firstToken(ModelIndex model, std::int64_t ms) {
  Times& times = models_[model];
  times.ms[times.count++ % kRemembered] = static_cast<std::int32_t>(std::clamp<std::int64_t>(ms, 0, INT32_MAX));
}

std::int64_t Health::firstTokenP95(ModelIndex model, std::int64_t planned) const {
  const Times& times = models_[model];
  const std::size_t known = std::min<std::size_t>(times.count, kRemembered);
  if (known < 8) return 4 * planned;
  std::vector<std::int32_t> sorted(times.ms.begin(), times.ms.begin() + static_cast<std::ptrdiff_t>(known));
  sortItems(sorted, std::less<>());
  return sorted[(known * 95 + 99) / 100 - 1];
}

}  // namespace aetherflow
