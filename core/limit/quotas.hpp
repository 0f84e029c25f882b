#pragma once
// Quota groups: the limits that several models, or several keys, share. Checked before a call is dispatched, settled when
// it has ended.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/limit/window.hpp"

namespace aetherflow {

using QuotaIndex = std::uint16_t;

/// A group's limits in the configuration; −1 and 0: no limit.
struct QuotaLimits {
  std::string group;
  std::array<std::int64_t, kWindows> most{-1, -1, -1, -1};
  std::uint32_t concurrency = 0;
};

/// Why a call does not fit a group now.
struct QuotaFit {
  bool fits = true;
  bool ever = true;               ///< false: larger than the whole limit, it will never fit
  Window window = Window::Count;  ///< the full one, Count: too many calls at once
  TimeMs until = kNever;
};

/// The last answer of the shared limits for a group: full until then.
struct SharedBlock {
  Refusal why = Refusal::Places;
  Window window = Window::Count;
  TimeMs until = 0;  ///< kNever: until it is freed
};

class Quotas {
 public:
  void open(const std::vector<QuotaLimits>& groups);

  /// Whether a call with `tokens` fits now; `newCall` false: more tokens of a call that was taken before.
  QuotaFit check(QuotaIndex group, std::int64_t tokens, TimeMs now, bool newCall = true);
  /// Reserves one request and `tokens`.
  void take(QuotaIndex group, std::int64_t tokens);
  /// Reserves more tokens for a call that was taken before.
  void grow(QuotaIndex group, std::int64_t tokens);
  /// By now the provider has counted the request: its window starts here.
  void arrived(QuotaIndex group, TimeMs now);
  /// The call is over. `counted`: its request was told by `arrived` before. `sent` false: it never left.
  void settle(QuotaIndex group, std::int64_t reserved, std::int64_t used, bool counted, bool sent, TimeMs now);

  /// No calls before this time; the later of both applies.
  void cool(QuotaIndex group, TimeMs until) {
    if (until > groups_[group].coolUntil) groups_[group].coolUntil = until;
  }
  TimeMs coolUntil(QuotaIndex group) const { return groups_[group].coolUntil; }
  /// The provider asked to come back later: from then on one call at a time probes, until one is served.
  void pushedBack(QuotaIndex group) {
    groups_[group].allowed = 1;
    ++groups_[group].pushes;
  }
  /// How often in a row that happened.
  std::uint32_t pushes(QuotaIndex group) const { return groups_[group].pushes; }
  /// A call was served: twice as many may go, until all may.
  void served(QuotaIndex group);
  bool mayProbe(QuotaIndex group) const {
    return groups_[group].allowed == 0 || groups_[group].inFlight < groups_[group].allowed;
  }
  /// The shared limits had no room for the group; a later answer replaces an earlier one.
  void blockShared(QuotaIndex group, Refusal why, Window window, TimeMs until) {
    groups_[group].block = {why, window, until};
  }
  void freed(QuotaIndex group) { groups_[group].block = {}; }
  const SharedBlock& sharedBlock(QuotaIndex group) const { return groups_[group].block; }
  bool seen(QuotaIndex group, Window window, std::int64_t limit, std::int64_t remaining, std::int64_t resetMs,
            TimeMs now);
  /// Whether any group counts tokens: prompts then have to be estimated before the call.
  bool countsTokens() const { return countsTokens_; }
  SlidingWindow& window(QuotaIndex group, Window window) {
    return groups_[group].windows[static_cast<std::size_t>(window)];
  }
  std::size_t size() const { return groups_.size(); }

 private:
  struct Group {
    std::array<SlidingWindow, kWindows> windows;
    std::uint32_t concurrency = 0, inFlight = 0;
    TimeMs coolUntil = 0;
    std::uint32_t allowed = 0, pushes = 0;  ///< calls at once after it was pushed back, 0: any number
    SharedBlock block;
  };
  std::vector<Group> groups_;
  bool countsTokens_ = false;
};

}  // namespace aetherflow
