#pragma once
// Health of providers: a circuit breaker for those that fail, a throttle for retries during a
// retry storm, and the first-token times of each model.

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"
#include "core/route/policy.hpp"

namespace aetherflow {

/// What a call's end did to its provider's breaker.
enum class BreakerChange : std::uint8_t { None, Opened, Closed };

class Health {
 public:
  void open(const Policy& policy, std::size_t providers, std::size_t models);

  /// When calls may go to the provider: 0 at once, kNever until the one probe in flight has ended.
  TimeMs blockedUntil(ProviderIndex provider, TimeMs now) const;
  /// A call goes there. True when it is the probe of an open breaker.
  bool dispatched(ProviderIndex provider, TimeMs now);
  BreakerChange succeeded(ProviderIndex provider);
  /// `unwell`: the kind counts against the provider. Others (a full limit) only count for the throttle.
  BreakerChange failed(ProviderIndex provider, bool unwell, bool probe, TimeMs now);
  /// A probe ended without telling anything: cancelled, withheld.
  void withdrawn(ProviderIndex provider, bool probe);

  /// False during a retry storm: more than half of the retry allowance is used up, see gRFC A6.
  bool retriesAllowed(ProviderIndex provider) const { return providers_[provider].allowance > kAllowance / 2; }

  BreakerState state(ProviderIndex provider) const { return providers_[provider].state; }
  TimeMs openUntil(ProviderIndex provider) const { return providers_[provider].until; }
  std::uint32_t timesOpened(ProviderIndex provider) const { return providers_[provider].opened; }

  void firstToken(ModelIndex model, std::int64_t ms);
  /// The 95th percentile of the last first-token times; four times the planning estimate until eight are known.
  std::int64_t firstTokenP95(ModelIndex model, std::int64_t planned) const;

 private:
  static constexpr std::int32_t kAllowance = 100, kFailureCosts = 10, kSuccessGives = 1;
  static constexpr std::size_t kRemembered = 32;
  struct One {
    BreakerState state = BreakerState::Closed;
    std::uint32_t failures = 0, opened = 0;
    std::int32_t allowance = kAllowance;  // tenths
    bool probing = false;
    std::int64_t openMs = 0;
    TimeMs until = 0;
  };
  struct Times {
    std::array<std::int32_t, kRemembered> ms{};
    std::uint32_t count = 0;
  };
  Policy policy_;
  std::vector<One> providers_;
  std::vector<Times> models_;
};

}  // namespace aetherflow
