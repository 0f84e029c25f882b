// Handing ready work to providers.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {

/// A step enters a phase of work, audit or repair, with all of its models before it.
void Run::beginPhase(StepIndex index, Purpose purpose) {
  StepRecord& record = steps_[index];
  record.phaseGroup = purpose == Purpose::Audit ? router_.auditGroup() : record.group;
  record.tries = record.triesHere = 0;
  record.lastFailure = FailureKind::Count;
  record.looser = 0;
  record.widened = 0;
  record.continuing = false;
  record.promptTokens = 0;
  if (purpose == Purpose::Main && table_.policy.deadlineMs > 0) {
    record.deadlineAt = now_ + table_.policy.deadlineMs;
    deadlines_.add(record.deadlineAt, index);
  }
  if (purpose == Purpose::Main && cacheUse(index) != CacheUse::Off) {
    ++cache_.looked;
    return look(index);
  }
  enqueue(index, purpose);
}

void Run::enqueue(StepIndex index, Purpose purpose) {
  const Step& step = plan().steps[index];
  StepRecord& record = steps_[index];
  ReadyItem item;
  item.priority = step.priority;
  item.rank = rank_.empty() ? 0 : rank_[index];
  item.remainingMs = index < remainingMs_.size() ? remainingMs_[index] : record.estimateMs;
  item.complexity = step.complexity;
  item.tokens = step.estimatedTokens;
  item.step = index;
  item.purpose = purpose;
  item.readyAt = now_;
  if (purpose == Purpose::Main && record.readyAt < 0) record.readyAt = now_;
  queues_.resize(router_.groups().size());
  queues_[record.phaseGroup].push(item);
}

/// The step was cancelled, or its deadline passed, after it became ready.
bool Run::stale(const ReadyItem& item) const {
  const StepState state = steps_[item.step].state;
  return state != StepState::Ready && state != StepState::AuditReady && state != StepState::RepairReady;
}

/// Finds a target that takes the item now: the preferred one, or another where the work is expected to end sooner.
Placement Run::place(GroupIndex index, const ReadyItem& item) {
  const RouteGroup& group = router_.group(index);
  Placement placement{group.admissible.front(), offer(item, group.admissible.front()), false};
  const Offer& first = placement.offer;
  // Going round a shortage of money is the ladder's business.
  if (first.goes || first.never || table_.overflow == Overflow::Never || first.why == Reason::WaitingForBudget)
    return placement;
  const Target preferred = placement.target;
  std::int64_t wait = slots_.waitMs(preferred.provider, now_);
  if (first.until != kNever)
    wait = std::max(wait, first.until - now_);
  else if (first.why != Reason::WaitedForProvider)
    wait = std::max(wait, table_.policy.openMs);  // nobody knows; a breaker's time is a fair guess
  const std::uint32_t tokens = answerEstimate(plan().steps[item.step], item.purpose);
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

/// Says once what an item waits for; remembers when to look again.
void Run::blocked(const ReadyItem& item, const Placement& placement) {
  const Offer& offer = placement.offer;
  wakeAt_ = std::min(wakeAt_, offer.until);
  StepRecord& record = steps_[item.step];
  // A free place is what nearly every step waits for: no news.
  if (offer.why == Reason::WaitedForProvider || record.waiting == offer.why) return;
  record.waiting = offer.why;
  double* told = note(offer.why, item.step, placement.target);
  set(told, CommandField::A, offer.window);
  set(told, CommandField::B, offer.until == kNever ? -1.0 : static_cast<double>(offer.until));
}

void Run::dispatch() {
  do wakeAt_ = kNever;
  while (dispatchOne());
}

/// Hands out the best item of all queues that can go, or settles one that never can. False when nothing moved.
bool Run::dispatchOne() {
  GroupIndex chosen = kNone, broke = kNone, optional = kNone;
  Placement placement;
  for (GroupIndex group = 0; group < queues_.size(); ++group) {
    ReadyQueue& queue = queues_[group];
    while (!queue.empty() && stale(queue.top())) queue.pop();
    if (queue.empty()) continue;
    const ReadyItem item = queue.top();
    if (budgetStopped_ || (skipOptional_ && plan().steps[item.step].optional && steps_[item.step].tries == 0)) {
      queue.pop();
      if (item.purpose != Purpose::Main)
        giveUp(item.step, item.purpose, FailureKind::BudgetExceeded);
      else
        drop(item.step, budgetStopped_ ? Reason::BudgetStopped : Reason::BudgetSkipped);
      return true;
    }
    if (chosen != kNone && !before(item, queues_[chosen].top())) continue;
    const Placement found = place(group, item);
    if (found.offer.never) {
      queue.pop();
      narrow(item, found);
      return true;
    }
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
  // Optional steps wait behind the others' money, so they hold nobody up.
  if (chosen == kNone && broke == kNone) broke = optional;
  if (broke != kNone) {
    const ReadyItem item = queues_[broke].top();
    // Money is waited for in the order of priority: less urgent work may not eat it up meanwhile.
    if (chosen != kNone && before(item, queues_[chosen].top())) chosen = kNone;
    if (chosen == kNone && reserved_.usd == 0 && reserved_.tokens == 0) {
      shortage(item);
      return true;
    }
  }
  if (chosen == kNone) return false;
  const ReadyItem item = queues_[chosen].top();
  queues_[chosen].pop();
  move(item.step, StepEvent::Dispatched);
  steps_[item.step].call = call(item, placement);
  return true;
}

void Run::reserve(CallRecord& call, const Offer& offer) {
  call.maxTokens = offer.maxTokens;
  call.promptBound = offer.promptBound;
  call.reserved = offer.worst;
  call.peak = atPeak(call.target.provider, now_);
  quotas_.take(table_.models[call.target.model].quota, offer.worst.tokens);
  slots_.take(call.target.provider, call.expectedEnd);
  reserved_ += offer.worst;
  StepRecord& record = steps_[call.step];
  record.reserved += offer.worst;
  planned_ -= record.planned;
  record.planned = 0;
}

/// Makes the call's record and its command; the place, the money and the limits are taken.
CallId Run::call(const ReadyItem& item, const Placement& placement) {
  const Target target = placement.target;
  StepRecord& record = steps_[item.step];
  const bool moved =
      item.purpose != Purpose::Hedge && record.lastFailure != FailureKind::Count && !(record.lastTarget == target);
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
  call.continues = record.continuing;
  const Model& model = table_.models[target.model];
  const std::int64_t estimate = model.estimateMs(answerEstimate(plan().steps[item.step], item.purpose));
  call.expectedEnd = now_ + estimate;
  reserve(call, placement.offer);
  call.probe = health_.dispatched(target.provider, now_);
  ++liveCalls_;
  if (item.purpose != Purpose::Hedge) {
    record.triesHere = record.lastTarget == target ? static_cast<std::uint8_t>(record.triesHere + 1) : 1;
    if (record.tries < 255) ++record.tries;
  }
  record.waiting = Reason::None;
  if (record.startedAt < 0) record.startedAt = now_;
  const auto id = static_cast<CallId>(calls_.size());
  calls_.push_back(call);
  CallRecord& made = calls_.back();
  made.level = constraintLevel(id);

  const auto remark = [&](Reason reason) { return note(reason, item.step, target); };
  if (call.probe) remark(Reason::BreakerProbing);
  if (call.overflowed) remark(Reason::Overflowed);
  if (moved) set(remark(Reason::FellBack), CommandField::A, static_cast<double>(record.lastFailure));
  if (moved || call.continues || item.purpose == Purpose::Hedge) {
    // A looser provider, or the rest of an answer: the constraint is never dropped unsaid.
    const ConstraintLevel former = strictest(item.step, record.lastTarget.provider, item.purpose);
    if (item.purpose != Purpose::Audit && made.level > std::max(former, static_cast<ConstraintLevel>(record.looser))) {
      double* told = remark(Reason::ConstraintRelaxed);
      if (record.lastFailure != FailureKind::Count) set(told, CommandField::A, static_cast<double>(record.lastFailure));
    }
  }
  if (item.purpose != Purpose::Hedge) record.lastTarget = target;
  if (table_.policy.hedgePermille > 0 && item.purpose == Purpose::Main && record.tries == 1)
    hedges_.add(now_ + health_.firstTokenP95(target.model, model.firstTokenMs), id);
  tell(made, id, estimate);
  return id;
}

void Run::tell(const CallRecord& call, CallId id, std::int64_t estimate) {
  double* out = command(CommandKind::Call, call.step, call.target);
  set(out, CommandField::Call, id);
  set(out, CommandField::Attempt, call.attempt);
  set(out, CommandField::Purpose, static_cast<double>(call.purpose));
  set(out, CommandField::A, call.maxTokens);
  const TimeMs left = steps_[call.step].deadlineAt == kNever ? kNever : steps_[call.step].deadlineAt - now_;
  set(out, CommandField::B, static_cast<double>(std::max<std::int64_t>(1, std::min(table_.totalTimeoutMs, left))));
  set(out, CommandField::C, static_cast<double>(estimate));
  set(out, CommandField::At, static_cast<double>(now_));
  if (call.continues) set(out, CommandField::Reason, static_cast<double>(Reason::Continued));
}

}  // namespace aetherflow
