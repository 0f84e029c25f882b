// The cache: a ready step looks into it before it is called, steps that make the same request at the same time are
// called once, and what was answered whole is handed out to be kept.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {

/// A plan may narrow what the run allows, never widen it.
CacheUse Run::cacheUse(StepIndex index) const {
  const Step& step = plan().steps[index];
  return std::min(step.cache, options_.cache[static_cast<std::size_t>(step.type)]);
}

/// Asks for an answer of the next target in the step's route. After the last one, it must be called.
void Run::look(StepIndex index) {
  StepRecord& record = steps_[index];
  const std::vector<Target>& targets = router_.group(record.group).admissible;
  if (record.looks >= targets.size()) {
    move(index, StepEvent::Missed);
    ++cache_.misses;
    return enqueue(index, Purpose::Main);
  }
  move(index, StepEvent::Look);
  double* out = command(CommandKind::Look, index, targets[record.looks]);
  set(out, CommandField::A, static_cast<double>(cacheUse(index)));
  set(out, CommandField::B, record.looks++);
}

ErrorCode Run::looked(const Looked& event, TimeMs now) {
  const StepIndex index = event.step;
  if (const ErrorCode code = stepEvent(index, StepEvent::Looked, now); code != ErrorCode::None) return code;
  StepRecord& record = steps_[index];
  if (event.found == Found::Exact || event.found == Found::Semantic) {
    hit(index, static_cast<int>(event.found) + 2, {event.spend, event.ms}, event.score);
    settle(index);
    return ErrorCode::None;
  }
  if (event.found == Found::Failed) {
    if (!cacheFailed_) note(Reason::CacheUnavailable, kNone);
    cacheFailed_ = true;
    record.looks = kNone;  // no further ones
  } else if (record.looks == 1 && event.key < steps_.size() && follows(index, event.key)) {
    return ErrorCode::None;
  }
  look(index);
  return ErrorCode::None;
}

/// Whether another step has the answer to the very same request, or is about to. That one has all its inputs, as this
/// one has: it never waits for what waits for it.
bool Run::follows(StepIndex index, std::uint32_t key) {
  if (key >= leaders_.size()) leaders_.resize(key + 1, kNone);
  const StepIndex leader = leaders_[key];
  steps_[index].key = key;
  if (leader == kNone || (settled(steps_[leader].state) && steps_[leader].state != StepState::Done)) {
    leaders_[key] = index;
    return false;
  }
  if (steps_[leader].state == StepState::Done) {
    share(index, leader);
    settle(index);
    return true;
  }
  move(index, StepEvent::Follow);
  StepIndex& last = steps_[leader].lastFollower;
  steps_[last == kNone ? leader : last].follower = index;
  last = index;
  return true;
}

/// Delivers an output that no call was made for. `how`: as `deliver` tells it; 3 exact, 4 semantic, 5 of another step.
void Run::hit(StepIndex index, int how, const Saving& worth, double detail) {
  StepRecord& record = steps_[index];
  move(index, StepEvent::Hit);
  record.reason = static_cast<Reason>(static_cast<int>(Reason::CacheExact) + how - 3);
  record.worth = worth;
  ++cache_.hits[how - 3];
  cache_.saved.spend += worth.spend;
  cache_.saved.ms += worth.ms;
  double* out = commands_.add(CommandKind::Deliver);
  set(out, CommandField::Step, index);
  set(out, CommandField::A, how);
  set(out, CommandField::Attempt, static_cast<double>(worth.spend.tokens));
  set(out, CommandField::B, static_cast<double>(worth.spend.usd));
  set(out, CommandField::At, static_cast<double>(worth.ms));
  set(out, CommandField::C, detail);
}

/// Delivers the leader's output, now also of this step.
void Run::share(StepIndex index, StepIndex leader) {
  const StepRecord& from = steps_[leader];
  const Saving made{from.spent, from.settledAt - from.startedAt};
  steps_[index].cause = leader;
  hit(index, 5, from.startedAt < 0 ? from.worth : made, leader);
}

/// The leader has come to its end: the others have its output, or the next of them leads.
void Run::relieve(StepIndex leader, std::vector<StepIndex>& settled) {
  if (leaders_[steps_[leader].key] != leader) return;
  const StepIndex last = steps_[leader].lastFollower;
  for (StepIndex next = steps_[leader].follower; next != kNone; next = steps_[next].follower) {
    if (steps_[next].state != StepState::Following) continue;
    if (steps_[leader].state == StepState::Done) {
      share(next, leader);
      settled.push_back(next);
      continue;
    }
    leaders_[steps_[leader].key] = next;
    if (next != last) steps_[next].lastFollower = last;
    return look(next);
  }
}

/// What others may be answered with: whole, within its constraint, and found well by its audit where the run audits.
/// Not what stands only because an audit or a repair came to nothing, nor a repair that nobody audited.
void Run::store(StepIndex index) {
  const StepRecord& record = steps_[index];
  const CallRecord& call = calls_[record.output];
  const AuditState wanted = router_.auditGroup() == kNone ? AuditState::None : AuditState::Passed;
  if (cacheUse(index) == CacheUse::Off || record.audit != wanted) return;
  if (call.finish != FinishReason::Stop || !accepted(call.check)) return;
  double* out = command(CommandKind::Store, index, call.target);
  set(out, CommandField::Call, record.output);
  set(out, CommandField::Attempt, static_cast<double>(cacheUse(index)));
  set(out, CommandField::A, static_cast<double>(record.spent.tokens));
  set(out, CommandField::B, static_cast<double>(record.spent.usd));
  set(out, CommandField::C, static_cast<double>(now_ - record.startedAt));
}

ErrorCode Run::stored(StepIndex index, bool admitted, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (index >= steps_.size() || steps_[index].state != StepState::Done)
    return unknown(ErrorCode::RunIllegalEvent, "output of step ", index);
  cache_.stored += admitted ? 1 : 0;
  return ErrorCode::None;
}

}  // namespace aetherflow
