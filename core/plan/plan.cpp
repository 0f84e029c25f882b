#include "core/plan/plan.hpp"

#include "core/base/json.hpp"
#include "core/base/json_cursor.hpp"

namespace aetherflow {
namespace {

constexpr std::string_view kNames[kStepTypes] = {
    "analysis", "refactoring", "code_generation", "prototyping", "brainstorming", "documentation", "testing", "other",
};

}  // namespace

std::string_view name(StepType type) {
  return kNames[static_cast<std::size_t>(type)];
}

StepType stepTypeOf(std::string_view text) {
  // "other" itself is not a type that a plan may ask for, but it ends up there all the same.
  for (std::size_t i = 0; i < kStepTypes; ++i) {
    if (kNames[i] == text) return static_cast<StepType>(i);
  }
  return StepType::Other;
}

void addPlacing(Step& step, std::string_view name, std::string_view json) {
  step.placing += (step.placing.empty() ? "\"" : ",\"") + std::string(name) + "\":";
  appendCompact(step.placing, json);
  step.blocks |= name == "edit" && json == "\"blocks\"";
  if (name != "check") return;
  const std::optional<JsonValue> check = parseJson(json);
  const JsonValue* rubric = check ? check->find("rubric") : nullptr;
  step.rubric = rubric != nullptr && !rubric->items.empty();
}

}  // namespace aetherflow
