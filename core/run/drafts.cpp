// Draft and verify: which steps begin with the draft of a fast model, what the verdict on it leads to, and the canaries that
// tell what accepting drafts is worth.

#include <algorithm>
#include <utility>

#include "core/run/machine.hpp"

namespace aetherflow {

/// Where calls of a phase may go. A verdict comes from another family than what it judges.
GroupIndex Machine::routeOf(StepIndex index, PhaseRoute route) {
  const StepRecord& record = steps_[index];
  const auto unlike = [&](GroupIndex group, CallId call) { return router_.unlike(group, calls_[call].target); };
  switch (route) {
    case PhaseRoute::Step: return record.group;
    case PhaseRoute::Audit: {
      if (router_.auditGroup() != kNone) return router_.auditGroup();
      const GroupIndex judges = router_.listed("judge", table_.judges);
      const GroupIndex others = unlike(judges, record.output);
      return others == kNone ? judges : others;
    }
    case PhaseRoute::Draft:
      return router_.unlike(router_.listed("draft", table_.drafters), router_.group(record.group).admissible.front());
    case PhaseRoute::Verify: return unlike(record.group, record.output);
    case PhaseRoute::Judge: break;
  }
  const GroupIndex judges = unlike(router_.listed("judge", table_.judges), record.output);
  const GroupIndex third = judges == kNone ? kNone : unlike(judges, record.call);
  return third == kNone ? judges : third;
}

/// The host decides who drafts, with what it knows of other runs; the last word before the step's first call counts, also for a
/// draft that waits for its place.
ErrorCode Machine::drafting(StepIndex index, Reason against, bool beside, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (index >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step ", index);
  StepRecord& record = steps_[index];
  const bool waits = record.phase == Purpose::Draft ? record.state == StepState::Ready
                                                    : record.phase == Purpose::Main && record.calls == 0;
  // Too late: it changes nothing.
  if (!waits || settled(record.state)) return ErrorCode::None;
  record.drafts = against == Reason::None;
  // An answer beside another has no state in which it could wait for its check.
  record.draftsBeside = beside && !isChecked(index);
  if (against != Reason::None && record.draft != against) notes_.tell(against, index);
  record.draft = against;
  return ErrorCode::None;
}

/// Whether the step begins with a draft, now that its turn has come.
bool Machine::drafts(StepIndex index) {
  StepRecord& record = steps_[index];
  if (!record.drafts || record.draftsBeside) return false;
  record.drafts = mayDraft(index);
  return record.drafts;
}

/// Where answers are audited anyway nothing is drafted.
bool Machine::mayDraft(StepIndex index) {
  if (audits(index) || routeOf(index, PhaseRoute::Draft) == kNone) return false;
  if (affordsDraft(index)) return true;
  steps_[index].draft = Reason::DraftDear;
  notes_.tell(Reason::DraftDear, index);
  return false;
}

/// Whether there is money for the draft, its verdict and the answer in full, each at its worst: a draft that is rejected must not
/// have eaten up what its step needs.
bool Machine::affordsDraft(StepIndex index) {
  if (!purse_.limits()) return true;
  const StepRecord& record = steps_[index];
  Spend all;
  std::uint32_t answer = 0;
  for (const Purpose leg : {Purpose::Draft, Purpose::Verify, Purpose::Main}) {
    const Phase& row = phase(leg);
    const GroupIndex group = leg == Purpose::Draft ? routeOf(index, row.route) : record.group;
    const Target target = router_.group(group).admissible.front();
    const std::uint32_t read = promptBoundOf(index, target.model) + (row.judges() ? 2 * answer : 0);
    answer = answerLimit(plan().steps[index], row, table_.models[target.model], 0);
    all += worstCase(table_, target, read, answer, wallMs());
  }
  return purse_.fitsStep(record.money, all) && fitsRun(index, all);
}

/// The draft comes to nothing: the step is done in full, from the beginning that the verifier let stand where its provider takes one.
/// `Count`: nothing failed.
void Machine::goOn(StepIndex index, Reason why, FailureKind kind) {
  StepRecord& record = steps_[index];
  if (record.draft != why) notes_.failed(why, index, kind);
  record.draft = why;
  record.drafts = false;
  const bool shown = record.output != kNone || (record.call != kNone && calls_[record.call].firstTokenAt >= 0);
  record.output = kNone;
  if (shown) notes_.tell(Reason::Restarted, index);
  const Target full = router_.group(record.group).admissible.front();
  const bool stands = why == Reason::DraftRejected && record.draftKept > 0 && table_.providers[full.provider].prefix;
  beginPhase(index, phase(record.phase).onBroken, stands);
}

/// What the verdict makes of the draft. `kept`: how much of it stands, in 1/1000; more: and it is to be compared with a full answer.
ErrorCode Machine::verified(CallId judge, Verdict verdict, std::int64_t kept) {
  const StepIndex index = calls_[judge].step;
  steps_[index].draftKept = static_cast<std::uint16_t>(std::clamp<std::int64_t>(kept, 0, 999));
  if (verdict == Verdict::Reject)
    goOn(index, Reason::DraftRejected, FailureKind::Count);
  else
    accept(index, judge, verdict == Verdict::Patch, kept);
  return ErrorCode::None;
}

/// The draft is the step's output, as it was or with a small change.
void Machine::accept(StepIndex index, CallId judge, bool patched, std::int64_t kept) {
  StepRecord& record = steps_[index];
  if (!patched) record.draftKept = 1000;
  record.draft = patched ? Reason::DraftPatched : Reason::DraftAccepted;
  notes_.aboutCall(record.draft, index, judge);
  deliver(index);
  if (!patched && kept > 1000) asides_.push_back(index);
}

/// The first full call of the step has left: its draft leaves with it, now or never.
void Machine::draftBeside(StepIndex index) {
  StepRecord& record = steps_[index];
  if (!record.draftsBeside || !std::exchange(record.drafts, false) || !mayDraft(index)) return;
  record.drafted = callBeside(index, Purpose::Draft, routeOf(index, PhaseRoute::Draft));
  record.beside = record.drafted;
  if (record.beside == kNone) besideEnded(index, Reason::DraftFailed, FailureKind::Count);
}

/// The draft beside a full answer is there first.
void Machine::verifyBeside(StepIndex index) {
  StepRecord& record = steps_[index];
  const GroupIndex group = budgetStopped_ ? kNone : router_.unlike(record.group, calls_[record.drafted].target);
  record.beside = group == kNone ? kNone : callBeside(index, Purpose::Verify, group);
  if (record.beside == kNone) besideEnded(index, Reason::DraftFailed, FailureKind::Count);
}

/// The draft came to nothing, and the full answer goes on without it.
void Machine::besideEnded(StepIndex index, Reason why, FailureKind kind) {
  StepRecord& record = steps_[index];
  record.beside = kNone;
  record.draft = why;
  notes_.failed(why, index, kind);
}

/// The verdict on a draft that is made beside a full answer, while that is not there yet.
ErrorCode Machine::verifiedBeside(CallId judge, Verdict verdict, std::int64_t kept) {
  const StepIndex index = calls_[judge].step;
  StepRecord& record = steps_[index];
  if (record.beside != judge || !calls_[judge].succeeded || settled(record.state))
    return refuse(ErrorCode::RunIllegalEvent, "", "no verdict of this kind is due");
  const bool late = record.phase != Purpose::Main;  // the full answer is there and in repair
  if (late || verdict == Verdict::Reject) {
    besideEnded(index, late ? Reason::DraftLate : Reason::DraftRejected, FailureKind::Count);
    return ErrorCode::None;
  }
  record.beside = kNone;
  record.draftKept = static_cast<std::uint16_t>(std::clamp<std::int64_t>(kept, 0, 999));
  // Its answer is known without its call, which runs or waits.
  const bool runs = record.state == StepState::Calling;
  if (const ErrorCode code = move(index, runs ? StepEvent::Succeeded : StepEvent::Recalled); code != ErrorCode::None)
    return code;
  for (const CallId lost : {record.call, record.hedge}) {
    if (lost == kNone || !calls_[lost].live || calls_[lost].abandoned) continue;
    calls_[lost].abandoned = true;
    cancelCall(lost, Reason::HedgeLost);
    notes_.aboutCall(Reason::HedgeLost, index, lost);
  }
  record.hedge = kNone;
  record.phase = Purpose::Verify;
  record.call = judge;
  record.output = record.drafted;
  accept(index, judge, verdict == Verdict::Patch, kept);
  return ErrorCode::None;
}

/// A call of the step that leaves now or never, at the first target that takes it; kNone: none does.
CallId Machine::atOnce(ReadyItem item, GroupIndex group, ProviderIndex except) {
  for (const Target target : router_.group(group).admissible) {
    if (target.provider == except) continue;
    const Placement placement{target, offer(item, target), false};
    if (!placement.offer.goes) continue;
    if (item.purpose == Purpose::Hedge) notes_.tell(Reason::Hedged, item.step, target);
    return call(item, placement);
  }
  return kNone;
}

/// Sends the calls that are due beside steps. What cannot leave now leaves its draft without a verdict, or uncompared.
void Machine::asides() {
  for (const StepIndex step : std::exchange(asides_, {})) {
    const StepRecord& record = steps_[step];
    if (record.draft == Reason::DraftAccepted)
      aside(step);
    else if (record.beside != kNone)
      verifyBeside(step);
  }
}

/// A call that leaves now or never, and moves no step.
CallId Machine::callBeside(StepIndex index, Purpose purpose, GroupIndex group) {
  ReadyItem item;
  item.step = index;
  item.purpose = purpose;
  item.readyAt = now_;
  return atOnce(item, group, kNone16);
}

/// A call beside a step that has ended: it waits for nothing, and moves nothing. The second one of a phase goes where the first did.
void Machine::aside(StepIndex index) {
  if (cancelled_ || refused_ || budgetStopped_) return;
  StepRecord& record = steps_[index];
  const Purpose purpose = record.phase == Purpose::Verify ? Purpose::Canary : Purpose::Judge;
  if (record.phase != purpose) {
    const GroupIndex group = routeOf(index, phase(purpose).route);
    if (group == kNone) return;
    record.phase = purpose;
    record.phaseGroup = group;
    record.tries = 0;
  }
  record.promptTokens = 0;
  record.frugal = false;
  const CallId made = callBeside(index, purpose, record.phaseGroup);
  if (made != kNone) record.call = made;
}

/// A draft is verified, and a full answer compared with it, unless they cannot stand themselves.
void Machine::besideAnswered(CallId id) {
  const CallRecord& call = calls_[id];
  const StepIndex index = call.step;
  if (phase(call.purpose).judges()) return;  // its verdict is the next event
  if (call.purpose == Purpose::Draft && settled(steps_[index].state)) return;
  if (accepted(call.check)) return asides_.push_back(index);
  if (call.purpose == Purpose::Draft) return besideEnded(index, Reason::DraftFailed, FailureKind::ConstraintViolated);
  steps_[index].canary = Reason::CanaryAgrees;
  notes_.aboutCall(Reason::CanaryAgrees, index, id);
}

/// A full answer counts as better only when the judge says so whichever of the two it reads first.
ErrorCode Machine::compared(CallId judge, Verdict verdict) {
  const StepIndex index = calls_[judge].step;
  StepRecord& record = steps_[index];
  if (record.call != judge || !calls_[judge].succeeded || record.canary != Reason::None)
    return refuse(ErrorCode::RunIllegalEvent, "", "no verdict of this kind is due");
  if (verdict == Verdict::Issues && record.tries < 2) {
    record.call = kNone;
    asides_.push_back(index);
    return ErrorCode::None;
  }
  record.canary = verdict == Verdict::Issues ? Reason::CanaryRegrets : Reason::CanaryAgrees;
  notes_.aboutCall(record.canary, index, judge);
  return ErrorCode::None;
}

}  // namespace aetherflow
