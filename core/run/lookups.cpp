// The cache: a ready step looks into it before it is called, steps that make the same request at the same time are
// called once, and what was answered whole is given out to be kept.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {

/// A plan may narrow what the run allows, never widen it.
CacheUse Machine::cacheUse(StepIndex index) const {
  const Step& step = plan().steps[index];
  return std::min(step.cache, options_.cache[static_cast<std::size_t>(step.type)]);
}

/// Asks for an answer of the next target in the step's route. After the last one, it must be called.
void Machine::look(StepIndex index) {
  StepRecord& record = steps_[index];
  const std::vector<Target>& targets = router_.group(record.group).admissible;
  if (record.looks >= targets.size()) {
    move(index, StepEvent::Missed);
    ++cache_.misses;
    return enqueue(index);
  }
  move(index, StepEvent::Look);
  notes_.look(index, targets[record.looks], cacheUse(index), record.looks);
  ++record.looks;
}

ErrorCode Machine::looked(const Looked& event, TimeMs now) {
  const StepIndex index = event.step;
  if (const ErrorCode code = stepEvent(index, StepEvent::Looked, now); code != ErrorCode::None) return code;
  StepRecord& record = steps_[index];
  if (event.found == Found::Exact || event.found == Found::Semantic) {
    const Origin origin = event.found == Found::Exact ? Origin::Exact : Origin::Semantic;
    hit(index, origin, {event.spend, event.ms}, event.score, kNone);
    settle(index);
    return ErrorCode::None;
  }
  if (event.found == Found::Failed) {
    if (!cacheFailed_) notes_.tell(Reason::CacheUnavailable, kNone);
    cacheFailed_ = true;
    record.looks = kNone;  // no further lookups
  } else if (record.looks == 1 && event.key < steps_.size() && follows(index, event.key)) {
    return ErrorCode::None;
  }
  look(index);
  return ErrorCode::None;
}

/// Whether another step has the answer to the very same request, or is about to. That one has all its inputs, as this
/// one has: it never waits for what waits for it.
bool Machine::follows(StepIndex index, std::uint32_t key) {
  const StepIndex leader = leaders_.leader(key);
  if (leader == kNone || (settled(steps_[leader].state) && steps_[leader].state != StepState::Done)) {
    leaders_.lead(key, index);
    return false;
  }
  if (steps_[leader].state == StepState::Done) {
    leaders_.join(key, index);
    share(index, leader);
    settle(index);
    return true;
  }
  move(index, StepEvent::Follow);
  leaders_.follow(key, index);
  return true;
}

/// Delivers an output that needed no call.
void Machine::hit(StepIndex index, Origin origin, const Saving& worth, double score, StepIndex from) {
  StepRecord& record = steps_[index];
  move(index, StepEvent::Hit);
  const bool shared = origin == Origin::Shared, exact = origin == Origin::Exact;
  record.reason = shared ? Reason::Shared : exact ? Reason::CacheExact : Reason::CacheSemantic;
  record.worth = worth;
  ++(shared ? cache_.shared : exact ? cache_.exact : cache_.semantic);
  cache_.saved.spend += worth.spend;
  cache_.saved.ms += worth.ms;
  notes_.hit(index, origin, worth, score, from);
}

/// Delivers the leader's output, now also of this step.
void Machine::share(StepIndex index, StepIndex leader) {
  const StepRecord& from = steps_[leader];
  const Saving made{from.money.spent(), from.settledAt - from.startedAt};
  steps_[index].cause = leader;
  hit(index, Origin::Shared, from.startedAt < 0 ? from.worth : made, -1, leader);
}

/// The leader has ended: the others get its output, or the next of them leads.
void Machine::releaseFollowers(StepIndex leader, std::vector<StepIndex>& settled) {
  for (StepIndex next = leaders_.behind(leader); next != kNone; next = leaders_.behind(next)) {
    if (steps_[next].state != StepState::Following) continue;
    if (steps_[leader].state == StepState::Done) {
      share(next, leader);
      settled.push_back(next);
      continue;
    }
    leaders_.handOver(leader, next);
    return look(next);
  }
}

/// What others may be answered with: whole, within its constraint, and found well by its audit where the run audits.
/// Not a patched draft, which no model has answered so, what stands only because an audit or a repair came to nothing, nor a repair that nobody audited.
void Machine::store(StepIndex index) {
  const StepRecord& record = steps_[index];
  const CallRecord& call = calls_[record.output];
  const AuditState wanted = audits(index) ? AuditState::Passed : AuditState::None;
  if (cacheUse(index) == CacheUse::Off || record.audit != wanted || record.draft == Reason::DraftPatched) return;
  if (call.finish != FinishReason::Stop || !accepted(call.check)) return;
  notes_.store(index, record.output, call.target, cacheUse(index), {record.money.spent(), now_ - record.startedAt});
}

ErrorCode Machine::stored(StepIndex index, bool admitted, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (index >= steps_.size() || steps_[index].state != StepState::Done)
    return unknown(ErrorCode::RunIllegalEvent, "output of step ", index);
  cache_.stored += admitted ? 1 : 0;
  return ErrorCode::None;
}

}  // namespace aetherflow
