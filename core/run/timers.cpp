// What falls due without an event: retries, deadlines, hedges.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {

TimeMs Machine::nextWake() const {
  if (!begun_ || finished_) return kNever;
  return std::min({wakeAt_, delayed_.next(), hedges_.next(), deadlines_.next()});
}

void Machine::fireTimers() {
  Timers::Due due;
  while (deadlines_.take(now_, due))
    if (!settled(steps_[due.id].state)) expire(due.id);
  while (delayed_.take(now_, due)) {
    const bool waits =
        steps_[due.id].state == StepState::Ready && steps_[due.id].phase == static_cast<Purpose>(due.tag);
    if (waits) enqueue(due.id);
  }
  while (hedges_.take(now_, due)) hedge(due.id);
}

/// The call's first token is late: the same work goes to a second provider too, when places, limits, money and the
/// share of hedges allow it. Never beside a retry, never twice.
void Machine::hedge(CallId id) {
  const CallRecord& late = calls_[id];
  StepRecord& record = steps_[late.step];
  const bool waiting = late.live && !late.abandoned && late.firstTokenAt < 0 && late.cancelled == Reason::None;
  const bool works = record.state == StepState::Calling && record.phase == Purpose::Main;
  if (!waiting || !works || record.tries != 1 || record.hedge != kNone) return;
  if ((hedged_ + 1) * 1000ull > (calls_.size() + 1) * std::uint64_t{table_.policy.hedgePermille}) return;
  ReadyItem item;
  item.step = late.step;
  item.readyAt = now_;
  item.purpose = Purpose::Hedge;
  const CallId second = atOnce(item, record.phaseGroup, late.target.provider);
  if (second == kNone) return;
  ++hedged_;
  steps_[item.step].hedge = second;
}

/// The step's deadline passed: its running calls are cancelled, and it waits no longer.
void Machine::expire(StepIndex index) {
  StepRecord& record = steps_[index];
  const StepState state = record.state;
  if (state == StepState::Judging) return;  // its verdict is the next event
  if (state != StepState::Calling) return giveUp(index, FailureKind::Deadline);
  for (const CallId id : {record.call, record.hedge}) {
    if (id == kNone || !calls_[id].live || calls_[id].abandoned) continue;
    calls_[id].abandoned = true;
    cancelCall(id, Reason::DeadlinePassed);
  }
  const bool keeps = keepsFirst(record);
  move(index, keeps ? StepEvent::CallFailedKeep : StepEvent::CallFailed);
  notes_.tell(Reason::DeadlinePassed, index);
  if (keeps) {
    if (phase(record.phase).verdict == VerdictReader::Audit) record.audit = AuditState::Undone;
    deliver(index);
  } else {
    record.failure = FailureKind::Deadline;
    settle(index);
  }
}

}  // namespace aetherflow
