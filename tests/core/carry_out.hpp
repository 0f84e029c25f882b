#pragma once
// A project carried out as the machine carries out a plan: at every end it asks the rollout what starts. For tests and the bench.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/schedule/rollout.hpp"

namespace aetherflow::testing {

struct CarriedOut {
  std::int64_t makespan = 0;  ///< -1: stuck, a place was held back for nobody
  std::uint32_t holds = 0;
  std::uint64_t spent = 0;
  std::vector<std::int64_t> startedAt;  ///< by task
};

class ProjectHost {
 public:
  ProjectHost(const Project& project, const ListOrder& order, const std::vector<std::int64_t>& real,
              const Rollout::Options& options)
      : project_(project), order_(order), real_(real), resources_(project), rollout_(project, order, options) {
    progress_.resize(project.tasks);
    result_.startedAt.resize(project.tasks);
    missing_.resize(project.tasks);
    for (const std::uint32_t next : project.successor) ++missing_[next];
    free_ = resources_.capacity();
  }

  CarriedOut play() {
    for (std::uint32_t left = project_.tasks; left > 0;) {
      kept_.clear();
      while (startOne()) {
      }
      const std::uint32_t ended = endNext();
      if (ended == 0) {
        result_.makespan = -1;
        return result_;
      }
      left -= ended;
      rollout_.respread(spread_);
    }
    result_.makespan = now_;
    result_.spent = rollout_.spent();
    return result_;
  }

 private:
  using State = TaskProgress::State;

  bool kept(std::uint32_t task) const {
    return std::any_of(kept_.begin(), kept_.end(),
                       [&](std::uint32_t awaited) { return awaited != task && resources_.compete(awaited, task); });
  }

  /// The best that fits starts, or another, or a place is held back. False: nothing more can.
  bool startOne() {
    for (const std::uint32_t task : order_.task) {
      std::uint64_t after = free_;
      if (progress_[task].state != State::Open || missing_[task] > 0 || kept(task)) continue;
      if (!resources_.take(after, task)) continue;
      for (std::uint32_t t = 0; t < project_.tasks; ++t) progress_[t].elapsedMs = now_ - result_.startedAt[t];
      const Rollout::Choice choice = rollout_.choose(progress_, task);
      if (choice.start == Rollout::kNobody) {
        kept_.push_back(choice.heldFor);
        ++result_.holds;
      } else {
        resources_.take(free_, choice.start);
        progress_[choice.start].state = State::Running;
        result_.startedAt[choice.start] = now_;
      }
      return true;
    }
    return false;
  }

  /// All that end next. Their number.
  std::uint32_t endNext() {
    std::int64_t next = INT64_MAX;
    for (std::uint32_t t = 0; t < project_.tasks; ++t)
      if (progress_[t].state == State::Running) next = std::min(next, result_.startedAt[t] + real_[t]);
    now_ = next;
    std::uint32_t ended = 0;
    for (std::uint32_t t = 0; t < project_.tasks; ++t) {
      if (progress_[t].state != State::Running || result_.startedAt[t] + real_[t] != now_) continue;
      progress_[t].state = State::Done;
      ++ended;
      resources_.giveBack(free_, t);
      spread_.learn(project_.durationMs[t], real_[t]);
      for (std::uint32_t e = project_.successorStart[t]; e < project_.successorStart[t + 1]; ++e)
        --missing_[project_.successor[e]];
    }
    return ended;
  }

  const Project& project_;
  const ListOrder& order_;
  const std::vector<std::int64_t>& real_;
  ListSimulator resources_;
  Rollout rollout_;
  DurationSpread spread_;
  std::vector<TaskProgress> progress_;
  std::vector<std::uint32_t> missing_, kept_;
  std::uint64_t free_ = 0;
  std::int64_t now_ = 0;
  CarriedOut result_;
};

inline CarriedOut carryOut(const Project& project, const ListOrder& order, const std::vector<std::int64_t>& real,
                           const Rollout::Options& options) {
  return ProjectHost(project, order, real, options).play();
}

}  // namespace aetherflow::testing
