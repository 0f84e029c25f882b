#pragma once
// The limits of a whole process: places, quota windows, cool-downs and circuit breakers that all its runs share. A run decides by
// its own books; the authority is asked at the moment a call leaves, and a refusal is an event of the run (`refused`), so that a
// replay needs no authority. Pure: the time is an argument, and the same questions in the same order get the same answers.
//
//   member A ─ ask ─▶ ┌ group "openai" ─ places, windows, cool-down, breaker ┐ ◀─ ask ─ member B
//           ◀ granted │   tickets: B (priority 3), C (priority 0, had least) │ refused ─▶
//            settle ─▶ └──────────────── room again: B is told first ─────────┘ ─ freed ─▶ B
//
// Fair: who was refused holds a ticket. Tickets are served by priority, then by who had least, then by age; one that was passed
// over kMostPassed times goes first. No one takes room that a better ticket is waiting for. A member that is told of room and does not
// ask within kOfferMs loses its ticket.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/limit/window.hpp"

namespace aetherflow {

using MemberId = std::uint32_t;
using SharedGroup = std::uint32_t;

/// The limits that one run states for a group; −1 and 0: no limit.
struct SharedLimits {
  std::array<std::int64_t, kWindows> most{-1, -1, -1, -1};
  std::uint32_t places = 0;
  std::uint32_t breakerFailures = 5;  ///< in a row; 0: no breaker
  std::int64_t openMs = 10'000, maxOpenMs = 60'000;
};

/// A call that is about to leave.
struct SharedAsk {
  MemberId member = 0;
  CallId call = kNone;  ///< the member's own number; one live call each
  SharedGroup group = 0;
  std::int64_t tokens = 0;  ///< its worst case
  std::int32_t priority = 0;
  bool again = false;  ///< sent by an earlier process already: counted, never refused
};

struct SharedAnswer {
  bool granted = false;
  Refusal why = Refusal::Places;
  Window window = Window::Count;
  TimeMs until = kNever;  ///< kNever: until it is freed
};

/// How a granted call ended.
struct SharedEnd {
  std::int64_t tokens = 0;  ///< that it used
  bool sent = true;         ///< false: it never left
  bool ok = true;           ///< the provider answered
  bool unwell = false;      ///< the failure counts against the provider
  std::int64_t retryAfterMs = -1;
};

class Authority {
 public:
  /// A ticket passed over this often goes before all others: no one starves behind a stream of urgent calls.
  static constexpr std::uint32_t kMostPassed = 16;
  /// How long offered room is kept, ms.
  static constexpr std::int64_t kOfferMs = 1'000;

  /// A run joins. It starts level with the members that had least, so that a late one neither waits nor is served alone.
  MemberId join();
  /// The run has ended or died: its reservations are released (what its calls may have used counts as used), its tickets dropped.
  void leave(MemberId member, TimeMs now);

  /// The group of that name; the member states these limits of it until it leaves. Where members state different limits the
  /// smaller holds; `narrowed` then tells whether this statement changed others or was overruled.
  SharedGroup group(MemberId member, std::string_view name, const SharedLimits& limits, bool& narrowed);

  SharedAnswer ask(const SharedAsk& ask, TimeMs now);
  /// By now the provider has counted the request: its window starts here.
  void arrived(MemberId member, CallId call, TimeMs now);
  /// A granted call is over. Unknown ones are ignored: they ended with their member.
  void settle(MemberId member, CallId call, const SharedEnd& end, TimeMs now);
  /// What a reply's headers state about a window; −1 = not given.
  void seen(SharedGroup group, Window window, std::int64_t limit, std::int64_t remaining, std::int64_t resetMs,
            TimeMs now);

  /// Handles what is due: lapsed offers, windows with room again.
  void tick(TimeMs now);
  /// When tick() should be called next; kNever: only events can change anything.
  TimeMs nextWake(TimeMs now);
  /// The next member and group that should be told `freed`; false when there is none.
  bool takeFreed(MemberId& member, SharedGroup& group);

  // For reports and tests.
  std::uint32_t inFlight(SharedGroup group) const { return groups_[group].inFlight; }
  std::int64_t taken(SharedGroup group, Window window, TimeMs now) {
    return groups_[group].windows[static_cast<std::size_t>(window)].taken(now);
  }
  std::size_t waiting(SharedGroup group) const { return groups_[group].tickets.size(); }
  BreakerState breaker(SharedGroup group) const { return groups_[group].breaker; }
  const SharedLimits& limits(SharedGroup group) const { return groups_[group].limits; }
  const std::string& name(SharedGroup group) const { return groups_[group].name; }
  std::size_t groups() const { return groups_.size(); }

 private:
  struct Ticket {
    MemberId member;
    std::int32_t priority;
    std::int64_t tokens;
    std::uint64_t order;
    std::uint32_t passed = 0;
    TimeMs offeredUntil = -1;  ///< −1: not offered
  };
  struct Lease {
    MemberId member;
    CallId call;
    SharedGroup group;
    std::int64_t tokens;
    bool counted = false, probe = false;
  };
  struct Stated {
    MemberId member;
    SharedLimits limits;
  };
  struct Group {
    std::string name;
    std::vector<Stated> stated;  ///< empty: the last ones hold until somebody states others
    SharedLimits limits;
    std::array<SlidingWindow, kWindows> windows;
    std::uint32_t inFlight = 0;
    TimeMs coolUntil = 0;
    BreakerState breaker = BreakerState::Closed;
    std::uint32_t failures = 0;
    bool probing = false;
    std::int64_t openMs = 0;
    TimeMs openUntil = 0;
    std::vector<Ticket> tickets;
  };
  struct Member {
    bool here = true;
    std::uint64_t had = 0;  ///< calls granted, from the level at which it joined
  };
  struct Freed {
    MemberId member;
    SharedGroup group;
  };

  /// The smallest of the stated limits applies.
  static void settleLimits(Group& group);
  bool tooLarge(const Group& group, std::int64_t tokens) const;
  std::int64_t counted(const Group& group, std::int64_t tokens) const;
  SharedAnswer room(Group& group, std::int64_t calls, std::int64_t tokens, TimeMs now);
  bool before(const Ticket& a, const Ticket& b) const;
  std::size_t ticketOf(Group& group, const SharedAsk& ask);
  void serve(SharedGroup group, TimeMs now);
  void lapse(Group& group, TimeMs now);
  void grant(Group& group, const SharedAsk& ask, TimeMs now);
  void end(const Lease& lease, const SharedEnd& end, TimeMs now);
  void breakerHears(Group& group, const Lease& lease, const SharedEnd& end, TimeMs now);
  std::size_t lease(MemberId member, CallId call) const;

  std::vector<Group> groups_;
  std::vector<Member> members_;
  std::vector<Lease> leases_;
  std::vector<Freed> freed_;
  std::uint64_t orders_ = 0;
};

}  // namespace aetherflow
