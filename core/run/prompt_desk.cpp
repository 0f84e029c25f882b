#include "core/run/prompt_desk.hpp"

namespace aetherflow {

void PromptDesk::begin(StepIndex step, PromptRole role, ConstraintLevel level, PromptLayout layout) {
  step_ = step;
  role_ = role;
  level_ = level;
  layout_ = layout;
  files_.clear();
  dependencies_.clear();
  documents_.clear();
  answer_.clear();
  issues_.clear();
}

const Prompt& PromptDesk::end(const Plan& plan, const Prefixes& prefixes, bool strip) {
  prompt_ = {};
  if (step_ == kNone) return prompt_;
  PromptParts parts;
  parts.step = &plan.steps[step_];
  parts.planDescription = plan.description;
  for (const auto& [path, text] : files_) parts.files.push_back({path, text, prefixes.usesOfFile(path)});
  for (const auto& [step, text] : dependencies_)
    parts.dependencies.push_back({plan.steps[step].id, text, prefixes.usesOfOutput(step)});
  parts.documents = documents_;
  parts.role = role_;
  parts.answer = answer_;
  parts.issues = issues_;
  parts.level = level_;
  parts.layout = layout_;
  parts.strip = strip;
  parts.stripped = &stripped_;
  prompt_ = assemble(parts);
  return prompt_;
}

}  // namespace aetherflow
