// The limits of the process across the boundary, a module of its own, which hosts load when runs share limits: scalars alone, one
// object for all runs. See core/limit/authority.hpp.

#include <emscripten/bind.h>

#include <string>

#include "core/limit/authority.hpp"
#include "core/limit/draft_book.hpp"
#include "core/route/policy.hpp"
#include "core/run/numbers.hpp"

// See cache_embind.cpp.
extern "C" int __wrap_siprintf(char* to, const char*, ...) {
  to[0] = '?';
  to[1] = '\0';
  return 1;
}

namespace aetherflow {
namespace {

class SharedAuthority {
 public:
  double join() { return authority_.join(); }
  void leave(double member, double now) { authority_.leave(id(member), whole(now)); }
  /// Number of the group. Limits in the order of WINDOW, -1 for none; 0 places: no limit. narrowed(): see Authority::group.
  double group(double member, const std::string& name, double places, double requestsMinute, double tokensMinute,
               double requestsDay, double tokensDay, double breakerFailures, double openMs, double maxOpenMs) {
    SharedLimits limits;
    limits.places = count(places);
    limits.most = {whole(requestsMinute), whole(tokensMinute), whole(requestsDay), whole(tokensDay)};
    limits.breakerFailures = count(breakerFailures);
    limits.openMs = whole(openMs);
    limits.maxOpenMs = whole(maxOpenMs);
    return authority_.group(id(member), name, limits, narrowed_);
  }
  bool narrowed() const { return narrowed_; }
  /// A REFUSAL, or -1 when the call may leave; then window() and until() say more, -1 where there is nothing to say.
  int ask(double member, double call, double group, double tokens, double priority, bool again, double now) {
    SharedAsk ask;
    ask.member = id(member);
    ask.call = id(call);
    ask.group = id(group);
    ask.tokens = whole(tokens);
    ask.priority = static_cast<std::int32_t>(priority);
    ask.again = again;
    answer_ = authority_.ask(ask, whole(now));
    return answer_.granted ? -1 : static_cast<int>(answer_.why);
  }
  int window() const { return answer_.window == Window::Count ? -1 : static_cast<int>(answer_.window); }
  double until() const { return answer_.until == kNever ? -1 : static_cast<double>(answer_.until); }
  void arrived(double member, double call, double now) { authority_.arrived(id(member), id(call), whole(now)); }
  void settle(double member, double call, double tokens, bool sent, bool ok, int failure, double retryAfterMs,
              double now) {
    SharedEnd end;
    end.tokens = whole(tokens);
    end.sent = sent;
    end.ok = ok;
    const FailureRule rule = failureRule(oneOf(failure, FailureKind::Count));
    end.unwell = !ok && rule.health;
    // As in the run's own books: what no retry can help says nothing about when.
    end.retryAfterMs = rule.retry || rule.fallback ? whole(retryAfterMs) : -1;
    authority_.settle(id(member), id(call), end, whole(now));
  }
  void seen(double group, int window, double limit, double remaining, double resetMs, double now) {
    authority_.seen(id(group), oneOf(window, Window::RequestsMinute), whole(limit), whole(remaining), whole(resetMs),
                    whole(now));
  }
  void tick(double now) { authority_.tick(whole(now)); }
  double nextWake(double now) {
    const TimeMs wake = authority_.nextWake(whole(now));
    return wake == kNever ? -1 : static_cast<double>(wake);
  }
  /// The next member to be told `freed`, and its group by freedGroup(); -1 when there is none.
  double takeFreed() {
    MemberId member = 0;
    return authority_.takeFreed(member, freedGroup_) ? static_cast<double>(member) : -1;
  }
  double freedGroup() const { return freedGroup_; }
  double inFlight(double group) const { return known(group) ? authority_.inFlight(id(group)) : 0; }
  /// Members that were refused and wait for room.
  double waiting(double group) const { return known(group) ? static_cast<double>(authority_.waiting(id(group))) : 0; }
  /// 0 closed, 1 open, 2 trying one call out.
  int breaker(double group) const { return known(group) ? static_cast<int>(authority_.breaker(id(group))) : 0; }

 private:
  bool known(double group) const { return id(group) < authority_.groups(); }

  Authority authority_;
  SharedAnswer answer_;
  SharedGroup freedGroup_ = 0;
  bool narrowed_ = false;
};

/// What is known of drafts, by pair of models: records by number, which the host names.
class DraftBook {
 public:
  /// Number of a new record.
  double add() {
    records_.emplace_back();
    return static_cast<double>(records_.size() - 1);
  }
  /// Fields in the order of DraftField; 0 for what there is not.
  double get(double record, int field) const {
    return has(record, field) ? static_cast<double>(records_[id(record)].get(static_cast<DraftField>(field))) : 0;
  }
  void set(double record, int field, double value) {
    if (has(record, field)) records_[id(record)].set(static_cast<DraftField>(field), whole(value));
  }
  /// Outcomes in the order of DraftOutcome.
  void tell(double record, int outcome) {
    if (has(record, 0) && outcome >= 0 && outcome < static_cast<int>(DraftOutcome::Count))
      records_[id(record)].tell(static_cast<DraftOutcome>(outcome));
  }

 private:
  bool has(double record, int field) const {
    return id(record) < records_.size() && field >= 0 && field < kDraftFields;
  }
  std::vector<DraftRecord> records_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(aetherflow_authority) {
  using namespace emscripten;
  class_<SharedAuthority>("SharedAuthority")
      .constructor<>()
      .function("join", &SharedAuthority::join)
      .function("leave", &SharedAuthority::leave)
      .function("group", &SharedAuthority::group)
      .function("narrowed", &SharedAuthority::narrowed)
      .function("ask", &SharedAuthority::ask)
      .function("window", &SharedAuthority::window)
      .function("until", &SharedAuthority::until)
      .function("arrived", &SharedAuthority::arrived)
      .function("settle", &SharedAuthority::settle)
      .function("seen", &SharedAuthority::seen)
      .function("tick", &SharedAuthority::tick)
      .function("nextWake", &SharedAuthority::nextWake)
      .function("takeFreed", &SharedAuthority::takeFreed)
      .function("freedGroup", &SharedAuthority::freedGroup)
      .function("inFlight", &SharedAuthority::inFlight)
      .function("waiting", &SharedAuthority::waiting)
      .function("breaker", &SharedAuthority::breaker);
  class_<DraftBook>("DraftBook")
      .constructor<>()
      .function("add", &DraftBook::add)
      .function("get", &DraftBook::get)
      .function("set", &DraftBook::set)
      .function("tell", &DraftBook::tell);
}

}  // namespace aetherflow
