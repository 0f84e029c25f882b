// The automaton at work: moving a step, delivering it, and what its end means to others.

#include "core/run/machine.hpp"

namespace aetherflow {

/// Applies one cell of the table.
ErrorCode Machine::move(StepIndex index, StepEvent event) {
  StepRecord& step = steps_[index];
  visits_[static_cast<std::size_t>(step.phase)][static_cast<std::size_t>(step.state)][static_cast<std::size_t>(event)] =
      true;
  const StepCell cell = stepCell(step.state, event, shapeOf(phase(step.phase), step.phase));
  if (cell.kind != CellClass::Legal)
    return refuse(ErrorCode::RunIllegalEvent, "/steps/" + std::to_string(index),
                  std::string(name(event)) + " in state " + std::string(name(step.state)) + ": " +
                      std::string(name(cell.illegal)));
  step.state = cell.next;
  return ErrorCode::None;
}

/// An event from the host about a step.
ErrorCode Machine::stepEvent(StepIndex index, StepEvent event, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (index >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step ", index);
  return move(index, event);
}

void Machine::deliver(StepIndex index) {
  const StepRecord& step = steps_[index];
  notes_.deliver(index, step.output, step.repaired ? Origin::Repaired : Origin::Called, now_ - step.startedAt);
  store(index);
  settle(index);
}

/// Its dependents do not fail: it is done, not needed, or optional.
bool Machine::endedWell(StepIndex index) const {
  const StepRecord& step = steps_[index];
  return step.state == StepState::Done || step.reason == Reason::Settled || plan().steps[index].optional;
}

/// What a step that loses an input is skipped for: a condition that does not hold skips all that follows, and nothing has failed.
Reason Machine::lostBecause(StepIndex input) const {
  return steps_[input].reason == Reason::Unmet ? Reason::Unmet : Reason::DependencyFailed;
}

/// Tells the dependents of a settled step. Those that lose an input are collected, not visited by recursion: a plan may be
/// one chain of 100,000 steps.
void Machine::passOn(StepIndex index, std::vector<StepIndex>& skipped) {
  const bool well = endedWell(index);
  links_.successors(index, [&](StepIndex to) {
    StepRecord& next = steps_[to];
    if (settled(next.state)) return;
    if (!well) {
      next.cause = index;
      next.reason = lostBecause(index);
      move(to, StepEvent::InputLost);
      skipped.push_back(to);
    } else {
      --next.missing;
      becomeReady(to);
    }
  });
}

/// The step has reached one of the four last states.
void Machine::settle(StepIndex first) {
  std::vector<StepIndex> work{first};
  while (!work.empty()) {
    const StepIndex index = work.back();
    work.pop_back();
    StepRecord& step = steps_[index];
    step.settledAt = now_;
    purse_.unplan(step.money);
    --unsettled_;
    if (step.beside != kNone) {
      // Its own answer, or its end, was there first.
      cancelCall(step.beside, step.reason == Reason::None ? Reason::HedgeLost : step.reason);
      besideEnded(index, step.state == StepState::Done ? Reason::DraftLate : Reason::DraftFailed, FailureKind::Count);
    }
    if (step.state != StepState::Done) {
      notes_.ended(step, index);
      if (plan().steps[index].optional && step.reason != Reason::Settled && step.reason != Reason::Unmet)
        notes_.tell(Reason::OptionalDone, index);
    }
    passOn(index, work);
    if (leaders_.leads(index)) releaseFollowers(index, work);
  }
}

void Machine::cancelOne(StepIndex index, Reason reason) {
  StepRecord& step = steps_[index];
  step.reason = reason;
  for (const CallId call : {step.call, step.hedge})
    if (call != kNone) cancelCall(call, reason);
  settle(index);
}

ErrorCode Machine::cancelStep(StepIndex index, Reason reason, TimeMs now) {
  const StepEvent event = reason == Reason::UserCancelled ? StepEvent::Cancel : StepEvent::Unneeded;
  if (const ErrorCode code = stepEvent(index, event, now); code != ErrorCode::None) return code;
  cancelOne(index, reason);
  return ErrorCode::None;
}

ErrorCode Machine::recalled(StepIndex index, bool joined, TimeMs now) {
  if (index < steps_.size() && joined && (steps_[index].state != StepState::Ready || !plan().steps[index].spreads))
    return refuse(ErrorCode::RunIllegalEvent, "/steps/" + std::to_string(index), "it has no parts that have ended");
  if (const ErrorCode code = stepEvent(index, StepEvent::Recalled, now); code != ErrorCode::None) return code;
  if (joined)
    steps_[index].startedAt = now_;
  else
    steps_[index].reason = Reason::Recalled;
  notes_.recalled(index, joined ? Origin::Joined : Origin::Recalled);
  settle(index);
  return ErrorCode::None;
}

ErrorCode Machine::cancelRun(TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (finished_) return refuse(ErrorCode::RunOver, "", "the run has finished");
  cancelled_ = true;
  // Steps that were not read yet will not run either.
  planEnded_ = true;
  cancelAll(Reason::RunCancelled);
  for (CallId id = 0; id < calls_.size(); ++id)
    if (calls_[id].beside) cancelCall(id, Reason::RunCancelled);
  return ErrorCode::None;
}

void Machine::cancelAll(Reason reason) {
  // Mark all first, then report: otherwise each would skip its dependents instead of cancelling them.
  std::vector<StepIndex> open;
  for (StepIndex i = 0; i < steps_.size(); ++i)
    if (!settled(steps_[i].state)) {
      move(i, StepEvent::Cancel);
      open.push_back(i);
    }
  for (const StepIndex i : open) cancelOne(i, reason);
}

}  // namespace aetherflow
