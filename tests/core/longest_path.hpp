#pragma once
// The list that schedules are compared with: longest remaining path first. For tests and the bench.

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/schedule/list_simulator.hpp"

namespace aetherflow::testing {

/// By task: the longest path from its start to the end of the project, own duration included.
inline std::vector<std::int64_t> longestPaths(const Project& project) {
  std::vector<std::uint32_t> missing(project.tasks, 0), order;
  for (const std::uint32_t next : project.successor) ++missing[next];
  for (std::uint32_t t = 0; t < project.tasks; ++t)
    if (missing[t] == 0) order.push_back(t);
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::uint32_t e = project.successorStart[order[i]]; e < project.successorStart[order[i] + 1]; ++e)
      if (--missing[project.successor[e]] == 0) order.push_back(project.successor[e]);
  std::vector<std::int64_t> path(project.tasks, 0);
  for (std::size_t i = order.size(); i-- > 0;) {
    const std::uint32_t t = order[i];
    for (std::uint32_t e = project.successorStart[t]; e < project.successorStart[t + 1]; ++e)
      path[t] = std::max(path[t], path[project.successor[e]]);
    path[t] += std::max<std::int64_t>(project.durationMs[t], 0);
  }
  return path;
}

/// Ties by task number.
inline ListOrder longestPathFirst(const Project& project) {
  const std::vector<std::int64_t> path = longestPaths(project);
  std::vector<std::uint32_t> tasks(project.tasks);
  std::iota(tasks.begin(), tasks.end(), 0u);
  std::stable_sort(tasks.begin(), tasks.end(), [&](std::uint32_t a, std::uint32_t b) { return path[a] > path[b]; });
  return ListOrder::fromTasks(std::move(tasks));
}

/// Makespan of the list with these durations (≥ 0, by task). Tasks that end at the same moment free their resources before anything
/// starts; one of no duration ends in the moment in which it starts, after the others that can start have done so.
inline std::int64_t dispatch(const Project& project, const ListOrder& order,
                             const std::vector<std::int64_t>& durations) {
  return ListSimulator(project).run(order, durations.data());
}

}  // namespace aetherflow::testing
