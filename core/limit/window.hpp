#pragma once
// One limit over a sliding window. Never broken in any placement of the window: what live calls may still use is
// reserved and does not expire; what was used counts for one whole window from the latest moment at which it can have happened.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

class SlidingWindow {
 public:
  /// `most`: the configured limit, −1 for none.
  void open(std::int64_t lengthMs, std::int64_t most) {
    length_ = lengthMs;
    configured_ = limit_ = most;
  }

  /// Another configured limit from now on; a tighter one that a provider reported still applies.
  void configure(std::int64_t most);

  bool limited() const { return limit_ >= 0; }
  std::int64_t limit() const { return limit_; }
  /// No placement of the window can ever hold so much: it is above the configured limit. A limit that only a provider reported
  /// does not count here, as its unit is unknown: see `counted`.
  bool never(std::int64_t amount) const { return configured_ >= 0 && amount > configured_; }
  /// What `amount` counts as: at most a whole window as reported by a provider, so that anything larger gets it to itself.
  std::int64_t counted(std::int64_t amount) const { return learned_ >= 0 ? std::min(amount, limit_) : amount; }
  /// Used and not expired, reserved, and what others used of the same account as far as the provider reported it.
  std::int64_t taken(TimeMs now);
  bool fits(std::int64_t amount, TimeMs now) { return !limited() || taken(now) + amount <= limit_; }
  /// When `amount` fits without any live call ending: `now` when it does already; kNever when only an end can help, or nothing.
  TimeMs fitsAt(std::int64_t amount, TimeMs now);

  void reserve(std::int64_t amount) { reserved_ += amount; }
  /// Releases a reservation and counts what was actually used, from now on for one window.
  void settle(std::int64_t reserved, std::int64_t used, TimeMs now);
  /// What a reply said: the limit (−1: not given), what is left of it (−1), ms until it is whole again (−1). A limit that
  /// is looser than the configured one changes nothing. True when it revealed a tighter limit than was known.
  bool seen(std::int64_t limit, std::int64_t remaining, std::int64_t resetMs, TimeMs now);

 private:
  struct Entry {
    TimeMs until;
    std::int64_t amount;
  };
  void expire(TimeMs now);

  std::int64_t length_ = 60'000, configured_ = -1, learned_ = -1, limit_ = -1;
  std::int64_t used_ = 0, reserved_ = 0, foreign_ = 0;
  TimeMs foreignUntil_ = 0;
  std::vector<Entry> entries_;  // ascending `until`; the first `first_` are gone
  std::size_t first_ = 0;
};

}  // namespace aetherflow
