// Handing ready work to providers.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {
namespace {

constexpr std::uint32_t kUnknownAnswer = 400;  ///< tokens expected of a step that says 0
constexpr std::uint32_t kAuditAnswer = 120;    ///< a verdict and a few lines

}  // namespace

std::uint32_t Run::answerEstimate(const Step& step, Purpose purpose) const {
  if (purpose == Purpose::Audit) return kAuditAnswer;
  return step.estimatedTokens > 0 ? step.estimatedTokens : kUnknownAnswer;
}

/// Generous, because a cut answer is worth nothing: four times the estimate, at least 2,048, never above the model's
/// own.
std::uint32_t Run::answerLimit(const Step& step, const Model& model, Purpose purpose) const {
  if (purpose == Purpose::Audit) return std::min<std::uint32_t>(1024, model.maxOut);
  const std::uint64_t wide = std::max<std::uint64_t>(2048, 4ull * answerEstimate(step, purpose));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wide, model.maxOut));
}

void Run::enqueue(StepIndex index, Purpose purpose) {
  const Step& step = plan().steps[index];
  ReadyItem item;
  item.priority = step.priority;
  item.rank = rank_.empty() ? 0 : rank_[index];
  item.remainingMs = index < remainingMs_.size() ? remainingMs_[index] : steps_[index].estimateMs;
  item.complexity = step.complexity;
  item.tokens = step.estimatedTokens;
  item.step = index;
  item.purpose = purpose;
  item.readyAt = now_;
  if (purpose == Purpose::Main) steps_[index].readyAt = now_;
  const GroupIndex group = purpose == Purpose::Audit ? router_.auditGroup() : steps_[index].group;
  queues_[group].push(item);
}

/// The step was cancelled after it became ready.
bool Run::stale(const ReadyItem& item) const {
  const StepState state = steps_[item.step].state;
  return state != StepState::Ready && state != StepState::AuditReady && state != StepState::RepairReady;
}

/// Finds a target with a free place: the preferred one, or another where the work is expected to end sooner.
bool Run::place(GroupIndex index, const ReadyItem& item, Target& target, bool& overflowed) const {
  const RouteGroup& group = router_.group(index);
  const Target preferred = group.admissible.front();
  if (slots_.free(preferred.provider)) {
    target = preferred;
    overflowed = false;
    return true;
  }
  if (table_.overflow == Overflow::Never) return false;
  const std::uint32_t tokens = answerEstimate(plan().steps[item.step], item.purpose);
  std::int64_t best = slots_.waitMs(preferred.provider, now_) + table_.models[preferred.model].estimateMs(tokens);
  bool found = false;
  for (const Target candidate : group.admissible) {
    if (!slots_.free(candidate.provider)) continue;
    const std::int64_t ms = table_.models[candidate.model].estimateMs(tokens);
    if (ms >= best) continue;
    best = ms;
    target = candidate;
    found = overflowed = true;
  }
  return found;
}

void Run::dispatch() {
  for (;;) {
    GroupIndex chosen = kNone;
    Target target;
    bool overflowed = false;
    for (GroupIndex group = 0; group < queues_.size(); ++group) {
      ReadyQueue& queue = queues_[group];
      while (!queue.empty() && stale(queue.top())) queue.pop();
      if (queue.empty()) continue;
      if (chosen != kNone && !before(queue.top(), queues_[chosen].top())) continue;
      Target candidate;
      bool flows = false;
      if (!place(group, queue.top(), candidate, flows)) continue;
      chosen = group;
      target = candidate;
      overflowed = flows;
    }
    if (chosen == kNone) return;
    const ReadyItem item = queues_[chosen].top();
    queues_[chosen].pop();
    call(item, target, overflowed);
  }
}

void Run::call(const ReadyItem& item, Target target, bool overflowed) {
  move(item.step, StepEvent::Dispatched);
  const Step& step = plan().steps[item.step];
  StepRecord& record = steps_[item.step];
  const Model& model = table_.models[target.model];
  CallRecord call;
  call.step = item.step;
  call.target = target;
  call.purpose = item.purpose;
  call.attempt = record.calls++;
  call.overflowed = overflowed;
  call.maxTokens = answerLimit(step, model, item.purpose);
  call.readyAt = item.readyAt;
  call.dispatchedAt = now_;
  const std::int64_t estimate = model.estimateMs(answerEstimate(step, item.purpose));
  call.expectedEnd = now_ + estimate;
  slots_.take(target.provider, call.expectedEnd);
  ++liveCalls_;
  record.call = static_cast<CallId>(calls_.size());
  if (record.startedAt < 0) record.startedAt = now_;
  calls_.push_back(call);

  if (overflowed) {
    double* told = note(Reason::Overflowed, item.step);
    set(told, CommandField::Provider, target.provider);
    set(told, CommandField::Model, target.model);
  }
  double* out = commands_.add(CommandKind::Call);
  set(out, CommandField::Step, item.step);
  set(out, CommandField::Call, record.call);
  set(out, CommandField::Attempt, call.attempt);
  set(out, CommandField::Provider, target.provider);
  set(out, CommandField::Model, target.model);
  set(out, CommandField::Purpose, static_cast<double>(item.purpose));
  set(out, CommandField::A, call.maxTokens);
  set(out, CommandField::B, static_cast<double>(table_.totalTimeoutMs));
  set(out, CommandField::C, static_cast<double>(estimate));
  set(out, CommandField::At, static_cast<double>(now_));
}

}  // namespace aetherflow
