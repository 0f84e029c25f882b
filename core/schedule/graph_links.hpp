#pragma once
// The graph as the machine grows it: steps and edges are appended while the plan is still being read.

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

/// Successor lists in two flat arrays (a forward star): appending an edge allocates nothing but amortised growth.
class GraphLinks {
 public:
  void resize(std::uint32_t steps) { head_.resize(steps, kNone); }
  std::uint32_t steps() const { return static_cast<std::uint32_t>(head_.size()); }

  void add(StepIndex from, StepIndex to) {
    edges_.push_back({to, head_[from]});
    head_[from] = static_cast<std::uint32_t>(edges_.size() - 1);
  }

  /// Calls `visit(successor)` for each edge, latest added first: a fixed order.
  template <class Visit>
  void successors(StepIndex from, Visit visit) const {
    for (std::uint32_t edge = head_[from]; edge != kNone; edge = edges_[edge].next) visit(edges_[edge].to);
  }

 private:
  struct Edge {
    StepIndex to;
    std::uint32_t next;
  };
  std::vector<std::uint32_t> head_;
  std::vector<Edge> edges_;
};

/// Longest remaining path of every step, own time included: out[i] = ms[i] + max over successors.
/// Steps on a cycle get their own time only; such a plan is refused at its end. O(steps + edges), no recursion.
std::vector<std::int64_t> remainingPaths(const GraphLinks& links, const std::vector<std::int64_t>& ms);

}  // namespace aetherflow
