// Signals of calls: started, first token, progress, the end, and verdicts about answers.

#include "core/run/run.hpp"

namespace aetherflow {

/// Checks that `id` names a live call and that `event` is legal for its step now; records the time.
ErrorCode Run::liveCall(CallId id, TimeMs now, StepEvent event) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return refuse(ErrorCode::RunUnknownCall, "", "there is no call " + std::to_string(id));
  if (!calls_[id].live) return refuse(ErrorCode::RunCallOver, "", "call " + std::to_string(id) + " has ended");
  return move(calls_[id].step, event);
}

ErrorCode Run::started(const Started& event, TimeMs now) {
  if (const ErrorCode code = liveCall(event.call, now, StepEvent::Signal); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  call.startedAt = now;
  call.reused = event.reused;
  call.setupMs = event.setupMs;
  return ErrorCode::None;
}

ErrorCode Run::firstToken(CallId id, TimeMs now) {
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  if (calls_[id].firstTokenAt < 0) calls_[id].firstTokenAt = now;
  return ErrorCode::None;
}

ErrorCode Run::progress(CallId id, std::uint32_t tokens, TimeMs now) {
  if (const ErrorCode code = liveCall(id, now, StepEvent::Signal); code != ErrorCode::None) return code;
  calls_[id].tokens.out = tokens;
  return ErrorCode::None;
}

void Run::account(CallRecord& call, const TokenCounts& tokens) {
  const Price& price = table_.models[call.target.model].price;
  call.tokens = tokens;
  call.cost = costOf(tokens, price.inPerMtok, price.cachedPerMtok, price.outPerMtok);
  steps_[call.step].cost += call.cost;
  cost_ += call.cost;
}

void Run::endCall(CallRecord& call, TimeMs now) {
  call.live = false;
  call.endedAt = now;
  --liveCalls_;
  slots_.release(call.target.provider, call.expectedEnd);
}

/// What an answer means to its step.
StepEvent Run::answerEvent(const CallRecord& call, const StepRecord& step, bool violated) const {
  if (step.state == StepState::Cancelled) return StepEvent::Succeeded;
  if (call.purpose == Purpose::Audit) return StepEvent::SucceededToAudit;
  if (violated) {
    if (call.purpose == Purpose::Repair) return step.violated ? StepEvent::ViolatedFinal : StepEvent::CallFailedKeep;
    return table_.repairs > 0 ? StepEvent::Violated : StepEvent::ViolatedFinal;
  }
  if (call.purpose == Purpose::Main && router_.auditGroup() != kNone) return StepEvent::SucceededToAudit;
  return StepEvent::Succeeded;
}

ErrorCode Run::succeeded(const Succeeded& event, TimeMs now) {
  // An answer that was cut at the token limit is no answer: nothing partial is passed off as whole.
  if (event.finish == FinishReason::Length || event.finish == FinishReason::ContentFilter) {
    Failed failure;
    failure.call = event.call;
    failure.kind = event.finish == FinishReason::Length ? FailureKind::Truncated : FailureKind::ContentBlocked;
    failure.tokens = event.tokens;
    return failed(failure, now);
  }
  if (event.call < calls_.size() && calls_[event.call].live) {
    const CallRecord& call = calls_[event.call];
    const bool violated = !accepted(event.verdict);
    const StepEvent meaning = answerEvent(call, steps_[call.step], violated);
    if (const ErrorCode code = liveCall(event.call, now, meaning); code != ErrorCode::None) return code;
    CallRecord& ended = calls_[event.call];
    endCall(ended, now);
    TokenCounts tokens = event.tokens;
    // No counts from the provider: the prompt's own estimate, in the model's measure, stands in and is marked.
    if (event.tokensEstimated && tokens.in == 0)
      tokens.in = factors_[ended.target.model].corrected(ended.promptEstimate);
    account(ended, tokens);
    ended.succeeded = true;
    ended.tokensEstimated = event.tokensEstimated;
    ended.finish = event.finish;
    ended.check = event.verdict;
    ended.providerMs = event.providerMs;
    if (!event.tokensEstimated && ended.promptEstimate > 0)
      factors_[ended.target.model].learn(ended.promptEstimate, event.tokens.in);
    applyAnswer(ended.step, meaning, event.call);
    return ErrorCode::None;
  }
  return liveCall(event.call, now, StepEvent::Succeeded);  // names the refusal
}

void Run::applyAnswer(StepIndex index, StepEvent event, CallId id) {
  StepRecord& step = steps_[index];
  const CallRecord& call = calls_[id];
  if (step.state == StepState::Cancelled) return;
  switch (event) {
    case StepEvent::Succeeded:
      step.output = id;
      if (call.purpose == Purpose::Repair) {
        step.repaired = true;
        note(Reason::Repaired, index);
      }
      deliver(index);
      break;
    case StepEvent::SucceededToAudit:
      if (call.purpose == Purpose::Audit) return;  // the verdict is the next event
      step.output = id;
      enqueue(index, Purpose::Audit);
      break;
    case StepEvent::Violated:
      step.violated = true;
      step.repairing = true;
      step.output = id;
      set(note(Reason::ConstraintBroken, index), CommandField::Call, id);
      note(Reason::RepairStarted, index);
      enqueue(index, Purpose::Repair);
      break;
    case StepEvent::CallFailedKeep:
      note(Reason::RepairFailed, index);
      deliver(index);
      break;
    default:  // ViolatedFinal
      step.failure = FailureKind::ConstraintViolated;
      settle(index);
  }
}

ErrorCode Run::failed(const Failed& event, TimeMs now) {
  StepEvent meaning = StepEvent::CallFailed;
  if (event.call < calls_.size()) {
    const CallRecord& call = calls_[event.call];
    const StepRecord& step = steps_[call.step];
    const bool keeps = call.purpose == Purpose::Audit || (call.purpose == Purpose::Repair && !step.violated);
    if (keeps && step.state != StepState::Cancelled) meaning = StepEvent::CallFailedKeep;
  }
  if (const ErrorCode code = liveCall(event.call, now, meaning); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  endCall(call, now);
  TokenCounts tokens = event.tokens;
  if (tokens.out > 0 && tokens.in == 0) {  // cut off while it streamed: its prompt was read, and is billed
    tokens.in = factors_[call.target.model].corrected(call.promptEstimate);
    call.tokensEstimated = true;
  }
  account(call, tokens);
  call.failure = event.kind;
  StepRecord& step = steps_[call.step];
  if (step.state == StepState::Cancelled) return ErrorCode::None;
  if (meaning == StepEvent::CallFailedKeep) {
    const bool audit = call.purpose == Purpose::Audit;
    if (audit) step.audit = AuditState::Undone;
    set(note(audit ? Reason::AuditFailed : Reason::RepairFailed, call.step), CommandField::A,
        static_cast<double>(event.kind));
    deliver(call.step);
  } else {
    step.failure = event.kind;
    settle(call.step);
  }
  return ErrorCode::None;
}

ErrorCode Run::verdict(CallId id, bool pass, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return refuse(ErrorCode::RunUnknownCall, "", "there is no call " + std::to_string(id));
  const StepIndex index = calls_[id].step;
  StepRecord& step = steps_[index];
  StepEvent event = pass ? StepEvent::VerdictPass : StepEvent::VerdictIssues;
  const bool judging = step.state == StepState::Judging && calls_[id].purpose == Purpose::Audit;
  if (judging && !pass && (table_.repairs == 0 || step.repairing)) event = StepEvent::VerdictIssuesFinal;
  if (step.state == StepState::Judging && !judging)
    return refuse(ErrorCode::RunIllegalEvent, "", "call " + std::to_string(id) + " is no audit");
  if (const ErrorCode code = move(index, event); code != ErrorCode::None) return code;
  step.audit = pass ? AuditState::Passed : AuditState::Issues;
  set(note(pass ? Reason::AuditPassed : Reason::AuditIssues, index), CommandField::Call, id);
  if (event == StepEvent::VerdictIssues) {
    step.repairing = true;
    note(Reason::RepairStarted, index);
    enqueue(index, Purpose::Repair);
  } else {
    deliver(index);
  }
  return ErrorCode::None;
}

}  // namespace aetherflow
