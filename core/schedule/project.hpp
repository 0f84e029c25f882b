#pragma once
// Tasks that share renewable resources: what a plan is to a schedule.
//
//   ready, in rank order   a  b  c  d        free: 3 of r
//   demand of r            2  2  1  1        a starts, b does not fit and waits, c starts, d waits
//
// A list is carried out without delay: a task that fits starts, though a better one waits for more room than there is.

#include <cstdint>
#include <vector>

namespace aetherflow {

/// A graph of tasks that share renewable resources. In a run: step, provider with a concurrency limit, service time.
/// Must be acyclic; duplicate edges are harmless. `successorStart` and `demandStart` have tasks + 1 entries.
struct Project {
  std::uint32_t tasks = 0;
  std::vector<std::uint32_t> successorStart;
  std::vector<std::uint32_t> successor;
  std::vector<std::uint32_t> demandStart;
  std::vector<std::uint32_t> demandResource;
  std::vector<std::uint32_t> demandAmount;  ///< beyond the capacity counts as the capacity: the task runs alone
  std::vector<std::uint32_t> capacity;      ///< by resource; 0 = nobody can hold it, so it limits nobody
  std::vector<std::int64_t> durationMs;     ///< estimates, by task, in sum below 2⁶²; below 0 counts as 0
};

}  // namespace aetherflow
