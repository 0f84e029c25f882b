// The end of a call: what its answer, or its failure, means to its step.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {

/// What an answer means to its step.
StepEvent Run::answerEvent(const CallRecord& call, const StepRecord& step, bool violated) const {
  if (step.state == StepState::Cancelled) return StepEvent::Succeeded;
  if (call.purpose == Purpose::Audit) return StepEvent::SucceededToAudit;
  if (violated) {
    if (call.purpose == Purpose::Repair) return step.violated ? StepEvent::ViolatedFinal : StepEvent::CallFailedKeep;
    return table_.repairs > 0 ? StepEvent::Violated : StepEvent::ViolatedFinal;
  }
  const bool work = call.purpose == Purpose::Main || call.purpose == Purpose::Hedge;
  if (work && router_.auditGroup() != kNone) return StepEvent::SucceededToAudit;
  return StepEvent::Succeeded;
}

ErrorCode Run::succeeded(const Succeeded& event, TimeMs now) {
  // An answer that was cut at the token limit is no answer: nothing partial is passed off as whole.
  if (event.finish == FinishReason::Length || event.finish == FinishReason::ContentFilter) {
    Failed failure;
    failure.call = event.call;
    failure.kind = event.finish == FinishReason::Length ? FailureKind::Truncated : FailureKind::ContentBlocked;
    failure.tokens = event.tokens;
    // Of audits and repairs nothing is shown before their end.
    failure.shown = event.call < calls_.size() && calls_[event.call].firstTokenAt >= 0 &&
                    (calls_[event.call].purpose == Purpose::Main || calls_[event.call].purpose == Purpose::Hedge);
    return ended(failure, event.finish == FinishReason::Length, now);
  }
  if (event.call < calls_.size() && calls_[event.call].live) {
    const CallRecord& call = calls_[event.call];
    const bool violated = !accepted(event.verdict);
    const StepEvent meaning = answerEvent(call, steps_[call.step], violated);
    if (const ErrorCode code = liveCall(event.call, now, meaning); code != ErrorCode::None) return code;
    CallRecord& ended = calls_[event.call];
    // The answer may have settled the step already: the other of its pair ends all the same.
    if (!ended.abandoned && steps_[ended.step].state != StepState::Cancelled) firstOfPair(event.call);
    endCall(ended, now);
    TokenCounts tokens = event.tokens;
    // No counts from the provider: the prompt's own estimate, in the model's measure, stands in and is marked.
    if (event.tokensEstimated && tokens.in == 0) tokens.in = promptGuess(ended);
    account(ended, tokens);
    release(ended, static_cast<std::int64_t>(tokens.in) + tokens.out, true);
    changed(ended.target.provider, health_.succeeded(ended.target.provider));
    ended.succeeded = true;
    ended.tokensEstimated = event.tokensEstimated;
    ended.finish = event.finish;
    ended.check = event.verdict;
    ended.providerMs = event.providerMs;
    if (!event.tokensEstimated && ended.promptEstimate > 0)
      factors_[ended.target.model].learn(ended.promptEstimate, event.tokens.in);
    if (!ended.abandoned) applyAnswer(ended.step, meaning, event.call);
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
      beginPhase(index, Purpose::Audit);
      break;
    case StepEvent::Violated:
      step.violated = true;
      step.repairing = true;
      step.output = id;
      set(note(Reason::ConstraintBroken, index), CommandField::Call, id);
      note(Reason::RepairStarted, index);
      beginPhase(index, Purpose::Repair);
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
  Failed failure = event;
  // The core cancelled it for its slowness: to the step that is a time-out.
  if (event.call < calls_.size() && calls_[event.call].cancelled == Reason::TooSlow &&
      event.kind == FailureKind::Cancelled)
    failure.kind = FailureKind::TimeoutIdle;
  return ended(failure, false, now);
}

/// Tokens of a prompt that nobody counted: an estimate, so it never breaks what was reserved.
std::uint32_t Run::promptGuess(const CallRecord& call) const {
  const std::uint32_t guess = factors_[call.target.model].corrected(call.promptEstimate);
  return call.promptBound > 0 ? std::min(guess, call.promptBound) : guess;
}

/// What a failed call is taken to have used. A provider bills what it read even when the answer never came whole.
TokenCounts Run::usedBy(CallRecord& call, const Failed& event) const {
  TokenCounts tokens = event.tokens;
  const bool sent = call.startedAt >= 0 || call.firstTokenAt >= 0;
  const bool worked = tokens.out > 0 || (failureRule(event.kind).worked && sent);
  if (tokens.in == 0 && worked) {
    tokens.in = promptGuess(call);
    call.tokensEstimated = true;
  }
  return tokens;
}

/// Nobody will ever say what the call cost: what it may have cost at most stays set against the budget, beyond the
/// estimate.
void Run::hold(const CallRecord& call) {
  Spend rest = call.reserved;
  rest -= {call.cost, static_cast<std::int64_t>(call.tokens.in) + call.tokens.out};
  rest = {std::max<MicroUsd>(0, rest.usd), std::max<std::int64_t>(0, rest.tokens)};
  steps_[call.step].held += rest;
  held_ += rest;
}

/// `cut`: the answer reached its limit of tokens.
ErrorCode Run::ended(const Failed& event, bool cut, TimeMs now) {
  Again next;
  StepEvent meaning = StepEvent::CallFailed;
  bool paired = false;
  if (event.call < calls_.size() && now >= now_) {
    const CallRecord& call = calls_[event.call];
    const StepRecord& step = steps_[call.step];
    paired = step.hedge != kNone && !call.abandoned;
    if (!call.abandoned && call.live) {
      const TimeMs before = now_;
      now_ = now;  // the deadline is measured at the event
      next = decide(call, event, cut);
      now_ = before;
    }
    if (step.state != StepState::Cancelled) {
      if (paired)
        meaning = StepEvent::Signal;
      else if (next.again)
        meaning = StepEvent::Retry;
      else if (keepsFirst(call))
        meaning = StepEvent::CallFailedKeep;
    }
  }
  if (const ErrorCode code = liveCall(event.call, now, meaning); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  endCall(call, now);
  const TokenCounts tokens = usedBy(call, event);
  account(call, tokens);
  if (call.tokensEstimated) hold(call);
  release(call, static_cast<std::int64_t>(tokens.in) + tokens.out, event.kind != FailureKind::Input);
  call.failure = event.kind;
  if (cut)
    changed(call.target.provider, health_.succeeded(call.target.provider));  // the limit was ours: the provider is well
  else
    hear(call, event);
  StepRecord& step = steps_[call.step];
  if (call.abandoned || step.state == StepState::Cancelled) return ErrorCode::None;
  if (paired) {
    // The other of the pair goes on; a failed hedge is no reason for a retry beside it.
    if (step.call == event.call) step.call = step.hedge;
    step.hedge = kNone;
  } else if (next.again) {
    tryAgain(event.call, event, next);
  } else if (meaning == StepEvent::CallFailedKeep) {
    deliverFirst(call.step, call.purpose, event.kind);
  } else {
    step.failure = event.kind;
    settle(call.step);
  }
  return ErrorCode::None;
}

/// What the failure says of the provider: when it may be asked again, and how well it is.
void Run::hear(const CallRecord& call, const Failed& event) {
  const FailureRule rule = failureRule(event.kind);
  const ProviderIndex provider = call.target.provider;
  const QuotaIndex quota = table_.models[call.target.model].quota;
  if (event.kind == FailureKind::QuotaExhausted && event.retryAfterMs < 0) {
    quotas_.cool(quota, now_ + kQuotaGoneMs);
  } else if (event.retryAfterMs >= 0 && (rule.retry || rule.fallback)) {
    // A floor, with a little more, so that all who wait do not come back in the same moment.
    const std::int64_t spread = std::min<std::int64_t>(event.retryAfterMs / 10, 1000);
    quotas_.cool(quota, now_ + event.retryAfterMs + rng_.below(static_cast<std::uint32_t>(spread) + 1));
  } else if (event.kind == FailureKind::RateLimited) {
    quotas_.cool(quota, now_ + backOff(steps_[call.step].tries));
  }
  if (rule.retry || rule.fallback)
    changed(provider, health_.failed(provider, rule.health, call.probe, now_));
  else
    health_.withdrawn(provider, call.probe);
}

}  // namespace aetherflow
