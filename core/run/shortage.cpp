// When a target can never take a step, and when money runs short: the declared ladder.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {

bool Machine::declared(Rung rung) const {
  const auto& ladder = table_.policy.ladder;
  return std::find(ladder.begin(), ladder.end(), rung) != ladder.end();
}

/// The item can never go to that target: it continues without it, or fails.
void Machine::narrow(const ReadyItem& item, const Placement& placement) {
  const FailureKind kind = placement.offer.kind;
  if (kind == FailureKind::BudgetExceeded && declared(Rung::Cheaper) && cheaper(item)) return;
  if (kind == FailureKind::BudgetExceeded && shrink(item)) return;
  withoutTarget(item.step, placement.target, kind);
}

/// The step's phase continues without a target that can never take it, or fails.
void Machine::withoutTarget(StepIndex index, Target target, FailureKind kind) {
  StepRecord& record = steps_[index];
  if (record.continuing) {
    // It cannot continue where its text came from: it starts over where it may.
    record.continuing = false;
    record.phaseGroup = record.widerGroup;
    notes_.tell(Reason::Restarted, index);
  }
  const GroupIndex rest = router_.without(record.phaseGroup, target);
  if (rest == kNone) return giveUp(index, kind);
  record.phaseGroup = rest;
  // Of several that cannot take it the first is remembered: what the last one would have enforced was never asked for.
  if (record.lastFailure == FailureKind::Count) record.lastTarget = target;
  record.lastFailure = kind;
  enqueue(index);
}

/// Sends the item to the cheapest model that its money allows, among the admissible providers' own. False when none is
/// cheaper than the present one and fits.
bool Machine::cheaper(const ReadyItem& item) {
  StepRecord& record = steps_[item.step];
  const RouteGroup& group = router_.group(record.phaseGroup);
  const std::uint32_t answer = answerEstimate(plan().steps[item.step], phase(item.purpose));
  const auto priceAt = [&](Target target) {
    return worstCase(table_, target, promptBoundOf(item.step, target.model), answer, wallMs()).usd;
  };
  const MicroUsd present = priceAt(group.admissible.front());
  Target best;
  MicroUsd least = present;
  for (const Target admissible : group.admissible) {
    for (const ModelIndex model : table_.providers[admissible.provider].models) {
      const Target target{admissible.provider, model};
      const MicroUsd price = priceAt(target);
      if (price >= least) continue;
      const Offer found = offer(item, target);
      // A full slot or limit becomes free again; only money decides here.
      if (found.never || found.why == Reason::WaitingForBudget) continue;
      least = price;
      best = target;
    }
  }
  if (best.provider == kNone16) return false;
  notes_.tell(Reason::CheaperModel, item.step, best);
  record.phaseGroup = router_.only(record.phaseGroup, best);
  record.waiting = Reason::None;
  enqueue(item.step);
  return true;
}

/// Lets the item have a shorter answer than twice the estimate, where the rest of the money pays for the expected one.
bool Machine::shrink(const ReadyItem& item) {
  StepRecord& record = steps_[item.step];
  if (record.frugal) return false;
  record.frugal = true;
  for (const Target target : router_.group(record.phaseGroup).admissible) {
    const Offer found = offer(item, target);
    if (found.never || found.why == Reason::WaitingForBudget) continue;
    enqueue(item.step);
    return true;
  }
  record.frugal = false;
  return false;
}

/// The rest of the run's budget is too small for the most urgent item, and no running call can release any.
void Machine::shortage(const ReadyItem& item) {
  // It may be in a group that its own record has left: the queue's top is what is known to be there.
  queues_[steps_[item.step].phaseGroup].pop();
  for (const Rung rung : table_.policy.ladder) {
    if (rung == Rung::Cheaper && cheaper(item)) return;
    if (rung != Rung::Cheaper && shrink(item)) return;
    if (rung == Rung::SkipOptional) {
      const bool any = skipOptional();
      if (settled(steps_[item.step].state)) return;
      // Optional, and tried before: no reason to stop the run.
      if (plan().steps[item.step].optional) return giveUp(item.step, FailureKind::BudgetExceeded);
      if (any) return enqueue(item.step);
    }
    if (rung == Rung::Stop) {
      budgetStopped_ = true;
      notes_.budgetStopped(item.step, shortfall(item));
      return enqueue(item.step);
    }
  }
  if (shrink(item)) return;
  // The ladder is exhausted: this step fails, the others may still be small enough.
  giveUp(item.step, FailureKind::BudgetExceeded);
}

/// What the item would need at least where it prefers to go, and what is left.
Shortfall Machine::shortfall(const ReadyItem& item) {
  const Target target = router_.group(steps_[item.step].phaseGroup).admissible.front();
  const std::uint32_t answer = answerEstimate(plan().steps[item.step], phase(item.purpose));
  const Spend least = worstCase(table_, target, promptBoundOf(item.step, target.model), answer, wallMs());
  return purse_.shortfall(least, plan().steps[item.step].optional);
}

/// From now on no optional step is started. True when that ended any.
bool Machine::skipOptional() {
  if (skipOptional_) return false;
  skipOptional_ = true;
  bool any = false;
  for (StepIndex i = 0; i < steps_.size(); ++i) {
    const StepState state = steps_[i].state;
    const bool untried = state == StepState::Ready && steps_[i].phase == Purpose::Main && steps_[i].tries == 0;
    const bool open = state == StepState::Waiting || untried;
    if (!open || !plan().steps[i].optional) continue;
    any = true;
    drop(i, Reason::BudgetSkipped);
  }
  return any;
}

/// Ends a step before its first call.
void Machine::drop(StepIndex index, Reason reason) {
  StepRecord& record = steps_[index];
  // A step that was tried before has failed rather than been skipped.
  if (record.tries > 0 || record.draft == Reason::DraftFailed || record.draft == Reason::DraftRejected)
    return giveUp(index, FailureKind::BudgetExceeded);
  move(index, StepEvent::Dropped);
  record.reason = reason;
  settle(index);
}

}  // namespace aetherflow
