// Handing ready work to providers.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {
namespace {

/// The end of a run waits no longer than this for a call beside a step that has ended.
constexpr TimeMs kAsideMs = 60'000;

}  // namespace

/// A step enters a phase, with all of the phase's models before it. `continuing`: it goes on from text that there is already, with the
/// model that it prefers.
void Machine::beginPhase(StepIndex index, Purpose purpose, bool continuing) {
  StepRecord& record = steps_[index];
  const Phase& row = phase(purpose);
  const bool back = record.phase != purpose;  // to the main work, after a draft
  record.phase = purpose;
  record.phaseGroup = routeOf(index, row.route);
  record.tries = record.triesHere = record.freeTries = 0;
  record.refused = false;
  record.waitsSince = -1;
  record.pushedBack = 0;
  record.lastFailure = FailureKind::Count;
  record.strictest = ConstraintLevel::Native;
  record.widened = 0;
  record.continuing = continuing;
  if (continuing) {
    record.widerGroup = record.phaseGroup;
    record.phaseGroup = router_.only(record.phaseGroup, router_.group(record.phaseGroup).admissible.front());
  }
  record.promptTokens = 0;
  record.frugal = record.cold = false;
  if (row.limited) {
    record.repairing = true;
    notes_.tell(Reason::RepairStarted, index);
  }
  if (purpose == Purpose::Main && !back && table_.policy.deadlineMs > 0) {
    record.deadlineAt = now_ + table_.policy.deadlineMs;
    deadlines_.add(record.deadlineAt, index);
  }
  if (row.cached && !back && cacheUse(index) != CacheUse::Off) {
    ++cache_.looked;
    return look(index);
  }
  enqueue(index);
}

/// What orders the step among others.
ReadyItem Machine::itemOf(StepIndex index) const {
  const Step& step = plan().steps[index];
  const StepRecord& record = steps_[index];
  ReadyItem item;
  item.priority = step.priority;
  item.remainingMs = index < remainingMs_.size() ? remainingMs_[index] : record.estimateMs;
  item.complexity = step.complexity;
  item.tokens = step.estimatedTokens;
  item.step = index;
  item.purpose = record.phase;
  item.readyAt = record.queuedAt >= 0 ? record.queuedAt : now_;
  return item;
}

/// The step waits for a call of its phase.
void Machine::enqueue(StepIndex index) {
  StepRecord& record = steps_[index];
  const ReadyItem item = itemOf(index);
  if (record.phase == Purpose::Main && record.readyAt < 0) record.readyAt = now_;
  queues_.resize(router_.groups().size());
  queues_[record.phaseGroup].push(item);
}

/// Finds a target that takes the item now: the preferred one, or another where the work is expected to end sooner.
Placement Machine::place(GroupIndex index, const ReadyItem& item) {
  const RouteGroup& group = router_.group(index);
  Placement placement{group.admissible.front(), offer(item, group.admissible.front()), false};
  const Offer& first = placement.offer;
  // What to do about a shortage of money is decided by the budget ladder.
  if (first.goes || first.never || table_.overflow == Overflow::Never || first.why == Reason::WaitingForBudget)
    return placement;
  const Target preferred = placement.target;
  std::int64_t wait = slots_.waitMs(preferred.provider, now_);
  if (first.until != kNever)
    wait = std::max(wait, first.until - now_);
  else if (first.why != Reason::WaitedForProvider)
    wait = std::max(wait, table_.policy.openMs);  // unknown; a breaker's time is a fair guess
  const std::uint32_t tokens = answerEstimate(plan().steps[item.step], phase(item.purpose));
  std::int64_t best = wait + table_.models[preferred.model].estimateMs(tokens);
  for (const Target candidate : group.admissible) {
    const std::int64_t ms = table_.models[candidate.model].estimateMs(tokens);
    if (ms >= best || !slots_.free(candidate.provider)) continue;
    const Offer other = offer(item, candidate);
    if (!other.goes) {
      wakeAt_ = std::min(wakeAt_, other.until);
      continue;
    }
    best = ms;
    placement = {candidate, other, true};
  }
  return placement;
}

/// Reports once what an item waits for, and remembers when to look again.
void Machine::blocked(const ReadyItem& item, const Placement& placement) {
  const Offer& offer = placement.offer;
  wakeAt_ = std::min(wakeAt_, offer.until);
  StepRecord& record = steps_[item.step];
  // Nearly every step waits for a free slot: not worth reporting.
  if (offer.why == Reason::WaitedForProvider || record.waiting == offer.why) return;
  // No running call could release money: what follows is not a wait.
  if (offer.why == Reason::WaitingForBudget && purse_.nothingReserved()) return;
  record.waiting = offer.why;
  notes_.waiting(offer.why, item.step, placement.target, offer.window, offer.until);
}

void Machine::dispatch() {
  unpark();
  do wakeAt_ = kNever;
  while (dispatchOne());
  for (const StepIndex waiting : parked_) wakeAt_ = std::min(wakeAt_, steps_[waiting].parkedUntil);
}

/// Optional work that no longer fits the budget.
bool Machine::skipped(StepIndex step) const {
  return skipOptional_ && plan().steps[step].optional && steps_[step].tries == 0;
}

/// Ends the top of a queue when the budget no longer allows work of its kind.
bool Machine::leftOut(GroupIndex group, const ReadyItem& item) {
  if (!budgetStopped_ && !skipped(item.step)) return false;
  queues_[group].pop();
  if (item.purpose != Purpose::Main)
    giveUp(item.step, FailureKind::BudgetExceeded);
  else
    drop(item.step, budgetStopped_ ? Reason::BudgetStopped : Reason::BudgetSkipped);
  return true;
}

/// Moves the top of a queue to the drafts, or back from there when its pair was switched off while it waited.
bool Machine::turnsToDraft(GroupIndex group, const ReadyItem& item) {
  const bool off = item.purpose == Purpose::Draft && !steps_[item.step].drafts;
  if (!off && (item.purpose != Purpose::Main || !drafts(item.step))) return false;
  queues_[group].pop();
  if (off)
    goOn(item.step, steps_[item.step].draft, FailureKind::Count);
  else
    beginPhase(item.step, Purpose::Draft);
  return true;
}

/// Dispatches the best item of all queues that can go, or settles one that never can. False when nothing changed.
bool Machine::dispatchOne() {
  GroupIndex chosen = kNone, broke = kNone, optional = kNone;
  Placement placement;
  for (GroupIndex group = 0; group < queues_.size(); ++group) {
    ReadyQueue& queue = queues_[group];
    // Of steps that were cancelled, or whose deadline passed, after they became ready.
    while (!queue.empty() && steps_[queue.top().step].state != StepState::Ready) queue.pop();
    if (queue.empty()) continue;
    const ReadyItem item = queue.top();
    if (leftOut(group, item) || turnsToDraft(group, item)) return true;
    if (chosen != kNone && !before(item, queues_[chosen].top())) continue;
    Placement found = place(group, item);
    if (found.offer.never) {
      queue.pop();
      narrow(item, found);
      return true;
    }
    if (found.offer.goes && waitsForPrefix(item, found)) {
      // Others in the queue may go meanwhile.
      queue.pop();
      return true;
    }
    // A draft waits for a place, and for nothing else: the full answer may go meanwhile.
    if (item.purpose == Purpose::Draft && !found.offer.goes && found.offer.why != Reason::WaitedForProvider) {
      queue.pop();
      giveUp(item.step, FailureKind::Count);
      return true;
    }
    if (found.offer.goes && heldBack(item.step)) continue;
    if (found.offer.goes) {
      chosen = group;
      placement = found;
      continue;
    }
    blocked(item, found);
    if (found.offer.why != Reason::WaitingForBudget) continue;
    GroupIndex& poor = plan().steps[item.step].optional ? optional : broke;
    if (poor == kNone || before(item, queues_[poor].top())) poor = group;
  }
  // Optional steps wait for money after all others, so they delay no one.
  if (chosen == kNone && broke == kNone) broke = optional;
  if (broke != kNone) {
    const ReadyItem item = queues_[broke].top();
    // Steps wait for money in order of priority: less urgent work may not spend it meanwhile.
    if (chosen != kNone && before(item, queues_[chosen].top())) chosen = kNone;
    if (chosen == kNone && purse_.nothingReserved()) {
      shortage(item);
      return true;
    }
  }
  if (chosen == kNone) return false;
  if (broke == kNone && holdsBack(queues_[chosen].top(), placement)) return true;
  const ReadyItem item = take(chosen, placement, broke != kNone);
  move(item.step, StepEvent::Dispatched);
  steps_[item.step].call = call(item, placement);
  if (item.purpose == Purpose::Main) draftBeside(item.step);
  return true;
}

/// Takes the top of the queue, whose placement is known. Where the call asks whether a limited group serves again, it takes the
/// step that was sent away least often instead: a request that is refused for its own content must not decide for all. `inOrder`: never.
ReadyItem Machine::take(GroupIndex group, Placement& placement, bool inOrder) {
  ReadyQueue& queue = queues_[group];
  const std::vector<ReadyItem>& items = queue.items();
  std::size_t best = 0;
  if (!inOrder && quotas_.pushes(table_.models[placement.target.model].quota) > 0) {
    const auto goesFirst = [this](const ReadyItem& a, const ReadyItem& b) {
      const std::uint32_t one = steps_[a.step].pushedBack, other = steps_[b.step].pushedBack;
      return one != other ? one < other : before(a, b);
    };
    for (std::size_t i = 1; i < items.size(); ++i)
      if (steps_[items[i].step].state == StepState::Ready && !skipped(items[i].step) &&
          goesFirst(items[i], items[best]))
        best = i;
  }
  const ReadyItem item = items[best];
  if (best != 0) {
    const Placement other = place(group, item);
    if (other.offer.goes && other.target == placement.target) {
      placement = other;
      queue.remove(best);
      return item;
    }
  }
  const ReadyItem top = queue.top();
  queue.pop();
  return top;
}

/// Takes the place, the limits and the money of a call.
void Machine::reserve(CallRecord& call, const Offer& offer) {
  call.maxTokens = offer.maxTokens;
  call.promptBound = offer.promptBound;
  call.peak = atPeak(table_.providers[call.target.provider], wallMs());
  quotas_.take(modelOf(call).quota, offer.worst.tokens);
  slots_.take(call.target.provider, call.expectedEnd);
  purse_.reserve(call.money, steps_[call.step].money, offer.worst);
}

/// Makes the call's record and its command.
CallId Machine::call(const ReadyItem& item, const Placement& placement) {
  const Target target = placement.target;
  StepRecord& record = steps_[item.step];
  // Not an attempt of what the step is at.
  const bool beside = !phase(item.purpose).aside() && phase(item.purpose).phase != record.phase;
  const bool hedge = item.purpose == Purpose::Hedge || beside;
  const bool moved = !hedge && record.lastFailure != FailureKind::Count && !(record.lastTarget == target);
  CallRecord call;
  call.step = item.step;
  call.target = target;
  call.purpose = item.purpose;
  call.attempt = record.calls;
  if (record.calls < 255) ++record.calls;
  call.overflowed = placement.overflowed && !moved;
  call.readyAt = item.readyAt;
  call.dispatchedAt = now_;
  call.waited = record.waiting;
  call.continues = record.continuing && !beside;
  call.beside = call.abandoned = beside || phase(item.purpose).aside();
  const Model& model = table_.models[target.model];
  call.expectedEnd = now_ + model.estimateMs(answerEstimate(plan().steps[item.step], phase(item.purpose)));
  reserve(call, placement.offer);
  call.probe = health_.dispatched(target.provider, now_);
  ++liveCalls_;
  if (!hedge) {
    record.triesHere = record.lastTarget == target ? static_cast<std::uint8_t>(record.triesHere + 1) : 1;
    if (record.tries < 255) ++record.tries;
  }
  record.waiting = Reason::None;
  record.queuedAt = -1;
  if (record.startedAt < 0) record.startedAt = now_;
  const auto id = static_cast<CallId>(calls_.size());
  sharePrefix(call, id, placement.lead);
  calls_.push_back(call);
  CallRecord& made = calls_.back();
  made.level = constraintLevel(id);
  remark(made, moved);
  if (!hedge) record.lastTarget = target;
  if (table_.policy.hedgePermille > 0 && item.purpose == Purpose::Main && record.tries == 1)
    hedges_.add(now_ + health_.firstTokenP95(target.model, model.firstTokenMs), id);
  tell(made, id);
  return id;
}

/// Notes for people about a call that is about to leave.
void Machine::remark(const CallRecord& call, bool moved) {
  const StepRecord& record = steps_[call.step];
  if (call.probe) notes_.tell(Reason::BreakerProbing, call.step, call.target);
  if (call.overflowed) notes_.tell(Reason::Overflowed, call.step, call.target);
  if (moved) notes_.fellBack(call.step, call.target, record.lastTarget.provider, record.lastFailure);
  if (!moved && !call.continues && call.purpose != Purpose::Hedge) return;
  // A looser provider, or the rest of an answer: the constraint is never dropped silently.
  const ConstraintLevel former = strictest(call.step, record.lastTarget.provider, call.purpose);
  if (!phase(call.purpose).judges() && call.level > std::max(former, record.strictest))
    notes_.failedAt(Reason::ConstraintRelaxed, call.step, call.target, record.lastFailure);
}

void Machine::tell(const CallRecord& call, CallId id) {
  const TimeMs deadline = steps_[call.step].deadlineAt;
  const TimeMs left = phase(call.purpose).aside() ? kAsideMs : deadline == kNever ? kNever : deadline - now_;
  CallTimes times;
  times.timeoutMs = std::max<std::int64_t>(1, std::min(table_.totalTimeoutMs, left));
  times.estimateMs = call.expectedEnd - now_;
  times.now = now_;
  notes_.call(call, id, times);
}

}  // namespace aetherflow
