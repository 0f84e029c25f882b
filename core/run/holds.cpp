// Places that are held back: the best ready step waits for one that is about to become ready, where that ends the run sooner.

#include <algorithm>

#include "core/base/sort.hpp"
#include "core/run/machine.hpp"

namespace aetherflow {
namespace {

/// Completing larger plans often enough takes longer than it can gain.
constexpr std::uint32_t kMostSteps = 256, kMostOptimized = 1024;
/// With more places at a provider, one comes free before it could pay to hold one back.
constexpr std::uint32_t kMostPlaces = 7;
/// What a person asks for who wants the order optimized: so many times the computing.
constexpr std::uint64_t kOptimizedBudgets = 10;

}  // namespace

/// The steps as tasks, each with one place of the provider that it prefers. What is not among them has ended.
Project Machine::projectOf(const std::vector<StepIndex>& steps) const {
  Project project;
  project.tasks = static_cast<std::uint32_t>(steps.size());
  project.successorStart.push_back(0);
  project.demandStart.push_back(0);
  for (std::uint32_t task = 0; task < project.tasks; ++task) {
    const StepRecord& record = steps_[steps[task]];
    links_.successors(steps[task], [&](StepIndex to) {
      const auto found = std::lower_bound(steps.begin(), steps.end(), to);
      if (found != steps.end() && *found == to)
        project.successor.push_back(static_cast<std::uint32_t>(found - steps.begin()));
    });
    project.successorStart.push_back(static_cast<std::uint32_t>(project.successor.size()));
    // A step that spreads makes no call itself.
    const bool calls = !plan().steps[steps[task]].spreads;
    project.demandResource.push_back(preferred(record).provider);
    project.demandAmount.push_back(calls ? 1 : 0);
    project.demandStart.push_back(task + 1);
    project.durationMs.push_back(record.estimateMs);
  }
  for (const Provider& provider : table_.providers) project.capacity.push_back(provider.concurrency);
  return project;
}

/// Once the rest of the plan is known and small enough. Not where other wishes than an early end decide: priorities, deadlines,
/// audits.
void Machine::planHolds() {
  if (!planEnded_ || unsettled_ > (options_.optimize ? kMostOptimized : kMostSteps) || holds_.known == steps_.size())
    return;
  holds_.known = static_cast<std::uint32_t>(steps_.size());
  holds_.spent += holds_.rollout ? holds_.rollout->spent() : 0;
  holds_.rollout.reset();
  holds_.steps.clear();
  for (StepIndex i = 0; i < steps_.size(); ++i)
    if (!settled(steps_[i].state)) holds_.steps.push_back(i);
  bool few = false, alike = true;
  for (const StepIndex i : holds_.steps) {
    few |= fewPlaces(preferred(steps_[i]));
    alike &= plan().steps[i].priority == plan().steps[holds_.steps[0]].priority;
  }
  if (!few || !alike || table_.policy.deadlineMs > 0 || router_.auditGroup() != kNone) return;
  std::vector<std::uint32_t> tasks(holds_.steps.size());
  for (std::uint32_t task = 0; task < tasks.size(); ++task) tasks[task] = task;
  sortItems(tasks, [this](std::uint32_t a, std::uint32_t b) {
    return before(itemOf(holds_.steps[a]), itemOf(holds_.steps[b]));
  });
  Rollout::Options options;
  options.seed = options_.seed;
  if (options_.optimize) options.budget *= kOptimizedBudgets;
  options.budget -= std::min(options.budget, holds_.spent);
  holds_.rollout = std::make_unique<Rollout>(projectOf(holds_.steps), ListOrder::fromTasks(std::move(tasks)), options);
}

/// Until when the place is kept at most: what the step waits for takes no longer than any that was seen. 0: it is late already.
TimeMs Machine::heldUntil(StepIndex step) const {
  TimeMs until = 0;
  for (const Dependency& dependency : plan().steps[step].dependencies) {
    if (dependency.step == kNone) continue;
    const StepRecord& input = steps_[dependency.step];
    if (input.state != StepState::Calling || input.call == kNone) continue;
    const CallRecord& call = calls_[input.call];
    const auto expected = static_cast<double>(call.expectedEnd - call.dispatchedAt) * holds_.spread.centre();
    for (const double factor : {1.0, holds_.spread.spread()}) {
      const TimeMs end = call.dispatchedAt + static_cast<TimeMs>(expected * factor);
      if (end <= now_) continue;
      until = std::max(until, end);
      break;
    }
  }
  return until;
}

/// The step goes before the others of its queue. False: it is in none, since it waits for something else.
bool Machine::chosen(StepIndex step) {
  const StepRecord& record = steps_[step];
  if (record.state != StepState::Ready || record.phaseGroup >= queues_.size()) return false;
  ReadyQueue& queue = queues_[record.phaseGroup];
  for (ReadyItem& item : queue.items()) {
    if (item.step != step) continue;
    item.chosen = true;
    queue.restore();
    return true;
  }
  return false;
}

/// Nothing has happened since.
bool Machine::sameMoment() {
  const std::array<std::int64_t, 4> moment{now_, unsettled_, liveCalls_, static_cast<std::int64_t>(calls_.size())};
  if (moment == holds_.moment) return true;
  holds_.moment = moment;
  return false;
}

/// A place that the step would take is kept for another.
bool Machine::heldBack(StepIndex step) {
  if (holds_.held.empty()) return false;
  if (!sameMoment()) holds_.held.clear();
  for (const Holds::Held& held : holds_.held) {
    if (held.step == step || preferred(steps_[held.step]).provider != preferred(steps_[step]).provider) continue;
    wakeAt_ = std::min(wakeAt_, held.until);
    return true;
  }
  return false;
}

bool Machine::fewPlaces(Target target) const {
  return options_.optimize || slots_.capacity(target.provider) <= kMostPlaces;
}

/// Decides whether another goes before the item, which is the best that can go, or its place is kept for a step that is about to
/// become ready. True: something was decided.
bool Machine::holdsBack(const ReadyItem& item, const Placement& placement) {
  const Target target = preferred(steps_[item.step]);
  if (item.purpose != Purpose::Main || item.chosen || !(placement.target == target) || !fewPlaces(target)) return false;
  planHolds();
  if (!holds_.rollout || !holds_.rollout->mayHelp()) return false;
  std::vector<TaskProgress> progress(holds_.steps.size());
  std::uint32_t best = Rollout::kNobody;
  for (std::uint32_t task = 0; task < progress.size(); ++task) {
    const StepIndex step = holds_.steps[task];
    const StepRecord& record = steps_[step];
    if (step == item.step) best = task;
    if (settled(record.state)) progress[task].state = TaskProgress::State::Done;
    if ((record.state != StepState::Calling && record.state != StepState::Judging) || record.call == kNone) continue;
    progress[task] = {TaskProgress::State::Running, now_ - calls_[record.call].dispatchedAt};
  }
  if (best == Rollout::kNobody) return false;
  holds_.rollout->respread(holds_.spread);
  const Rollout::Choice choice = holds_.rollout->choose(progress, best);
  if (choice.heldFor == Rollout::kNobody) return choice.start != best && chosen(holds_.steps[choice.start]);
  const StepIndex awaited = holds_.steps[choice.heldFor];
  const TimeMs until = heldUntil(awaited);
  if (until <= now_) return false;
  sameMoment();
  holds_.held.push_back({awaited, until});
  StepRecord& record = steps_[item.step];
  if (record.waiting != Reason::WaitingForReserved) notes_.heldBack(item.step, target, awaited, until);
  record.waiting = Reason::WaitingForReserved;
  return true;
}

}  // namespace aetherflow
