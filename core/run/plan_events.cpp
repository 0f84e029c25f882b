// Plan bytes and the start of the run: steps are adopted as they become known.

#include "core/plan/place.hpp"
#include "core/run/machine.hpp"

namespace aetherflow {

ErrorCode Machine::planBytes(std::string_view bytes, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (planEnded_) {
    if (!spreads_ || finished_ || cancelled_ || reader_.error())
      return refuse(ErrorCode::RunPlanEnded, "", "the plan has ended");
    planEnded_ = false;
    reader_.again();
  }
  reader_.push(bytes);
  return afterPlanBytes();
}

ErrorCode Machine::planEnd(TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (planEnded_) return refuse(ErrorCode::RunPlanEnded, "", "the plan has ended");
  reader_.end();
  planEnded_ = true;
  const ErrorCode code = afterPlanBytes();
  if (code == ErrorCode::None && begun_) refreshPaths();
  return code;
}

ErrorCode Machine::afterPlanBytes() {
  if (reader_.error()) {
    invalidPlan();
    return reader_.error().code;
  }
  adoptSteps();
  if (begun_) routeSteps();
  return refused_ ? error().code : ErrorCode::None;
}

/// Adopts the steps that the reader has finished, and the forward references that they resolve.
void Machine::adoptSteps() {
  const std::uint32_t known = reader_.stepCount();
  const std::uint32_t before = static_cast<std::uint32_t>(steps_.size());
  if (known == before) return;
  steps_.resize(known);
  links_.resize(known);
  unsettled_ += known - before;
  for (StepIndex i = before; i < known; ++i) {
    const Step& step = plan().steps[i];
    steps_[i].retrieving = step.documentTokens > 0 && !step.spreads;
    steps_[i].held = step.held;
    steps_[i].missing =
        static_cast<std::uint32_t>(step.dependencies.size()) + (steps_[i].retrieving ? 1 : 0) + (step.held ? 1 : 0);
    spreads_ = spreads_ || step.spreads;
  }
  for (const auto& [step, slot] : reader_.takeResolved())
    if (step < before) connect(step, plan().steps[step].dependencies[slot].step);
  for (StepIndex i = before; i < known; ++i) {
    const Step& step = plan().steps[i];
    for (const Dependency& dependency : step.dependencies)
      if (dependency.step != kNone && plan().steps[dependency.step].partOf != i) connect(i, dependency.step);
    // One more input of a step that spreads.
    if (step.partOf == kNone) continue;
    if (step.partOf < before) ++steps_[step.partOf].missing;
    connect(step.partOf, i);
  }
}

/// An input may be settled already when the step that needs it becomes known.
void Machine::connect(StepIndex step, StepIndex input) {
  links_.add(input, step);
  if (!settled(steps_[input].state) || settled(steps_[step].state)) return;
  if (endedWell(input)) {
    --steps_[step].missing;
    return;
  }
  steps_[step].cause = input;
  move(step, StepEvent::InputLost);
  steps_[step].reason = lostBecause(input);
  settle(step);
}

ErrorCode Machine::begin(std::string_view optionsJson, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (begun_) return refuse(ErrorCode::RunAlreadyBegun, "", "begin was sent before");
  Expected<BeginOptions> begin = readBegin(optionsJson);
  if (!begin) return refuse(begin.error().code, begin.error().where, begin.error().detail);

  options_ = begin->run;
  table_ = std::move(begin->table);
  router_ = Router(&table_, table_.findMode(options_.mode));
  std::vector<std::uint32_t> capacity;
  for (const Provider& provider : table_.providers) capacity.push_back(provider.concurrency);
  slots_.open(std::move(capacity));
  quotas_.open(table_.quotas);
  purse_.open(table_.policy.run, table_.policy.step, table_.policy.attempt);
  health_.open(table_.policy, table_.providers.size(), table_.models.size());
  rng_ = Rng(options_.seed);
  factors_.clear();
  for (const Model& model : table_.models) factors_.emplace_back(model.tokenFactor);
  reading_.resize(table_.models.size());
  gone_.assign(table_.models.size(), FailureKind::Count);
  begun_ = true;
  beganAt_ = now;
  error_ = {};
  if (!reader_.error()) routeSteps();
  if (planEnded_ && !reader_.error()) refreshPaths();
  return error_.code;
}

/// Routes the steps that are known and not routed yet; those whose inputs are done become ready.
void Machine::routeSteps() {
  for (; routed_ < steps_.size() && !refused_; ++routed_) routeStep(routed_);
  if (refused_) return;
  // Priorities follow the remaining paths; while steps stream in, they are recomputed at each doubling, so O(n log n) in all.
  if (steps_.size() >= 2 * static_cast<std::size_t>(pathsKnownFor_)) refreshPaths();
}

/// Of a step that cannot be routed and those after it that are known.
void Machine::refuseRoutes(StepIndex first) {
  for (StepIndex i = first; i < steps_.size() && refusals_.size() < Problems::kMost; ++i) {
    const Expected<GroupIndex> group = router_.route(plan().steps[i]);
    if (!group) refusals_.push_back({group.error().code, stepPlace(i, "/provider"), group.error().detail});
  }
  const Error& error = refusals_.front();
  refuse(error.code, error.where, error.detail);
}

void Machine::routeStep(StepIndex i) {
  const Step& step = plan().steps[i];
  const Expected<GroupIndex> group = router_.route(step);
  if (!group) {
    refuseRoutes(i);
    invalidPlan();
    return;
  }
  StepRecord& record = steps_[i];
  record.group = *group;
  queues_.resize(router_.groups().size());
  const Target target = router_.group(*group).admissible.front();
  const std::uint32_t answer = answerEstimate(step, phase(Purpose::Main));
  if (!step.spreads) record.estimateMs = table_.models[target.model].estimateMs(answer);
  if (!step.spreads && !step.optional && table_.policy.run.usd >= 0 && !settled(record.state))
    purse_.plan(record.money, worstCase(table_, target, answer, answer, wallMs()).usd);
  if (record.state == StepState::Waiting && record.held) notes_.expand(i);
  // Requested at once, so that the result is there before the outputs that the step waits for.
  if (record.state == StepState::Waiting && record.retrieving) notes_.retrieve(i);
  becomeReady(i);
}

/// A step whose inputs are all there begins.
void Machine::becomeReady(StepIndex i) {
  const StepRecord& record = steps_[i];
  if (record.state != StepState::Waiting || record.missing > 0 || record.group == kNone) return;
  move(i, StepEvent::InputsDone);
  if (plan().steps[i].spreads) return notes_.expand(i);
  beginPhase(i, Purpose::Main);
}

ErrorCode Machine::expanded(StepIndex step, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (step >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step", step);
  StepRecord& record = steps_[step];
  if (!record.held || record.group == kNone || record.state != StepState::Waiting)
    return refuse(ErrorCode::RunIllegalEvent, stepPlace(step), "nothing is asked of it");
  record.held = false;
  --record.missing;
  becomeReady(step);
  return ErrorCode::None;
}

ErrorCode Machine::retrieved(StepIndex step, std::uint32_t tokens, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (step >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step", step);
  StepRecord& record = steps_[step];
  if (!record.retrieving || record.group == kNone || record.state != StepState::Waiting)
    return refuse(ErrorCode::RunIllegalEvent, stepPlace(step), "it waits for no documents");
  record.retrieving = false;
  record.documentTokens = tokens;
  --record.missing;
  becomeReady(step);
  return ErrorCode::None;
}

ErrorCode Machine::weighed(StepIndex step, std::uint32_t tokens, std::uint32_t file, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  if (step >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step", step);
  prefixes_.weigh(plan().steps[step], file, tokens);
  if (file != kNone) return ErrorCode::None;
  steps_[step].fileTokens = tokens;
  // What is in a call's record was counted when it was assembled.
  if (steps_[step].tries == 0) steps_[step].promptTokens = 0;
  return ErrorCode::None;
}

void Machine::refreshPaths() {
  std::vector<std::int64_t> ms;
  ms.reserve(steps_.size());
  for (const StepRecord& record : steps_) ms.push_back(record.estimateMs);
  remainingMs_ = remainingPaths(links_, ms);
  pathsKnownFor_ = static_cast<std::uint32_t>(steps_.size());
  for (ReadyQueue& queue : queues_) {
    for (ReadyItem& item : queue.items()) item.remainingMs = remainingMs_[item.step];
    queue.restore();
  }
}

/// The plan turned out to be invalid while steps may already be running: stop them and start nothing more.
void Machine::invalidPlan() {
  if (refused_) return;
  refused_ = true;
  cancelAll(Reason::PlanInvalid);
}

}  // namespace aetherflow
