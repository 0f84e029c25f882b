#pragma once
// Random plans as JSON text, for property tests: small graphs of every shape, with forward references when asked.

#include <string>
#include <vector>

#include "core/base/rng.hpp"

namespace aetherflow::testing {

struct RandomPlan {
  std::string json;
  std::uint32_t steps = 0;
};

/// 1 to `most` steps; every edge leads from an earlier to a later number, but the steps are written in a shuffled order.
inline RandomPlan randomPlan(Rng& rng, std::uint32_t most) {
  static constexpr const char* kTypes[] = {"analysis",      "refactoring",   "code_generation", "prototyping",
                                           "brainstorming", "documentation", "testing",         "poetry"};
  RandomPlan plan;
  plan.steps = 1 + rng.below(most);
  std::vector<std::string> texts;
  for (std::uint32_t i = 0; i < plan.steps; ++i) {
    std::string text = "{\"id\":\"s" + std::to_string(i) + "\",\"type\":\"" + kTypes[rng.below(8)] +
                       "\",\"description\":\"d\",\"complexity\":0." + std::to_string(rng.below(10)) +
                       ",\"estimated_tokens\":" + std::to_string(rng.below(6000)) + ",\"dependencies\":[";
    std::string separator;
    for (std::uint32_t from = 0; from < i; ++from)
      if (rng.below(i + 2) < 2) {
        text += separator + "\"s" + std::to_string(from) + "\"";
        separator = ",";
      }
    text += "]";
    if (rng.below(8) == 0) text += ",\"optional\":true";
    if (rng.below(8) == 0) text += ",\"priority\":" + std::to_string(rng.below(5));
    if (rng.below(10) == 0) text += ",\"provider\":\"groq\"";
    if (rng.below(6) == 0) text += ",\"context\":{\"documents\":{}}";
    texts.push_back(text + "}");
  }
  const bool shuffled = rng.below(2) == 0;
  for (std::uint32_t i = plan.steps; shuffled && i > 1; --i) std::swap(texts[i - 1], texts[rng.below(i)]);
  plan.json = "{\"task_id\":\"t\",\"description\":\"d\",\"steps\":[";
  for (std::uint32_t i = 0; i < plan.steps; ++i) plan.json += (i > 0 ? "," : "") + texts[i];
  plan.json += "]}";
  return plan;
}

}  // namespace aetherflow::testing
