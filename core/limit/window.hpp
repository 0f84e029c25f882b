#pragma once
// One limit over a sliding window. Never broken in any placement of the window: what live calls may still use is
// reserved and does not expire; what was used counts for one whole window after the moment at which the use was surely over.

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

  /// Another configured limit from now on; what a provider told of a tighter one still holds.
  void configure(std::int64_t most);

  bool limited() const { return limit_ >= 0; }
  std::int64_t limit() const { return limit_; }
  /// No placement of the window will ever hold so much: it is over what was configured. A limit that only a provider told of is
  /// no such word, as nobody knows in what it counts: see `counted`.
  bool never(std::int64_t amount) const { return configured_ >= 0 && amount > configured_; }
  /// What `amount` counts as: at most a whole window that a provider told of, so that what is larger has it to itself.
  std::int64_t counted(std::int64_t amount) const { return learned_ >= 0 ? std::min(amount, limit_) : amount; }
  /// Used and not expired, reserved, and what others used of the same account as far as the provider told.
  std::int64_t taken(TimeMs now);
  bool fits(std::int64_t amount, TimeMs now) { return !limited() || taken(now) + amount <= limit_; }
  /// When `amount` fits without any live call ending: `now` when it does already; kNever when only an end can help, or nothing.
  TimeMs fitsAt(std::int64_t amount, TimeMs now);

  void reserve(std::int64_t amount) { reserved_ += amount; }
  /// Gives a reservation back and counts what was really used, from now on for one window.
  void settle(std::int64_t reserved, std::int64_t used, TimeMs now);
  /// What a reply said: the limit (−1 not said), what is left of it (−1), ms until it is whole again (−1). A limit that
  /// is looser than the configured one changes nothing. True when it taught a tighter limit than was known.
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
