#pragma once
// How many calls each provider has in flight, and when the next place is expected to come free.
// Requests and tokens per minute are in quotas.hpp; the scheduler asks only `free` and `waitMs`.

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

class Slots {
 public:
  void open(std::vector<std::uint32_t> capacity) {
    capacity_ = std::move(capacity);
    ends_.assign(capacity_.size(), {});
  }

  bool free(ProviderIndex provider) const { return ends_[provider].size() < capacity_[provider]; }
  std::uint32_t inFlight(ProviderIndex provider) const { return static_cast<std::uint32_t>(ends_[provider].size()); }
  std::uint32_t capacity(ProviderIndex provider) const { return capacity_[provider]; }

  /// Takes a place until `release` with the same `expectedEnd`. Only when `free`. O(places in use).
  void take(ProviderIndex provider, TimeMs expectedEnd) {
    auto& ends = ends_[provider];
    std::size_t at = ends.size();
    ends.push_back(expectedEnd);
    for (; at > 0 && ends[at - 1] > expectedEnd; --at) ends[at] = ends[at - 1];
    ends[at] = expectedEnd;
  }

  void release(ProviderIndex provider, TimeMs expectedEnd) {
    auto& ends = ends_[provider];
    std::size_t at = 0;
    while (at < ends.size() && ends[at] < expectedEnd) ++at;
    if (at == ends.size()) return;
    for (; at + 1 < ends.size(); ++at) ends[at] = ends[at + 1];
    ends.pop_back();
  }

  /// Expected wait for a slot, ms; 0 when one is free. An overdue call is assumed to need as long again as it is overdue.
  std::int64_t waitMs(ProviderIndex provider, TimeMs now) const {
    if (free(provider)) return 0;
    const TimeMs first = ends_[provider].front();
    return first > now ? first - now : now - first;
  }

 private:
  std::vector<std::uint32_t> capacity_;
  std::vector<std::vector<TimeMs>> ends_;  // sorted expected ends per provider
};

}  // namespace aetherflow
