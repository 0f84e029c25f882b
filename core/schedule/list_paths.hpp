#pragma once
// Longest remaining paths of a project.

#include <cstdint>
#include <vector>

#include "core/schedule/list_search.hpp"

namespace aetherflow {

/// Every task after its predecessors. O(tasks + edges).
std::vector<std::uint32_t> topologicalOrder(const Project& project);

/// By task: the longest path from its start to the end of the project, own duration included. `order`: topological.
void longestPaths(const Project& project, const std::vector<std::uint32_t>& order, const std::int64_t* durations,
                  std::vector<std::int64_t>& path);

}  // namespace aetherflow
