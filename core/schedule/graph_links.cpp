#include "core/schedule/graph_links.hpp"

#include <algorithm>

namespace aetherflow {

std::vector<std::int64_t> remainingPaths(const GraphLinks& links, const std::vector<std::int64_t>& ms) {
  const std::uint32_t count = links.steps();
  std::vector<std::uint32_t> inputs(count, 0);
  for (StepIndex i = 0; i < count; ++i) links.successors(i, [&](StepIndex to) { ++inputs[to]; });
  std::vector<StepIndex> order;
  order.reserve(count);
  for (StepIndex i = 0; i < count; ++i)
    if (inputs[i] == 0) order.push_back(i);
  for (std::size_t at = 0; at < order.size(); ++at)
    links.successors(order[at], [&](StepIndex to) {
      if (--inputs[to] == 0) order.push_back(to);
    });
  std::vector<std::int64_t> paths(ms);
  for (std::size_t at = order.size(); at-- > 0;) {
    const StepIndex step = order[at];
    std::int64_t longest = 0;
    links.successors(step, [&](StepIndex to) { longest = std::max(longest, paths[to]); });
    paths[step] = ms[step] + longest;
  }
  return paths;
}

}  // namespace aetherflow
