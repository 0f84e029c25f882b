#include "core/schedule/list_paths.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/sort.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {

std::vector<std::uint32_t> topologicalOrder(const Project& project) {
  std::vector<std::uint32_t> missing(project.tasks, 0), order;
  order.reserve(project.tasks);
  for (std::uint32_t next : project.successor) ++missing[next];
  for (std::uint32_t t = 0; t < project.tasks; ++t) {
    if (missing[t] == 0) order.push_back(t);
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::uint32_t e = project.successorStart[order[i]]; e < project.successorStart[order[i] + 1]; ++e) {
      if (--missing[project.successor[e]] == 0) order.push_back(project.successor[e]);
    }
  }
  return order;
}

void longestPaths(const Project& project, const std::vector<std::uint32_t>& order, const std::int64_t* durations,
                  std::vector<std::int64_t>& path) {
  path.assign(project.tasks, 0);
  for (std::size_t i = order.size(); i-- > 0;) {
    const std::uint32_t t = order[i];
    for (std::uint32_t e = project.successorStart[t]; e < project.successorStart[t + 1]; ++e) {
      path[t] = std::max(path[t], path[project.successor[e]]);
    }
    path[t] += std::max<std::int64_t>(durations[t], 0);
  }
}

std::vector<std::uint32_t> longestPathFirst(const Project& project) {
  std::vector<std::int64_t> path;
  longestPaths(project, topologicalOrder(project), project.durationMs.data(), path);
  std::vector<std::uint32_t> tasks(project.tasks);
  std::iota(tasks.begin(), tasks.end(), 0u);
  sortItems(tasks, [&](std::uint32_t a, std::uint32_t b) { return path[a] != path[b] ? path[a] > path[b] : a < b; });
  return ListOrder::fromTasks(std::move(tasks)).rank;
}

}  // namespace aetherflow
