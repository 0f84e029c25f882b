#include "core/run/attempts.hpp"

#include <algorithm>

#include "core/schedule/step_table.hpp"

namespace aetherflow {

Again decide(const Failing& f, const Failed& event, bool cut) {
  Again next;
  if (settled(f.step.state) || f.closed) return next;
  if (f.now >= f.step.deadlineAt || f.step.tries >= f.policy.attempts) return next;
  if (event.shown && f.interrupt == Interrupt::Fail) return next;
  if (cut) {
    next.widen = f.canWiden;
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
  // The provider's own word wins over the table, but never makes a refused key or request fall through.
  const FailureRule rule = failureRule(event.kind);
  const bool retry = event.mayRetry < 0 ? rule.retry : event.mayRetry > 0 && (rule.retry || rule.fallback);
  next.elsewhere = rule.fallback && f.others && (!retry || f.step.triesHere >= f.policy.perModel);
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
