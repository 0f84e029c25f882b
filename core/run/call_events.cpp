// Signals of calls: started, prompted, first token, progress, the end, and verdicts about answers.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {

/// Checks that `id` names a live call and that `event` is legal for its step now; records the time. An abandoned call
/// moves no step any more.
ErrorCode Run::liveCall(CallId id, TimeMs now, StepEvent event) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", id);
  if (!calls_[id].live) return refuse(ErrorCode::RunCallOver, "", "call " + std::to_string(id) + " has ended");
  return calls_[id].abandoned ? ErrorCode::None : move(calls_[id].step, event);
}

ErrorCode Run::started(const Started& event, TimeMs now) {
  if (const ErrorCode code = liveCall(event.call, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  // Made again after its process died: what came of it before counts for no time and no speed.
  if (call.firstTokenAt >= 0) {
    call.firstTokenAt = -1;
    call.tokens = {};
  }
  if (call.startedAt < 0) call.startedAt = now;
  if (event.reused >= 0) call.reused = event.reused;
  if (event.setupMs >= 0) call.setupMs = event.setupMs;
  return ErrorCode::None;
}

/// The prompt is known. When it outgrows its reservation the call takes more, or goes back to the queue before it
/// leaves.
ErrorCode Run::prompted(CallId id, std::uint32_t tokens, std::uint32_t stripped, TimeMs now) {
  withheld_ = false;
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[id];
  call.promptEstimate = tokens;
  call.strippedTokens = stripped;
  if (call.abandoned || settled(steps_[call.step].state) || !countsPrompts()) return ErrorCode::None;
  StepRecord& step = steps_[call.step];
  const Model& model = table_.models[call.target.model];
  step.promptTokens = std::max(step.promptTokens, tokens);
  ReadyItem item;
  item.step = call.step;
  item.purpose = step.promptPurpose;
  const std::uint32_t bound = promptBound(item, model);
  if (bound <= call.promptBound) return ErrorCode::None;
  const Spend whole = worstCase(call.target, bound, call.maxTokens);
  Spend more = whole;
  more -= call.reserved;
  more.usd = std::max<MicroUsd>(0, more.usd);
  if (quotas_.check(model.quota, more.tokens, now_, false).fits && fitsBudget(call.step, more) &&
      within(table_.policy.step, step.taken(), more) && within(table_.policy.attempt, call.reserved, more)) {
    quotas_.grow(model.quota, more.tokens);
    call.promptBound = bound;
    call.reserved += more;
    reserved_ += more;
    step.reserved += more;
    return ErrorCode::None;
  }
  withhold(id);
  return ErrorCode::None;
}

void Run::withhold(CallId id) {
  CallRecord& call = calls_[id];
  StepRecord& step = steps_[call.step];
  withheld_ = true;
  call.failure = FailureKind::Withheld;
  endCall(call, now_);
  release(call, 0, false);
  health_.withdrawn(call.target.provider, call.probe);
  if (step.hedge != kNone) {
    // The other of the pair goes on alone.
    if (step.call == id) step.call = step.hedge;
    step.hedge = kNone;
    return;
  }
  move(call.step, StepEvent::Retry);
  // It was no attempt: nothing left.
  if (call.purpose != Purpose::Hedge) {
    --step.tries;
    --step.triesHere;
  }
  enqueue(call.step, call.purpose == Purpose::Hedge ? Purpose::Main : call.purpose);
}

ErrorCode Run::firstToken(CallId id, TimeMs now) {
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

/// Of a call and its hedge, the one that begins first goes on alone.
void Run::firstOfPair(CallId winner) {
  StepRecord& step = steps_[calls_[winner].step];
  if (step.hedge == kNone) return;
  const CallId loser = winner == step.hedge ? step.call : step.hedge;
  step.call = winner;
  step.hedge = kNone;
  CallRecord& lost = calls_[loser];
  if (!lost.live) return;
  lost.abandoned = true;
  cancelCall(loser, Reason::HedgeLost);
  set(note(Reason::HedgeLost, lost.step), CommandField::Call, loser);
}

ErrorCode Run::progress(CallId id, std::uint32_t tokens, TimeMs now) {
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  calls_[id].tokens.out = tokens;
  checkSpeed(id);
  return ErrorCode::None;
}

/// Tells the host to end a live call; once, whatever else befalls it before it has ended.
void Run::cancelCall(CallId id, Reason reason) {
  CallRecord& call = calls_[id];
  if (!call.live || call.cancelled != Reason::None) return;
  call.cancelled = reason;
  double* out = commands_.add(CommandKind::Cancel);
  set(out, CommandField::Step, call.step);
  set(out, CommandField::Call, id);
  set(out, CommandField::Reason, static_cast<double>(reason));
}

/// A stream that is alive but slower than the floor is cancelled; its end then counts as a time-out.
void Run::checkSpeed(CallId id) {
  CallRecord& call = calls_[id];
  const Policy& policy = table_.policy;
  if (policy.floorTokensPerSecond == 0 || call.firstTokenAt < 0 || call.cancelled != Reason::None) return;
  const std::int64_t ms = now_ - call.firstTokenAt;
  if (ms < policy.floorAfterMs || call.tokens.out * std::int64_t{1000} >= policy.floorTokensPerSecond * ms) return;
  cancelCall(id, Reason::TooSlow);
  set(note(Reason::TooSlow, call.step), CommandField::Call, id);
}

ErrorCode Run::limitsSeen(const LimitsSeen& event, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (event.call >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", event.call);
  const CallRecord& call = calls_[event.call];
  const QuotaIndex quota = table_.models[call.target.model].quota;
  if (!quotas_.seen(quota, event.window, event.limit, event.remaining, event.resetMs, now)) return ErrorCode::None;
  double* told = note(Reason::LimitLearned, kNone);
  set(told, CommandField::Provider, call.target.provider);
  set(told, CommandField::A, static_cast<double>(event.window));
  set(told, CommandField::B, static_cast<double>(event.limit));
  return ErrorCode::None;
}

void Run::account(CallRecord& call, const TokenCounts& tokens) {
  const Model& model = table_.models[call.target.model];
  call.tokens = tokens;
  call.cost = costOf(tokens, model.price.inPerMtok, model.price.cachedPerMtok, model.price.outPerMtok);
  if (call.peak) call.cost = (call.cost * table_.providers[call.target.provider].peakPercent + 99) / 100;
  const Spend spend{call.cost, static_cast<std::int64_t>(tokens.in) + tokens.out};
  steps_[call.step].spent += spend;
  spent_ += spend;
}

void Run::endCall(CallRecord& call, TimeMs now) {
  call.live = false;
  call.endedAt = now;
  --liveCalls_;
  slots_.release(call.target.provider, call.expectedEnd);
  reserved_ -= call.reserved;
  steps_[call.step].reserved -= call.reserved;
}

/// Settles the quota group: what was used counts from now on, the rest of the reservation is free.
void Run::release(CallRecord& call, std::int64_t used, bool sent) {
  quotas_.settle(table_.models[call.target.model].quota, call.reserved.tokens, used, call.counted, sent, now_);
  call.reserved = {};
}

ErrorCode Run::verdict(CallId id, bool pass, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", id);
  const StepIndex index = calls_[id].step;
  StepRecord& step = steps_[index];
  StepEvent event = pass ? StepEvent::VerdictPass : StepEvent::VerdictIssues;
  const bool judging = step.state == StepState::Judging && calls_[id].purpose == Purpose::Audit;
  // A verdict has no deadline of its own, but a repair after the step's would come too late.
  if (judging && !pass && (table_.repairs == 0 || step.repairing || now >= step.deadlineAt))
    event = StepEvent::VerdictIssuesFinal;
  if (step.state == StepState::Judging && !judging)
    return refuse(ErrorCode::RunIllegalEvent, "", "call " + std::to_string(id) + " is no audit");
  if (const ErrorCode code = move(index, event); code != ErrorCode::None) return code;
  step.audit = pass ? AuditState::Passed : AuditState::Issues;
  set(note(pass ? Reason::AuditPassed : Reason::AuditIssues, index), CommandField::Call, id);
  if (event == StepEvent::VerdictIssues) {
    step.repairing = true;
    note(Reason::RepairStarted, index);
    beginPhase(index, Purpose::Repair);
  } else {
    deliver(index);
  }
  return ErrorCode::None;
}

}  // namespace aetherflow
