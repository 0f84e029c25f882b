#include "core/plan/graph.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <utility>

#include "core/plan/place.hpp"

namespace aetherflow {
namespace {

/// A step on the way down, and which of its dependencies is followed.
struct Hop {
  StepIndex step;
  std::uint32_t dependency;
};

/// `cycle` begins at its earliest step. Eight names say enough: the first four, the last three and the first again.
std::string pathText(const Plan& plan, const std::vector<Hop>& cycle) {
  constexpr std::size_t kHead = 4, kTail = 3;
  std::string path;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    if (i == kHead && cycle.size() > kHead + kTail + 1) {
      const std::size_t left = cycle.size() - kHead - kTail;
      path += "… " + std::to_string(left) + " more … → ";
      i += left;
    }
    path += shortened(plan.steps[cycle[i].step].id) + " → ";
  }
  return path + shortened(plan.steps[cycle.front().step].id);
}

Error cycleError(const Plan& plan, std::vector<Hop> cycle) {
  std::size_t earliest = 0;
  for (std::size_t i = 1; i < cycle.size(); ++i)
    if (cycle[i].step < cycle[earliest].step) earliest = i;
  std::vector<Hop> turned;
  for (std::size_t i = 0; i < cycle.size(); ++i) turned.push_back(cycle[(earliest + i) % cycle.size()]);
  cycle = std::move(turned);
  const Hop& edge = cycle.front();
  const std::uint32_t place = plan.steps[edge.step].dependencies[edge.dependency].place;
  return {ErrorCode::PlanCycle, dependencyPlace(edge.step, place), pathText(plan, cycle)};
}

}  // namespace

Successors successorsOf(const Plan& plan) {
  Successors graph;
  graph.from.assign(plan.steps.size() + 1, 0);
  for (const Step& step : plan.steps) {
    for (const Dependency& edge : step.dependencies) {
      if (edge.step != kNone) ++graph.from[edge.step + 1];
    }
  }
  for (std::size_t i = 1; i < graph.from.size(); ++i) graph.from[i] += graph.from[i - 1];
  graph.successors.resize(graph.from.back());
  std::vector<std::uint32_t> next(graph.from.begin(), graph.from.end() - 1);
  for (StepIndex i = 0; i < plan.steps.size(); ++i) {
    for (const Dependency& edge : plan.steps[i].dependencies) {
      if (edge.step != kNone) graph.successors[next[edge.step]++] = i;
    }
  }
  return graph;
}

std::vector<StepIndex> topologicalOrder(const Plan& plan, const Successors& graph) {
  std::vector<std::uint32_t> missing(plan.steps.size(), 0);
  for (const StepIndex step : graph.successors) ++missing[step];
  std::priority_queue<StepIndex, std::vector<StepIndex>, std::greater<StepIndex>> free;
  for (StepIndex i = 0; i < missing.size(); ++i) {
    if (missing[i] == 0) free.push(i);
  }
  std::vector<StepIndex> order;
  order.reserve(plan.steps.size());
  while (!free.empty()) {
    const StepIndex step = free.top();
    free.pop();
    order.push_back(step);
    for (std::uint32_t i = graph.from[step]; i < graph.from[step + 1]; ++i) {
      if (--missing[graph.successors[i]] == 0) free.push(graph.successors[i]);
    }
  }
  return order;
}

Error findCycle(const Plan& plan) {
  enum class Mark : std::uint8_t { New, OnPath, Done };
  std::vector<Mark> marks(plan.steps.size(), Mark::New);
  std::vector<Hop> path;
  for (StepIndex start = 0; start < plan.steps.size(); ++start) {
    if (marks[start] != Mark::New) continue;
    marks[start] = Mark::OnPath;
    path.push_back({start, 0});
    while (!path.empty()) {
      Hop& hop = path.back();
      const std::vector<Dependency>& edges = plan.steps[hop.step].dependencies;
      if (hop.dependency == edges.size()) {
        marks[hop.step] = Mark::Done;
        path.pop_back();
        if (!path.empty()) ++path.back().dependency;
        continue;
      }
      const StepIndex next = edges[hop.dependency].step;
      if (next == kNone || marks[next] == Mark::Done) {
        ++hop.dependency;
      } else if (marks[next] == Mark::OnPath) {
        const auto from = std::find_if(path.begin(), path.end(), [next](const Hop& h) { return h.step == next; });
        return cycleError(plan, {from, path.end()});
      } else {
        marks[next] = Mark::OnPath;
        path.push_back({next, 0});
      }
    }
  }
  return {};
}

std::string toDot(const Plan& plan) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char byte : text) {
      if (byte == '"' || byte == '\\') out += '\\';
      // A type name, unlike an id, may hold line ends; DOT would read them as part of its own text.
      out += byte >= 0 && byte < 0x20 ? ' ' : byte;
    }
    return out;
  };
  std::string dot = "digraph plan {\n  rankdir=LR;\n  node [shape=box];\n";
  for (StepIndex i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    dot += "  s" + std::to_string(i) + " [label=\"" + escaped(step.id) + "\\n" + escaped(step.typeName) + "\"];\n";
  }
  for (StepIndex i = 0; i < plan.steps.size(); ++i) {
    for (const Dependency& edge : plan.steps[i].dependencies) {
      if (edge.step == kNone) continue;
      dot += "  s" + std::to_string(edge.step) + " -> s" + std::to_string(i);
      dot += edge.place == kNone ? " [style=dashed];\n" : ";\n";
    }
  }
  return dot + "}\n";
}

}  // namespace aetherflow
