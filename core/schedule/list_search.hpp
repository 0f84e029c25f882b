#pragma once
// A better priority list than longest path first, searched on the virtual clock over sampled durations.
//
// A list that is tuned to one set of estimates loses to longest-path-first as soon as the estimates are off, so every
// candidate is judged by its mean makespan over many sets of durations. What the list is for:
//
//   ready, in rank order   a  b  c  d        free: 3 of r
//   demand of r            2  2  1  1        a starts, b does not fit and waits, c starts, d waits
//
// Non-delay: a task that fits starts, though a better one waits for more room than there is.

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

/// How long and over what to search. Equal options and projects give equal lists in every build.
struct ListSearch {
  /// Sets of durations beside the estimates; at most 1,024, and fewer when the budget is short.
  std::uint32_t samples = 128;
  /// Real durations are 1/spread … spread × the estimate, log-uniform; 1 … 1,000.
  double spread = 2.0;
  /// Of the samples and of the moves.
  std::uint64_t seed = 1;
  /// Task dispatches; one simulated run of n tasks costs n, and more when many wait. A million take about 15 ms natively.
  std::uint64_t budget = 1'000'000;
};

/// Rank by task (0 = first): longest remaining path, own duration included; ties by task number. O(tasks + edges).
std::vector<std::uint32_t> longestPathFirst(const Project& project);

/// Makespan of the non-delay dispatch in the order of `rank` (a permutation) with these durations (≥ 0, by task).
/// Tasks that end at the same moment free their resources before anything starts. A task of no duration ends in the
/// moment in which it starts, after the others that can start have done so.
std::int64_t dispatch(const Project& project, const std::vector<std::uint32_t>& rank,
                      const std::vector<std::int64_t>& durations);

/// Rank by task. Never worse than longestPathFirst on the weighted mean makespan over the estimates and the samples,
/// and equal to it when the new list does not prove itself on as many samples unseen; at once when no task ever waits
/// for a resource, when longest path first is next to a lower bound, or when the budget allows too few lists to help.
std::vector<std::uint32_t> improveList(const Project& project, const ListSearch& search);

}  // namespace aetherflow
