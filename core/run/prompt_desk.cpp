#include "core/run/prompt_desk.hpp"

#include "core/base/json_writer.hpp"

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
  prompt_ = assemble(parts);
  return prompt_;
}

std::string removalsJson(const Prompt& prompt) {
  std::string out;
  JsonWriter json(out);
  json.beginObject().field("shared", static_cast<std::int64_t>(prompt.shared));
  json.field("task", static_cast<std::int64_t>(prompt.task));
  json.field("taskBytes", static_cast<std::int64_t>(prompt.taskBytes));
  json.field("keyed", static_cast<std::int64_t>(prompt.keyed))
      .field("tokensBefore", static_cast<std::int64_t>(prompt.tokensBeforeStripping));
  json.field("tokensAfter", static_cast<std::int64_t>(prompt.tokensEstimated)).key("removals").beginArray();
  for (const Removal& removal : prompt.removals) {
    json.beginObject().field("rule", name(removal.rule)).field("count", static_cast<std::int64_t>(removal.count));
    json.field("bytes", static_cast<std::int64_t>(removal.bytes));
    json.field("tokens", static_cast<std::int64_t>(removal.tokens)).endObject();
  }
  json.endArray().endObject();
  return out;
}

}  // namespace aetherflow
