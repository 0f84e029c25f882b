// What follows a failed call: the one place that decides on retry, fallback, restart and giving up.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {

/// Audits and repairs fail without the step: its first answer stands, unless it broke the constraint.
bool Run::keepsFirst(const CallRecord& call) const {
  return call.purpose == Purpose::Audit || (call.purpose == Purpose::Repair && !steps_[call.step].violated);
}

/// What a stream that broke after its text was shown leads to: the step's own word, else the run's.
Interrupt Run::interruptPolicy(StepIndex index) const {
  const Interrupt own = plan().steps[index].onInterrupt;
  return own == Interrupt::Count ? table_.policy.interrupt : own;
}

/// Pure: what the failure calls for. `cut`: the answer reached its limit of tokens.
Again Run::decide(const CallRecord& call, const Failed& event, bool cut) const {
  const StepRecord& record = steps_[call.step];
  const Policy& policy = table_.policy;
  Again next;
  if (settled(record.state) || cancelled_ || refused_ || budgetStopped_) return next;
  if (now_ >= record.deadlineAt || record.tries >= policy.attempts) return next;
  if (event.shown && interruptPolicy(call.step) == Interrupt::Fail) return next;
  const FailureRule rule = failureRule(event.kind);
  const bool others = router_.group(record.continuing ? record.widerGroup : record.phaseGroup).admissible.size() > 1;
  if (cut) {
    // Where the attempt's own ceiling cut it, a higher limit is not to be had.
    const Spend wider = worstCase(call.target, call.promptBound, call.maxTokens + call.maxTokens / 8 + 1);
    next.widen = call.maxTokens < table_.models[call.target.model].maxOut && within(table_.policy.attempt, {}, wider);
    next.elsewhere = !next.widen;
    next.atOnce = true;
    next.again = next.widen || others;
    return next;
  }
  const bool refusal = event.kind == FailureKind::BadRequest || event.kind == FailureKind::ConstraintViolated;
  if (refusal && call.level < ConstraintLevel::Instruct && call.purpose != Purpose::Audit) {
    next.again = next.relax = next.atOnce = true;
    return next;
  }
  // The provider's own word wins over the table, but never makes a refused key or request fall through.
  const bool retry = event.mayRetry < 0 ? rule.retry : event.mayRetry > 0 && (rule.retry || rule.fallback);
  next.elsewhere = rule.fallback && others && (!retry || record.triesHere >= policy.perModel);
  next.atOnce = next.elsewhere;
  next.again = retry || next.elsewhere;
  return next;
}

/// Doubles from the base to the cap, × 0.8–1.2, so that calls that failed together do not come back together.
std::int64_t Run::backOff(std::uint32_t tries) {
  const Policy& policy = table_.policy;
  const std::uint32_t doublings = std::min<std::uint32_t>(tries > 0 ? tries - 1 : 0, 20);
  const std::int64_t plain = std::min(policy.capMs, policy.baseMs << doublings);
  return plain * static_cast<std::int64_t>(800 + rng_.below(401)) / 1000;
}

/// Puts the step back into a queue, now or after a back-off.
void Run::tryAgain(CallId id, const Failed& event, const Again& again) {
  const CallRecord& call = calls_[id];
  StepRecord& record = steps_[call.step];
  const Purpose purpose = call.purpose == Purpose::Hedge ? Purpose::Main : call.purpose;
  record.lastFailure = event.kind;
  record.lastTarget = call.target;
  if (record.continuing) record.phaseGroup = record.widerGroup;
  if (again.elsewhere) record.phaseGroup = router_.without(record.phaseGroup, call.target);
  if (again.relax) {
    record.looser = static_cast<std::uint8_t>(call.level) + 1;
    record.promptTokens = 0;  // the schema joins the prompt
    double* told = note(Reason::ConstraintRelaxed, call.step);
    set(told, CommandField::Call, id);
    set(told, CommandField::A, static_cast<double>(event.kind));
  }
  if (again.widen) ++record.widened;
  const std::int64_t wait = again.atOnce ? 0 : backOff(record.tries);
  double* told = note(Reason::Retrying, call.step, call.target);
  set(told, CommandField::Call, id);
  set(told, CommandField::A, static_cast<double>(event.kind));
  set(told, CommandField::B, static_cast<double>(wait));

  const bool shown = event.shown || (record.continuing && purpose == Purpose::Main);
  record.continuing = shown && interruptPolicy(call.step) == Interrupt::Continue && !again.elsewhere && !again.relax &&
                      purpose == Purpose::Main && table_.providers[call.target.provider].prefix;
  if (record.continuing) {
    record.widerGroup = record.phaseGroup;
    record.phaseGroup = router_.only(record.phaseGroup, call.target);
  } else if (shown)
    note(Reason::Restarted, call.step);
  if (wait == 0)
    enqueue(call.step, purpose);
  else
    delayed_.add(now_ + wait, call.step, static_cast<std::uint32_t>(purpose));
}

/// No further call of the phase is possible; the step waits in no queue any more.
void Run::giveUp(StepIndex index, Purpose purpose, FailureKind kind) {
  StepRecord& record = steps_[index];
  const bool keeps = purpose == Purpose::Audit || (purpose == Purpose::Repair && !record.violated);
  move(index, keeps ? StepEvent::GiveUpKeep : StepEvent::GiveUp);
  if (!keeps) {
    record.failure = kind;
    return settle(index);
  }
  deliverFirst(index, purpose, kind);
}

/// An audit or a repair came to nothing: the first answer stands.
void Run::deliverFirst(StepIndex index, Purpose purpose, FailureKind kind) {
  const bool audit = purpose == Purpose::Audit;
  if (audit) steps_[index].audit = AuditState::Undone;
  set(note(audit ? Reason::AuditFailed : Reason::RepairFailed, index), CommandField::A, static_cast<double>(kind));
  deliver(index);
}

/// Tells what a call's end did to its provider's breaker.
void Run::changed(ProviderIndex provider, BreakerChange change) {
  if (change == BreakerChange::None) return;
  const bool opened = change == BreakerChange::Opened;
  // A probe that outlives its breaker's closing is a call like any other: it must not speak for the next probe.
  if (!opened)
    for (CallRecord& call : calls_)
      if (call.live && call.target.provider == provider) call.probe = false;
  double* told = note(opened ? Reason::BreakerOpened : Reason::BreakerClosed, kNone);
  set(told, CommandField::Provider, provider);
  if (opened) set(told, CommandField::B, static_cast<double>(health_.openUntil(provider)));
}

}  // namespace aetherflow
