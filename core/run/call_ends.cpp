// The end of a call: what its answer, or its failure, means to its step and to its provider.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {

/// Whether the step's answers are audited: all of a mode that audits, and those that a rubric is to be put to.
bool Machine::audits(StepIndex index) const {
  return router_.auditGroup() != kNone || (options_.checks && plan().steps[index].rubric);
}

/// The phase that follows, if there is one and the step may still enter it.
Purpose Machine::nextPhase(StepIndex index, Purpose next) const {
  if (next == kNoPhase) return kNoPhase;
  const Phase& row = phase(next);
  if (!row.built || (row.route == PhaseRoute::Audit && !audits(index))) return kNoPhase;
  const StepRecord& step = steps_[index];
  return row.limited && (table_.repairs == 0 || step.repairing) ? kNoPhase : next;
}

/// What an answer means to its step.
Machine::Meaning Machine::meaningOf(const CallRecord& call, bool accepted) const {
  const StepRecord& step = steps_[call.step];
  const Phase& row = phase(call.purpose);
  if (givenUp(step.state)) return {};
  if (row.judges()) return {StepEvent::Judge, kNoPhase};
  const Purpose next = nextPhase(call.step, accepted ? row.next : row.onBroken);
  if (next != kNoPhase) return {StepEvent::Next, next};
  if (accepted) return {};
  return {keepsFirst(step) ? StepEvent::CallFailedKeep : StepEvent::CallFailed, kNoPhase};
}

/// The host checks answers of the step. Without checks, or for a step without one, nothing is delayed.
bool Machine::isChecked(StepIndex index) const {
  const Step& step = plan().steps[index];
  return options_.checks && !(step.placing.empty() && step.outputFile.empty());
}

/// The host has to check this answer before it becomes the step's output.
bool Machine::checks(const CallRecord& call, bool accepted) const {
  return isChecked(call.step) && accepted && !call.abandoned && phase(call.purpose).writesAnswer() &&
         !givenUp(steps_[call.step].state);
}

ErrorCode Machine::succeeded(const Succeeded& event, TimeMs now) {
  const bool known = event.call < calls_.size();
  // An answer that was truncated at the token limit is not an answer, nor is one that stopped for an unknown reason: a partial
  // one is never passed off as complete.
  const bool odd = event.finish == FinishReason::Other && !table_.policy.acceptsUnknownEnd;
  if (event.finish == FinishReason::Length || event.finish == FinishReason::ContentFilter || odd) {
    Failed failure;
    failure.call = event.call;
    failure.kind = event.finish == FinishReason::ContentFilter ? FailureKind::ContentBlocked : FailureKind::Truncated;
    failure.tokens = event.tokens;
    failure.shown = known && calls_[event.call].firstTokenAt >= 0 && phase(calls_[event.call].purpose).showsAnswer();
    const ErrorCode code = ended(failure, event.finish == FinishReason::Length, now);
    if (odd && code == ErrorCode::None) notes_.aboutCall(Reason::EndingUnknown, calls_[event.call].step, event.call);
    return code;
  }
  if (!known || !calls_[event.call].live) return liveCall(event.call, now, StepEvent::Succeeded);  // names the refusal
  const bool checked = checks(calls_[event.call], accepted(event.verdict));
  Meaning meaning = meaningOf(calls_[event.call], accepted(event.verdict));
  if (checked) meaning = {StepEvent::Judge, kNoPhase};
  if (const ErrorCode code = liveCall(event.call, now, meaning.event); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  // The answer may have settled the step already: the other call of the pair still has to end.
  if (!call.abandoned && !givenUp(steps_[call.step].state)) firstOfPair(event.call);
  endCall(call);
  TokenCounts tokens = event.tokens;
  // No counts from the provider: use the prompt's estimate, corrected for the model, and mark it as estimated.
  if (event.tokensEstimated && tokens.in == 0) tokens.in = promptGuess(call);
  settleCall(call, tokens, false, true);
  breakerChanged(call.target.provider, health_.succeeded(call.target.provider));
  quotas_.served(modelOf(call).quota);
  call.succeeded = true;
  call.tokensEstimated = event.tokensEstimated;
  call.finish = event.finish;
  call.check = event.verdict;
  call.providerMs = event.providerMs;
  if (call.purpose == Purpose::Main && !call.continues)
    holds_.spread.learn(call.expectedEnd - call.dispatchedAt, now - call.dispatchedAt);
  if (!event.tokensEstimated) learnReading(call, event.tokens);
  if (!event.tokensEstimated && call.promptEstimate > 0)
    factors_[call.target.model].learn(call.promptEstimate, event.tokens.in);
  if (checked)
    notes_.check(call.step, event.call);
  else if (!call.abandoned)
    applyAnswer(call.step, event.call, meaning);
  if (call.beside) besideAnswered(event.call);
  return ErrorCode::None;
}

/// The result of an answer's check: from here on it is treated like any other answer.
ErrorCode Machine::checked(CallId id, bool pass, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (id >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", id);
  CallRecord& call = calls_[id];
  const StepRecord& step = steps_[call.step];
  if (step.state != StepState::Judging || step.call != id || phase(call.purpose).judges())
    return refuse(ErrorCode::RunIllegalEvent, "", "no check of call " + std::to_string(id) + " is due");
  Meaning meaning = meaningOf(call, pass);
  // A check has no deadline of its own, but what follows it would come too late. A draft that nobody has verified is no answer.
  if (now >= step.deadlineAt && meaning.event == StepEvent::Next)
    meaning = {pass && !phase(call.purpose).goesOn() ? StepEvent::Succeeded : StepEvent::CallFailed, kNoPhase};
  if (const ErrorCode code = move(call.step, meaning.event); code != ErrorCode::None) return code;
  if (!pass) call.check = CheckVerdict::Failed;
  applyAnswer(call.step, id, meaning);
  return ErrorCode::None;
}

/// What an answer that cannot stand has missed.
static FailureKind brokenBy(const CallRecord& call) {
  return call.check == CheckVerdict::Failed ? FailureKind::CheckFailed : FailureKind::ConstraintViolated;
}

void Machine::applyAnswer(StepIndex index, CallId id, const Meaning& meaning) {
  StepRecord& step = steps_[index];
  const CallRecord& call = calls_[id];
  const Phase& row = phase(call.purpose);
  if (givenUp(step.state) || row.judges()) return;  // a judge's verdict is the next event
  if (meaning.event == StepEvent::CallFailedKeep) {
    notes_.tell(row.failedNote, index);
    return deliver(index);
  }
  if (meaning.event == StepEvent::CallFailed) {
    step.failure = row.goesOn() ? FailureKind::Deadline : brokenBy(call);
    return settle(index);
  }
  step.output = id;
  if (!accepted(call.check) && row.goesOn()) return goOn(index, Reason::DraftFailed, brokenBy(call));
  if (!accepted(call.check)) {
    step.violated = true;
    notes_.aboutCall(call.check == CheckVerdict::Failed ? Reason::CheckFailed : Reason::ConstraintBroken, index, id);
  }
  if (meaning.next != kNoPhase) return beginPhase(index, meaning.next);
  if (call.purpose == Purpose::Repair) {
    step.repaired = true;
    notes_.tell(Reason::Repaired, index);
  }
  deliver(index);
}

ErrorCode Machine::failed(const Failed& event, TimeMs now) {
  Failed failure = event;
  // The core cancelled it for being slow: for the step that is a time-out.
  if (event.call < calls_.size() && calls_[event.call].cancelled == Reason::TooSlow &&
      event.kind == FailureKind::Cancelled)
    failure.kind = FailureKind::TimeoutIdle;
  return ended(failure, failure.kind == FailureKind::LimitReached, now);
}

/// Tokens of a prompt that nobody counted: an estimate, never above what was reserved.
std::uint32_t Machine::promptGuess(const CallRecord& call) const {
  const std::uint32_t guess = factors_[call.target.model].corrected(call.promptEstimate);
  return call.promptBound > 0 ? std::min(guess, call.promptBound) : guess;
}

/// What a failed call is assumed to have used. A provider bills what it read even when the answer never came whole.
TokenCounts Machine::usedBy(CallRecord& call, const Failed& event) const {
  TokenCounts tokens = event.tokens;
  const bool sent = call.startedAt >= 0 || call.firstTokenAt >= 0;
  const bool worked = tokens.out > 0 || (failureRule(event.kind).worked && sent);
  if (tokens.in == 0 && worked) {
    tokens.in = promptGuess(call);
    call.tokensEstimated = true;
  }
  return tokens;
}

void Machine::endCall(CallRecord& call) {
  call.live = false;
  call.endedAt = now_;
  --liveCalls_;
  slots_.release(call.target.provider, call.expectedEnd);
}

/// Settles money and quota group: what was used counts from now on, the rest of the reservation is released.
void Machine::settleCall(CallRecord& call, const TokenCounts& tokens, bool uncertain, bool sent) {
  call.tokens = tokens;
  const Spend used{costOfCall(table_, call.target, tokens, call.peak),
                   static_cast<std::int64_t>(tokens.in) + tokens.out};
  const Spend reserved = purse_.settle(call.money, steps_[call.step].money, used, uncertain);
  quotas_.settle(modelOf(call).quota, reserved.tokens, used.tokens, call.counted, sent, now_);
}

/// The first answer is kept when this phase fails, unless it broke its constraint.
bool Machine::keepsFirst(const StepRecord& step) const {
  return phase(step.phase).keepsFirst() && !step.violated;
}

/// What to do about a stream that broke after its text was shown: the step's setting, else the run's.
Interrupt Machine::interruptPolicy(StepIndex index) const {
  const Interrupt own = plan().steps[index].onInterrupt;
  return own == Interrupt::Count ? table_.policy.interrupt : own;
}

Again Machine::afterFailure(const Failed& event, bool cut, TimeMs now) const {
  const CallRecord& call = calls_[event.call];
  const StepRecord& step = steps_[call.step];
  if (call.abandoned || !call.live || phase(call.purpose).goesOn()) return {};
  Failing failing{step, call, table_.policy};
  failing.now = now;
  failing.interrupt = interruptPolicy(call.step);
  failing.judges = phase(call.purpose).judges();
  failing.others = router_.group(step.continuing ? step.widerGroup : step.phaseGroup).admissible.size() > 1;
  failing.closed = cancelled_ || refused_ || budgetStopped_;
  const TimeMs since = step.waitsSince < 0 ? now : step.waitsSince;
  failing.patient = now + std::max<std::int64_t>(0, event.retryAfterMs) - since <= table_.policy.patienceMs;
  if (cut) {
    // Where the attempt's own ceiling cut it, a higher limit is not available.
    const std::int64_t wall = epochMs_ < 0 ? -1 : epochMs_ + now;
    const Spend wider = worstCase(table_, call.target, call.promptBound, call.maxTokens + call.maxTokens / 8 + 1, wall);
    failing.canWiden = call.maxTokens < modelOf(call).maxOut && purse_.fitsAttempt(wider);
  }
  return decide(failing, event, cut);
}

/// `cut`: the answer reached its limit of tokens.
ErrorCode Machine::ended(const Failed& event, bool cut, TimeMs now) {
  Again next;
  StepEvent meaning = StepEvent::CallFailed;
  bool paired = false;
  if (event.call < calls_.size() && now >= now_) {
    const CallRecord& call = calls_[event.call];
    const StepRecord& step = steps_[call.step];
    paired = step.hedge != kNone && !call.abandoned;
    next = afterFailure(event, cut, now);
    if (!givenUp(step.state)) {
      if (paired)
        meaning = StepEvent::Signal;
      else if (next.again || phase(call.purpose).goesOn())
        meaning = StepEvent::Retry;
      else if (keepsFirst(step))
        meaning = StepEvent::CallFailedKeep;
    }
  }
  if (const ErrorCode code = liveCall(event.call, now, meaning); code != ErrorCode::None) return code;
  CallRecord& call = calls_[event.call];
  endCall(call);
  const TokenCounts tokens = usedBy(call, event);
  settleCall(call, tokens, call.tokensEstimated, event.kind != FailureKind::Input);
  call.failure = event.kind;
  if (cut) {
    // The limit was our own: the provider is healthy.
    breakerChanged(call.target.provider, health_.succeeded(call.target.provider));
    quotas_.served(modelOf(call).quota);
    if (event.retryAfterMs >= 0) quotas_.cool(modelOf(call).quota, now_ + event.retryAfterMs);
  } else
    learnFromFailure(call, event);
  StepRecord& step = steps_[call.step];
  if (step.beside == event.call) besideEnded(call.step, Reason::DraftFailed, event.kind);
  if (call.abandoned || givenUp(step.state)) return ErrorCode::None;
  if (paired) {
    // The other call of the pair continues; a failed hedge is no reason to retry in parallel.
    if (step.call == event.call) step.call = step.hedge;
    step.hedge = kNone;
  } else if (next.again) {
    tryAgain(event.call, event, next);
  } else if (meaning == StepEvent::CallFailedKeep) {
    deliverFirst(call.step, event.kind);
  } else if (meaning == StepEvent::Retry) {
    goOn(call.step, Reason::DraftFailed, event.kind);
  } else {
    step.failure = event.kind;
    settle(call.step);
  }
  return ErrorCode::None;
}

/// What the failure says about the provider: when it may be asked again, and its health.
void Machine::learnFromFailure(const CallRecord& call, const Failed& event) {
  const FailureRule rule = failureRule(event.kind);
  const ProviderIndex provider = call.target.provider;
  const QuotaIndex quota = modelOf(call).quota;
  if (asksToWait(event.kind, event.retryAfterMs, event.mayRetry)) quotas_.pushedBack(quota);
  if (event.kind == FailureKind::QuotaExhausted && event.retryAfterMs < 0) {
    quotas_.cool(quota, now_ + kQuotaGoneMs);
  } else if (event.retryAfterMs >= 0 && (rule.retry || rule.fallback)) {
    // A lower bound with some jitter, so that all waiting calls do not return at the same moment.
    const std::int64_t spread = std::min<std::int64_t>(event.retryAfterMs / 10, 1000);
    std::int64_t wait = event.retryAfterMs + rng_.below(static_cast<std::uint32_t>(spread) + 1);
    // Less than a back-off, or a date in the past, is no information: asking at once would only be refused again.
    if (asksToWait(event.kind, event.retryAfterMs, event.mayRetry) && wait < table_.policy.baseMs)
      wait = std::max(wait, backOffMs(table_.policy, quotas_.pushes(quota), rng_));
    quotas_.cool(quota, now_ + wait);
  } else if (event.kind == FailureKind::RateLimited) {
    quotas_.cool(quota, now_ + backOffMs(table_.policy, quotas_.pushes(quota), rng_));
  }
  remember(call.target, event.kind);
  if (rule.retry || rule.fallback)
    breakerChanged(provider, health_.failed(provider, rule.health, call.probe, now_));
  else
    health_.withdrawn(provider, call.probe);
}

/// What holds for the rest of the run: a missing model is asked only once.
void Machine::remember(Target target, FailureKind kind) {
  const Learnt learnt = learntFrom(kind);
  if (learnt == Learnt::ModelGone) gone_[target.model] = kind;
  if (learnt != Learnt::ProviderGone) return;
  for (const ModelIndex model : table_.providers[target.provider].models) gone_[model] = kind;
}

/// Puts the step back into a queue, now or after a back-off.
void Machine::tryAgain(CallId id, const Failed& event, const Again& again) {
  const CallRecord& call = calls_[id];
  StepRecord& record = steps_[call.step];
  const bool first = record.phase == Purpose::Main;
  record.lastFailure = event.kind;
  record.lastTarget = call.target;
  if (record.continuing) record.phaseGroup = record.widerGroup;
  if (again.elsewhere) record.phaseGroup = router_.without(record.phaseGroup, call.target);
  if (again.relax) relax(id, event.kind);
  if (again.widen) ++record.widened;
  const std::int64_t wait = again.atOnce ? 0 : backOffMs(table_.policy, record.tries, rng_);
  const bool waits = again.free && asksToWait(event.kind, event.retryAfterMs, event.mayRetry);
  // A hedge is not an attempt of its own.
  if (again.free && call.purpose != Purpose::Hedge) {
    --record.tries;
    if (!waits && record.freeTries < 255) ++record.freeTries;
  }
  if (waits && record.waitsSince < 0) record.waitsSince = now_;
  if (waits) ++record.pushedBack;
  if (again.unknown) {
    record.refused = true;
    notes_.failedAt(Reason::RefusedElsewhere, call.step, call.target, event.kind);
  }
  const TimeMs cool = waits && !again.elsewhere ? quotas_.coolUntil(modelOf(call).quota) - now_ : 0;
  notes_.retrying(call.step, call.target, id, event.kind, std::max(wait, cool));

  const bool shown = event.shown || (record.continuing && first);
  record.continuing = shown && interruptPolicy(call.step) == Interrupt::Continue && !again.elsewhere && !again.relax &&
                      first && table_.providers[call.target.provider].prefix;
  if (record.continuing) {
    record.widerGroup = record.phaseGroup;
    record.phaseGroup = router_.only(record.phaseGroup, call.target);
  } else if (shown) {
    notes_.tell(Reason::Restarted, call.step);
  }
  if (wait == 0)
    enqueue(call.step);
  else
    delayed_.add(now_ + wait, call.step, static_cast<std::uint32_t>(record.phase));
}

/// Requests a looser output constraint from now on, in this phase and wherever this model is asked for the same.
void Machine::relax(CallId id, FailureKind kind) {
  const CallRecord& call = calls_[id];
  StepRecord& record = steps_[call.step];
  record.strictest = static_cast<ConstraintLevel>(static_cast<int>(call.level) + 1);
  record.promptTokens = 0;  // the schema joins the prompt
  notes_.relaxed(call.step, id, kind);
  if (kind == FailureKind::BadRequest) looser_.push_back({call.target.model, call.step, record.strictest});
}

/// No further call of the phase is possible; the step is in no queue any longer.
void Machine::giveUp(StepIndex index, FailureKind kind) {
  StepRecord& record = steps_[index];
  if (phase(record.phase).goesOn() && kind != FailureKind::Deadline) return goOn(index, Reason::DraftFailed, kind);
  const bool keeps = keepsFirst(record);
  move(index, keeps ? StepEvent::GiveUpKeep : StepEvent::GiveUp);
  if (keeps) return deliverFirst(index, kind);
  record.failure = kind;
  settle(index);
}

/// The phase failed: the first answer is kept.
void Machine::deliverFirst(StepIndex index, FailureKind kind) {
  const Phase& row = phase(steps_[index].phase);
  if (row.verdict == VerdictReader::Audit) steps_[index].audit = AuditState::Undone;
  notes_.failed(row.failedNote, index, kind);
  deliver(index);
}

/// Reports what a call's end did to its provider's circuit breaker.
void Machine::breakerChanged(ProviderIndex provider, BreakerChange change) {
  if (change == BreakerChange::None) return;
  const bool opened = change == BreakerChange::Opened;
  // A probe that outlives the closing of its breaker is an ordinary call: it must not count for the next probe.
  if (!opened)
    for (CallRecord& call : calls_)
      if (call.live && call.target.provider == provider) call.probe = false;
  notes_.breaker(opened ? Reason::BreakerOpened : Reason::BreakerClosed, provider,
                 opened ? health_.openUntil(provider) : kNever);
}

}  // namespace aetherflow
