#pragma once
// The inner loop of the rollout: one non-delay dispatch without allocation, ten to twenty nanoseconds a task.

#include <cstdint>
#include <vector>

#include "core/schedule/project.hpp"

namespace aetherflow {

/// An order of the tasks, both ways.
struct ListOrder {
  std::vector<std::uint32_t> task;  ///< by rank
  std::vector<std::uint32_t> rank;  ///< by task

  static ListOrder fromTasks(std::vector<std::uint32_t> tasks);
  static ListOrder fromRanks(std::vector<std::uint32_t> ranks);
};

/// Where a dispatch begins when the project is under way, and what is done first.
struct ListStart {
  static constexpr std::uint32_t kNobody = 0xffffffffu;
  std::vector<std::uint32_t> missing;  ///< by task: predecessors that have not ended
  std::vector<std::uint32_t> ready;    ///< tasks that none is missing of, those of `first` too
  std::vector<std::uint32_t>
      first;  ///< start before all others: those that run (for what is left of them), then others that fit
  std::uint32_t held = kNobody;  ///< until this one starts, or nothing runs, no other starts that uses a resource of it
};

/// A project made ready for many dispatches. Resources lie side by side in one 64-bit word, with a guard bit each:
///
///   | 1 free₂ … | 1 free₁ … | 1 free₀ … |  −  | 0 need₂ | 0 need₁ | 0 need₀ |   a guard that fell = does not fit
class ListSimulator {
 public:
  explicit ListSimulator(const Project& project);

  std::uint32_t tasks() const { return tasks_; }
  /// True when some task could ever wait for a resource: the demands together exceed a capacity.
  bool contended() const { return contended_; }

  /// Work done so far, in task dispatches. Looking at tasks that wait is part of it: with hundreds waiting, most of it.
  std::uint64_t spent() const { return spent_; }

  /// False: the resources that could make a task wait do not fit the word, and nothing else may be asked.
  bool packed() const { return packed_; }

  /// Makespan. `durations`: by task, ≥ 0, in sum below 2⁶².
  std::int64_t run(const ListOrder& order, const std::int64_t* durations) { return run(order, durations, start_); }
  /// From there on, with `first` in it a set of tasks that fit together.
  std::int64_t run(const ListOrder& order, const std::int64_t* durations, const ListStart& start);
  /// True when a task had to wait for a resource in the last run.
  bool waited() const { return waited_; }

  /// The whole of every resource, to be used with `take`.
  std::uint64_t capacity() const { return capacity_; }
  /// Takes what the task needs from `free`, or nothing where it does not fit.
  bool take(std::uint64_t& free, std::uint32_t task) const {
    const std::uint64_t left = free - demand_[task];
    if ((left & guard_) != guard_) return false;
    free = left;
    return true;
  }
  void giveBack(std::uint64_t& free, std::uint32_t task) const { free += demand_[task]; }
  /// Whether both use the same resource.
  bool compete(std::uint32_t one, std::uint32_t other) const { return (fields(one) & demand_[other]) != 0; }

 private:
  struct Running {
    std::int64_t finish;
    std::uint32_t task;
  };

  void packResources(const Project& project);
  std::uint64_t fields(std::uint32_t task) const;

  std::uint32_t tasks_;
  bool packed_ = true, contended_ = false, waited_ = false;
  std::uint64_t spent_ = 0;
  std::vector<std::uint32_t> successorStart_;
  std::vector<std::uint32_t> successor_;
  ListStart start_;                    ///< of the whole
  std::vector<std::uint64_t> demand_;  ///< by task
  std::vector<std::uint64_t> field_;   ///< by resource that binds: its bits
  std::uint64_t capacity_ = 0;         ///< guards set
  std::uint64_t guard_ = 0;

  // Scratch of one dispatch.
  std::vector<std::uint32_t> missing_;
  std::vector<std::uint64_t> ready_;  ///< bit by rank
  std::vector<Running> running_;      ///< by finish, from head to tail; each task enters once, so it never wraps
};

}  // namespace aetherflow
