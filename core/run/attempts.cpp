#include "core/run/attempts.hpp"

#include <algorithm>

#include "core/schedule/step_table.hpp"

namespace aetherflow {
namespace {

/// Most requests of one phase that fail without counting as attempts: each of them teaches something, so more would be a loop.
constexpr std::uint32_t kMostFree = 12;

}  // namespace

Again decide(const Failing& f, const Failed& event, bool cut) {
  Again next;
  if (settled(f.step.state) || f.closed) return next;
  if (f.now >= f.step.deadlineAt) return next;
  if (event.shown && f.interrupt == Interrupt::Fail) return next;
  // A hedge is not an attempt of its own, so none is given back for it either.
  if (f.call.purpose == Purpose::Hedge && f.step.tries >= f.policy.attempts) return next;
  const FailureRule rule = failureRule(event.kind);
  const std::uint32_t here = rule.here > 0 ? std::min<std::uint32_t>(rule.here, f.policy.perModel) : f.policy.perModel;
  const bool enough = f.step.triesHere >= here;
  if (rule.free && f.step.freeTries < kMostFree) {
    next.again = next.atOnce = next.free = true;
    return next;
  }
  // A policy of one attempt means one request.
  const bool waits = asksToWait(event.kind, event.retryAfterMs, event.mayRetry) && f.policy.attempts > 1;
  if (waits && f.patient) {
    next.elsewhere = f.others && enough;
    next.again = next.atOnce = next.free = true;
    return next;
  }
  if (f.step.tries >= f.policy.attempts) return next;
  if (cut) {
    next.widen = f.canWiden && !(f.others && enough);
    next.elsewhere = !next.widen;
    next.atOnce = true;
    next.again = next.widen || f.others;
    return next;
  }
  const bool refusal = event.kind == FailureKind::BadRequest || event.kind == FailureKind::ConstraintViolated;
  if (refusal && f.call.level < ConstraintLevel::Instruct && !f.judges) {
    next.again = next.relax = next.atOnce = true;
    return next;
  }
  // The provider's own statement overrides the table, but never sends a refused key or request elsewhere.
  const bool own = rule.retry && !(rule.last && enough);
  const bool retry = event.mayRetry < 0 ? own : event.mayRetry > 0 && (rule.retry || rule.fallback);
  next.elsewhere = rule.fallback && f.others && (!retry || enough);
  if (event.kind == FailureKind::BadRequest && f.others && !f.step.refused) next.elsewhere = next.unknown = true;
  next.atOnce = next.elsewhere;
  next.again = retry || next.elsewhere;
  return next;
}

std::int64_t backOffMs(const Policy& policy, std::uint32_t tries, Rng& rng) {
  const std::uint32_t doublings = std::min<std::uint32_t>(tries > 0 ? tries - 1 : 0, 20);
  const std::int64_t plain = std::min(policy.capMs, policy.baseMs << doublings);
  return plain * static_cast<std::int64_t>(800 + rng.below(401)) / 1000;
}

}  // namespace aetherflow
