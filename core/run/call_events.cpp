// Signals of calls in flight: prompted, refused, started, first token, progress, limits, and verdicts about answers.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {

/// Checks that `id` names a live call and that `event` is legal for its step now; records the time. An abandoned call
/// no longer moves its step.
ErrorCode Machine::liveCall(CallId id, TimeMs now, StepEvent event) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", id);
  if (!calls_[id].live) return refuse(ErrorCode::RunCallOver, "", "call " + std::to_string(id) + " has ended");
  return calls_[id].abandoned ? ErrorCode::None : move(calls_[id].step, event);
}

ErrorCode Machine::started(const Started& event, TimeMs now) {
  if (const ErrorCode code = liveCall(event.call, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  // Made again after its process died: earlier signals do not count for times and speeds.
  if (call.firstTokenAt >= 0) {
    call.firstTokenAt = -1;
    call.tokens = {};
  }
  if (call.startedAt < 0) call.startedAt = now;
  if (event.reused >= 0) call.reused = event.reused;
  if (event.setupMs >= 0) call.setupMs = event.setupMs;
  return ErrorCode::None;
}

/// The prompt is known. When it exceeds its reservation the call reserves more, or returns to the queue before it leaves.
ErrorCode Machine::prompted(CallId id, std::uint32_t tokens, std::uint32_t stripped, TimeMs now) {
  withheld_ = false;
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[id];
  call.promptEstimate = tokens;
  call.strippedTokens = stripped;
  const bool over = call.abandoned || settled(steps_[call.step].state);
  if ((over && !call.beside) || !countsPrompts()) return ErrorCode::None;
  StepRecord& step = steps_[call.step];
  step.promptTokens = std::max(step.promptTokens, tokens);
  const std::uint32_t bound = promptBoundOf(call.step, call.target.model);
  if (bound <= call.promptBound || grow(call, bound)) return ErrorCode::None;
  withheld_ = true;
  neverLeft(id, FailureKind::Withheld);
  return ErrorCode::None;
}

/// Reserves for a prompt of `bound` tokens, where limits and budgets allow it.
bool Machine::grow(CallRecord& call, std::uint32_t bound) {
  StepRecord& step = steps_[call.step];
  Spend more = worstCase(table_, call.target, bound, call.maxTokens, wallMs());
  more -= call.money.reserved();
  more.usd = std::max<MicroUsd>(0, more.usd);
  const QuotaIndex quota = modelOf(call).quota;
  if (!quotas_.check(quota, more.tokens, now_, false).fits || !fitsRun(call.step, more)) return false;
  if (!purse_.fitsStep(step.money, more) || !purse_.fitsAttempt(more, &call.money)) return false;
  quotas_.grow(quota, more.tokens);
  purse_.reserve(call.money, step.money, more);
  call.promptBound = bound;
  return true;
}

/// The call ended before it left: everything reserved is released, and it does not count as an attempt. Its step waits again.
void Machine::neverLeft(CallId id, FailureKind kind, Refusal why) {
  CallRecord& call = calls_[id];
  StepRecord& step = steps_[call.step];
  call.failure = kind;
  endCall(call);
  const Spend reserved = purse_.release(call.money, step.money);
  quotas_.settle(modelOf(call).quota, reserved.tokens, 0, call.counted, false, now_);
  health_.withdrawn(call.target.provider, call.probe);
  if (step.beside == id) besideEnded(call.step, Reason::DraftFailed, kind);
  if (call.abandoned || settled(step.state)) return;
  if (step.hedge != kNone) {
    // The other call of the pair continues alone.
    if (step.call == id) step.call = step.hedge;
    step.hedge = kNone;
    return;
  }
  move(call.step, StepEvent::Retry);
  if (call.purpose != Purpose::Hedge) {
    --step.tries;
    --step.triesHere;
  }
  if (why == Refusal::TooLarge) return withoutTarget(call.step, call.target, FailureKind::TooLarge);
  enqueue(call.step);
}

ErrorCode Machine::refused(const Refused& event, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (event.call < calls_.size() && calls_[event.call].live && calls_[event.call].startedAt >= 0)
    return refuse(ErrorCode::RunIllegalEvent, "", "call " + std::to_string(event.call) + " has left already");
  if (const ErrorCode code = liveCall(event.call, now, StepEvent::Signal); code != ErrorCode::None) return code;
  const QuotaIndex quota = modelOf(calls_[event.call]).quota;
  if (event.why == Refusal::Cooldown && event.until != kNever)
    quotas_.cool(quota, event.until);
  else if (event.why != Refusal::TooLarge)
    quotas_.blockShared(quota, event.why, event.window, event.until);
  neverLeft(event.call, FailureKind::Refused, event.why);
  return ErrorCode::None;
}

ErrorCode Machine::freed(std::uint32_t provider, std::uint32_t model, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (model >= table_.models.size() || table_.models[model].provider != provider)
    return refuse(ErrorCode::RunIllegalEvent, "", "there is no such model");
  quotas_.freed(table_.models[model].quota);
  return ErrorCode::None;
}

ErrorCode Machine::firstToken(CallId id, TimeMs now) {
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[id];
  if (call.firstTokenAt >= 0) return ErrorCode::None;
  call.firstTokenAt = now;
  if (!call.counted) quotas_.arrived(table_.models[call.target.model].quota, now);
  call.counted = true;
  health_.firstToken(call.target.model, now - call.dispatchedAt);
  if (!call.abandoned && !settled(steps_[call.step].state)) firstOfPair(id);
  return ErrorCode::None;
}

/// Of a call and its hedge, the first to start streaming continues alone.
void Machine::firstOfPair(CallId winner) {
  StepRecord& step = steps_[calls_[winner].step];
  if (step.hedge == kNone) return;
  const CallId loser = winner == step.hedge ? step.call : step.hedge;
  step.call = winner;
  step.hedge = kNone;
  CallRecord& lost = calls_[loser];
  if (!lost.live) return;
  lost.abandoned = true;
  cancelCall(loser, Reason::HedgeLost);
  notes_.aboutCall(Reason::HedgeLost, lost.step, loser);
}

ErrorCode Machine::progress(CallId id, std::uint32_t tokens, TimeMs now) {
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  calls_[id].tokens.out = tokens;
  checkSpeed(id);
  return ErrorCode::None;
}

/// Tells the host, once, to end a live call, whatever else happens until it has ended.
void Machine::cancelCall(CallId id, Reason reason) {
  CallRecord& call = calls_[id];
  if (!call.live || call.cancelled != Reason::None) return;
  call.cancelled = reason;
  notes_.cancel(call.step, id, reason);
}

/// A stream that is alive but slower than the floor is cancelled; its end then counts as a time-out.
void Machine::checkSpeed(CallId id) {
  CallRecord& call = calls_[id];
  const Policy& policy = table_.policy;
  if (policy.floorTokensPerSecond == 0 || call.firstTokenAt < 0 || call.cancelled != Reason::None) return;
  const std::int64_t ms = now_ - call.firstTokenAt;
  if (ms < policy.floorAfterMs || call.tokens.out * std::int64_t{1000} >= policy.floorTokensPerSecond * ms) return;
  cancelCall(id, Reason::TooSlow);
  notes_.aboutCall(Reason::TooSlow, call.step, id);
}

ErrorCode Machine::limitsSeen(const LimitsSeen& event, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (event.call >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", event.call);
  const CallRecord& call = calls_[event.call];
  const QuotaIndex quota = table_.models[call.target.model].quota;
  // A limit below the prompt that this very call sent, and that was accepted, cannot be right.
  const bool ofTokens = event.window == Window::TokensMinute || event.window == Window::TokensDay;
  if (ofTokens && event.limit > 0 && event.limit < call.promptEstimate) return ErrorCode::None;
  if (!quotas_.seen(quota, event.window, event.limit, event.remaining, event.resetMs, now)) return ErrorCode::None;
  notes_.limitLearned(call.target.provider, event.window, event.limit);
  return ErrorCode::None;
}

ErrorCode Machine::verdict(CallId id, Verdict verdict, std::int64_t number, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", id);
  const VerdictReader reader = phase(calls_[id].purpose).verdict;
  const bool patches = reader == VerdictReader::Draft && (verdict == Verdict::Patch || verdict == Verdict::Reject);
  if (verdict != Verdict::Pass && !patches && (verdict != Verdict::Issues || reader == VerdictReader::Draft))
    return refuse(ErrorCode::RunIllegalEvent, "", "no verdict of this kind is due");
  if (reader == VerdictReader::Canary) return compared(id, verdict);
  if (calls_[id].beside && reader == VerdictReader::Draft) return verifiedBeside(id, verdict, number);
  const StepIndex index = calls_[id].step;
  // What was patched has passed no check: none of it stands.
  if (verdict == Verdict::Patch && isChecked(index)) {
    verdict = Verdict::Reject;
    number = 0;
  }
  StepRecord& step = steps_[index];
  const Phase& judge = phase(calls_[id].purpose);
  const bool pass = verdict == Verdict::Pass || verdict == Verdict::Patch;
  if (step.state == StepState::Judging && (!judge.judges() || step.call != id))
    return refuse(ErrorCode::RunIllegalEvent, "", "call " + std::to_string(id) + " is not the one that judges");
  // A verdict has no deadline of its own, but a repair after the step's would come too late.
  const bool late = now >= step.deadlineAt && judge.keepsFirst();
  const Purpose next = pass || late ? kNoPhase : nextPhase(index, judge.onIssues);
  StepEvent event = pass ? StepEvent::VerdictPass : StepEvent::VerdictNext;
  if (step.state == StepState::Judging && !pass && next == kNoPhase) event = StepEvent::VerdictKeep;
  if (const ErrorCode code = move(index, event); code != ErrorCode::None) return code;
  if (reader == VerdictReader::Draft) return verified(id, verdict, number);
  if (reader == VerdictReader::Audit) {
    step.audit = pass ? AuditState::Passed : AuditState::Issues;
    notes_.aboutCall(pass ? Reason::AuditPassed : Reason::AuditIssues, index, id);
  }
  if (next == kNoPhase)
    deliver(index);
  else
    beginPhase(index, next);
  return ErrorCode::None;
}

}  // namespace aetherflow
