#include "core/limit/authority.hpp"

#include <algorithm>

#include "core/base/sort.hpp"

namespace aetherflow {
namespace {

constexpr std::int64_t kLengthMs[kWindows] = {60'000, 60'000, 86'400'000, 86'400'000};

constexpr bool ofTokens(std::size_t window) {
  return window == static_cast<std::size_t>(Window::TokensMinute) ||
         window == static_cast<std::size_t>(Window::TokensDay);
}

/// The smaller of two limits, `none` for no limit.
template <class T>
T smaller(T a, T b, T none) {
  if (a == none || b == none) return a == none ? b : a;
  return std::min(a, b);
}

}  // namespace

MemberId Authority::join() {
  Member member;
  bool any = false;
  for (const Member& other : members_)
    if (other.here) {
      member.had = any ? std::min(member.had, other.had) : other.had;
      any = true;
    }
  // Reuse free slots, so that a server's list of members does not grow without bound.
  for (MemberId id = 0; id < members_.size(); ++id)
    if (!members_[id].here) {
      members_[id] = member;
      return id;
    }
  members_.push_back(member);
  return static_cast<MemberId>(members_.size() - 1);
}

void Authority::leave(MemberId member, TimeMs now) {
  if (member >= members_.size() || !members_[member].here) return;
  members_[member].here = false;
  for (std::size_t i = leases_.size(); i-- > 0;)
    if (leases_[i].member == member) {
      const Lease lease = leases_[i];
      leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(i));
      SharedEnd gone;
      gone.tokens = lease.tokens;  // what it used will never be known
      end(lease, gone, now);
    }
  const auto mine = [member](const auto& one) { return one.member == member; };
  freed_.erase(std::remove_if(freed_.begin(), freed_.end(), mine), freed_.end());
  for (SharedGroup i = 0; i < groups_.size(); ++i) {
    std::vector<Ticket>& tickets = groups_[i].tickets;
    tickets.erase(std::remove_if(tickets.begin(), tickets.end(), mine), tickets.end());
    // Its limits no longer apply to the others.
    std::vector<Stated>& stated = groups_[i].stated;
    const std::size_t before = stated.size();
    stated.erase(std::remove_if(stated.begin(), stated.end(), mine), stated.end());
    if (!stated.empty() && stated.size() < before) settleLimits(groups_[i]);
    serve(i, now);
  }
}

SharedGroup Authority::group(MemberId member, std::string_view name, const SharedLimits& limits, bool& narrowed) {
  SharedGroup index = 0;
  while (index < groups_.size() && groups_[index].name != name) ++index;
  if (index == groups_.size()) {
    Group made;
    made.name = name;
    for (std::size_t w = 0; w < kWindows; ++w) made.windows[w].open(kLengthMs[w], limits.most[w]);
    groups_.push_back(std::move(made));
  }
  Group& group = groups_[index];
  const SharedLimits before = group.limits;
  const bool first = group.stated.empty();
  group.stated.push_back({member, limits});
  settleLimits(group);
  const auto differs = [](std::int64_t a, std::int64_t b, std::int64_t none) {
    return a != none && b != none && a != b;
  };
  narrowed = !first && differs(before.places, limits.places, 0);
  for (std::size_t w = 0; w < kWindows; ++w)
    narrowed = narrowed || (!first && differs(before.most[w], limits.most[w], -1));
  return index;
}

void Authority::settleLimits(Group& group) {
  SharedLimits all = group.stated.front().limits;
  for (const Stated& one : group.stated) {
    for (std::size_t w = 0; w < kWindows; ++w) all.most[w] = smaller<std::int64_t>(all.most[w], one.limits.most[w], -1);
    all.places = smaller<std::uint32_t>(all.places, one.limits.places, 0);
    all.breakerFailures = smaller<std::uint32_t>(all.breakerFailures, one.limits.breakerFailures, 0);
  }
  for (std::size_t w = 0; w < kWindows; ++w)
    if (all.most[w] != group.limits.most[w]) group.windows[w].configure(all.most[w]);
  group.limits = all;
}

/// No placement of a window will ever hold a call of that size.
bool Authority::tooLarge(const Group& group, std::int64_t tokens) const {
  for (std::size_t w = 0; w < kWindows; ++w)
    if (group.windows[w].never(ofTokens(w) ? tokens : 1)) return true;
  return false;
}

/// What a call's tokens count as, next to those of others.
std::int64_t Authority::counted(const Group& group, std::int64_t tokens) const {
  for (std::size_t w = 0; w < kWindows; ++w)
    if (ofTokens(w)) tokens = group.windows[w].counted(tokens);
  return tokens;
}

/// Whether `calls` with a total of `tokens` fit now; if not, why and until when.
SharedAnswer Authority::room(Group& group, std::int64_t calls, std::int64_t tokens, TimeMs now) {
  SharedAnswer answer;
  if (group.coolUntil > now) {
    answer.why = Refusal::Cooldown;
    answer.until = group.coolUntil;
    return answer;
  }
  if (group.breaker != BreakerState::Closed) {
    answer.why = Refusal::Breaker;
    if (group.probing) return answer;
    if (group.openUntil > now) answer.until = group.openUntil;
    if (group.openUntil > now || calls > 1) return answer;
  }
  if (group.limits.places > 0 && group.inFlight + calls > group.limits.places) {
    answer.why = Refusal::Places;
    answer.until = kNever;
    return answer;
  }
  answer = {};
  answer.granted = true;
  TimeMs until = 0;
  for (std::size_t w = 0; w < kWindows; ++w) {
    SlidingWindow& window = group.windows[w];
    const std::int64_t amount = ofTokens(w) ? tokens : calls;
    if (window.fits(amount, now)) continue;
    answer.granted = false;
    answer.why = Refusal::Window;
    const TimeMs at = window.fitsAt(amount, now);
    if (answer.window == Window::Count || at > until) answer.window = static_cast<Window>(w);
    until = std::max(until, at);
  }
  if (!answer.granted) answer.until = until;
  return answer;
}

bool Authority::before(const Ticket& a, const Ticket& b) const {
  const bool oldA = a.passed >= kMostPassed, oldB = b.passed >= kMostPassed;
  if (oldA != oldB) return oldA;
  if (oldA) return a.order < b.order;
  if (a.priority != b.priority) return a.priority > b.priority;
  const std::uint64_t hadA = members_[a.member].had, hadB = members_[b.member].had;
  return hadA != hadB ? hadA < hadB : a.order < b.order;
}

/// The member's ticket in the group, made where it has none.
std::size_t Authority::ticketOf(Group& group, const SharedAsk& ask) {
  for (std::size_t i = 0; i < group.tickets.size(); ++i)
    if (group.tickets[i].member == ask.member) {
      group.tickets[i].priority = std::max(group.tickets[i].priority, ask.priority);
      group.tickets[i].tokens = ask.tokens;
      return i;
    }
  group.tickets.push_back({ask.member, ask.priority, ask.tokens, orders_++});
  return group.tickets.size() - 1;
}

SharedAnswer Authority::ask(const SharedAsk& ask, TimeMs now) {
  SharedAnswer answer;
  if (ask.group >= groups_.size() || ask.member >= members_.size() || !members_[ask.member].here) return answer;
  Group& group = groups_[ask.group];
  lapse(group, now);
  if (ask.again) {
    grant(group, ask, now);
    answer.granted = true;
    return answer;
  }
  const std::size_t mine = ticketOf(group, ask);
  if (tooLarge(group, ask.tokens)) {
    group.tickets.erase(group.tickets.begin() + static_cast<std::ptrdiff_t>(mine));
    answer.why = Refusal::TooLarge;
    serve(ask.group, now);
    return answer;
  }
  answer = room(group, 1, counted(group, ask.tokens), now);
  if (answer.granted) {
    // Do not take room that a better ticket is waiting for.
    std::int64_t calls = 1, tokens = counted(group, ask.tokens);
    bool better = false;
    for (const Ticket& ticket : group.tickets) {
      if (ticket.member == ask.member || tooLarge(group, ticket.tokens)) continue;
      if (!before(ticket, group.tickets[mine])) continue;
      better = true;
      ++calls;
      tokens += counted(group, ticket.tokens);
    }
    if (better && !room(group, calls, tokens, now).granted) {
      answer = {};
      answer.why = Refusal::Turn;
    }
  }
  if (!answer.granted) {
    group.tickets[mine].offeredUntil = -1;
    serve(ask.group, now);
    return answer;
  }
  const Ticket served = group.tickets[mine];
  group.tickets.erase(group.tickets.begin() + static_cast<std::ptrdiff_t>(mine));
  for (Ticket& ticket : group.tickets)
    if (ticket.order < served.order || before(ticket, served)) ++ticket.passed;
  grant(group, ask, now);
  serve(ask.group, now);
  return answer;
}

void Authority::grant(Group& group, const SharedAsk& ask, TimeMs now) {
  ++group.inFlight;
  for (std::size_t w = 0; w < kWindows; ++w) group.windows[w].reserve(ofTokens(w) ? ask.tokens : 1);
  Lease lease{ask.member, ask.call, ask.group, ask.tokens};
  if (group.breaker != BreakerState::Closed && group.openUntil <= now && !group.probing) {
    group.breaker = BreakerState::HalfOpen;
    group.probing = lease.probe = true;
  }
  leases_.push_back(lease);
  ++members_[ask.member].had;
}

std::size_t Authority::lease(MemberId member, CallId call) const {
  std::size_t i = 0;
  while (i < leases_.size() && (leases_[i].member != member || leases_[i].call != call)) ++i;
  return i;
}

void Authority::arrived(MemberId member, CallId call, TimeMs now) {
  const std::size_t at = lease(member, call);
  if (at == leases_.size() || leases_[at].counted) return;
  leases_[at].counted = true;
  for (std::size_t w = 0; w < kWindows; ++w)
    if (!ofTokens(w)) groups_[leases_[at].group].windows[w].settle(1, 1, now);
}

void Authority::settle(MemberId member, CallId call, const SharedEnd& how, TimeMs now) {
  const std::size_t at = lease(member, call);
  if (at == leases_.size()) return;
  const Lease lease = leases_[at];
  leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(at));
  end(lease, how, now);
  serve(lease.group, now);
}

void Authority::end(const Lease& lease, const SharedEnd& how, TimeMs now) {
  Group& group = groups_[lease.group];
  --group.inFlight;
  for (std::size_t w = 0; w < kWindows; ++w) {
    if (ofTokens(w))
      group.windows[w].settle(lease.tokens, how.sent ? how.tokens : 0, now);
    else if (!lease.counted)
      group.windows[w].settle(1, how.sent ? 1 : 0, now);
  }
  if (how.retryAfterMs >= 0) group.coolUntil = std::max(group.coolUntil, now + how.retryAfterMs);
  breakerHears(group, lease, how, now);
}

void Authority::breakerHears(Group& group, const Lease& lease, const SharedEnd& how, TimeMs now) {
  if (lease.probe) group.probing = false;
  if (!how.sent) return;
  if (how.ok || (lease.probe && !how.unwell)) {
    group.failures = 0;
    group.openMs = 0;
    group.breaker = BreakerState::Closed;
    group.probing = false;
    return;
  }
  if (!how.unwell) return;
  ++group.failures;
  const bool opens = group.breaker == BreakerState::Closed
                         ? group.limits.breakerFailures > 0 && group.failures >= group.limits.breakerFailures
                         : lease.probe;
  if (!opens) return;
  group.openMs = std::min(group.openMs == 0 ? group.limits.openMs : group.openMs * 2, group.limits.maxOpenMs);
  group.openUntil = now + group.openMs;
  group.breaker = BreakerState::Open;
}

void Authority::seen(SharedGroup index, Window window, std::int64_t limit, std::int64_t remaining, std::int64_t resetMs,
                     TimeMs now) {
  if (index < groups_.size())
    groups_[index].windows[static_cast<std::size_t>(window)].seen(limit, remaining, resetMs, now);
}

/// Drops tickets whose owners were told of room and did not ask.
void Authority::lapse(Group& group, TimeMs now) {
  const auto lapsed = [now](const Ticket& ticket) { return ticket.offeredUntil >= 0 && ticket.offeredUntil <= now; };
  group.tickets.erase(std::remove_if(group.tickets.begin(), group.tickets.end(), lapsed), group.tickets.end());
}

/// Notifies those for whom there is room, in the order of their tickets. Stops at the first that does not fit: a large call is not
/// overtaken for ever by small ones.
void Authority::serve(SharedGroup index, TimeMs now) {
  Group& group = groups_[index];
  lapse(group, now);
  sortItems(group.tickets, [this](const Ticket& a, const Ticket& b) { return before(a, b); });
  std::int64_t calls = 0, tokens = 0;
  for (Ticket& ticket : group.tickets) {
    // A ticket that can never be served is notified too: it asks, and learns why.
    const bool never = tooLarge(group, ticket.tokens);
    calls += never ? 0 : 1;
    tokens += never ? 0 : counted(group, ticket.tokens);
    if (!never && !room(group, calls, tokens, now).granted) return;
    if (ticket.offeredUntil >= 0) continue;
    ticket.offeredUntil = now + kOfferMs;
    freed_.push_back({ticket.member, index});
  }
}

void Authority::tick(TimeMs now) {
  for (SharedGroup i = 0; i < groups_.size(); ++i) serve(i, now);
}

TimeMs Authority::nextWake(TimeMs now) {
  TimeMs wake = kNever;
  for (Group& group : groups_) {
    std::int64_t calls = 0, tokens = 0;
    for (const Ticket& ticket : group.tickets) {
      const bool never = tooLarge(group, ticket.tokens);
      calls += never ? 0 : 1;
      tokens += never ? 0 : counted(group, ticket.tokens);
      if (ticket.offeredUntil >= 0) {
        wake = std::min(wake, ticket.offeredUntil);
        continue;
      }
      const SharedAnswer answer = room(group, calls, tokens, now);
      wake = std::min(wake, answer.granted ? now : answer.until);
      break;
    }
  }
  return wake;
}

bool Authority::takeFreed(MemberId& member, SharedGroup& group) {
  if (freed_.empty()) return false;
  member = freed_.front().member;
  group = freed_.front().group;
  freed_.erase(freed_.begin());
  return true;
}

}  // namespace aetherflow
