#pragma once
// The inner loop of the list search: one non-delay dispatch without allocation, ten to twenty nanoseconds a task.

#include <cstdint>
#include <vector>

#include "core/schedule/list_search.hpp"

namespace aetherflow {

/// An order of the tasks, both ways.
struct ListOrder {
  std::vector<std::uint32_t> task;  ///< by rank
  std::vector<std::uint32_t> rank;  ///< by task

  static ListOrder fromTasks(std::vector<std::uint32_t> tasks);
  static ListOrder fromRanks(std::vector<std::uint32_t> ranks);
};

/// What one dispatch did. A pass is one scan of the ready tasks; several may share a moment (tasks of no duration),
/// and what the order of two tasks changes is decided by passes, not by times.
struct ListTrace {
  std::uint32_t passes = 0;
  std::vector<std::uint32_t> readyPass;   ///< by task: the first pass that could start it
  std::vector<std::uint32_t> startPass;   ///< by task: the pass that did
  std::vector<std::uint32_t> started;     ///< tasks in the order of their start
  std::vector<std::uint32_t> startBegin;  ///< by pass, and one more: where in `started` its tasks begin
  std::vector<std::uint32_t> ended;       ///< tasks in the order of their end
  std::vector<std::uint32_t> endBegin;    ///< the same for `ended`: whose end brought the pass about

  explicit ListTrace(std::uint32_t tasks = 0)
      : readyPass(tasks), startPass(tasks), started(tasks), startBegin(tasks + 2), ended(tasks), endBegin(tasks + 2) {}
};

/// A project made ready for many dispatches. Resources are packed side by side into 64-bit words, one guard bit each:
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

  /// Makespan. `durations`: by task, ≥ 0, in sum below 2⁶².
  std::int64_t run(const ListOrder& order, const std::int64_t* durations);
  /// The same, and how it went: fills a trace made for `tasks()`.
  std::int64_t run(const ListOrder& order, const std::int64_t* durations, ListTrace& trace);

 private:
  struct Running {
    std::int64_t finish;
    std::uint32_t task;
  };

  void packResources(const Project& project);
  template <bool kSmall, bool kTraced>
  std::int64_t simulate(const ListOrder& order, const std::int64_t* durations, ListTrace* trace);
  template <bool kSmall>
  bool take(std::uint32_t task);
  template <bool kSmall>
  void giveBack(std::uint32_t task);
  void reset(const ListOrder& order);

  std::uint32_t tasks_;
  std::uint32_t words_ = 1;  ///< of packed resources
  bool contended_ = false;
  std::uint64_t spent_ = 0;
  std::vector<std::uint32_t> successorStart_;
  std::vector<std::uint32_t> successor_;
  std::vector<std::uint32_t> source_;        ///< tasks without predecessors
  std::vector<std::uint32_t> predecessors_;  ///< how many, by task
  std::vector<std::uint64_t> demand_;        ///< tasks × words
  std::vector<std::uint64_t> capacity_;      ///< words, guards set
  std::vector<std::uint64_t> guard_;         ///< words

  // Scratch of one dispatch.
  std::vector<std::uint32_t> missing_;
  std::vector<std::uint64_t> free_;
  std::vector<std::uint64_t> ready_;  ///< bit by rank
  std::vector<Running> running_;      ///< by finish, from head to tail; each task enters once, so it never wraps
};

}  // namespace aetherflow
