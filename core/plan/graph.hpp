#pragma once
// The graph of a plan that has been read to its end: who follows whom, in which order, and whether it runs in circles.

#include <cstdint>
#include <string>
#include <vector>

#include "core/plan/plan.hpp"

namespace aetherflow {

/// Edges turned round, in compressed rows: the steps that wait for step s are successors[from[s]] … successors[from[s +
/// 1]], in plan order.
struct Successors {
  std::vector<std::uint32_t> from;    ///< steps + 1 entries
  std::vector<StepIndex> successors;  ///< one for each edge
};

// All of these skip dependencies that are unresolved (kNone). None recurses. O(steps + edges) where nothing else is said.

Successors successorsOf(const Plan& plan);

/// Every step after its dependencies; among those that are free, the earliest in the plan first. Steps on a cycle, and
/// those after it, are missing. O((steps + edges) · log steps).
std::vector<StepIndex> topologicalOrder(const Plan& plan, const Successors& graph);

/// plan.cycle at the edge by which the cycle's earliest step depends on the next, with the path "a → b → a" (a depends
/// on b) in the detail, long ones cut in the middle; no error when there is none. Of several cycles the one that is met
/// first on the way from step 0 along dependencies in their order.
Error findCycle(const Plan& plan);

/// Graphviz DOT: a node for each step with its id and type, an edge from each dependency to the step that needs it;
/// edges that only a {{steps.ID.output}} makes are dashed.
std::string toDot(const Plan& plan);

}  // namespace aetherflow
