// Prompts of the run: the host hands over the texts that the core does not keep, the core assembles them.

#include <algorithm>

#include "core/base/json.hpp"
#include "core/base/json_writer.hpp"
#include "core/run/run.hpp"

namespace aetherflow {

/// As strict as the provider can, but no stricter than an earlier refusal left.
ConstraintLevel Run::constraintLevel(CallId id) const {
  // The rest of a document is no document: a provider that enforces would refuse it, or begin anew.
  if (calls_[id].continues) return ConstraintLevel::Instruct;
  const auto looser = static_cast<ConstraintLevel>(steps_[calls_[id].step].looser);
  return std::max(looser, strictest(calls_[id]));
}

ConstraintLevel Run::strictest(const CallRecord& call) const {
  const JsonSupport support = table_.providers[call.target.provider].json;
  if (support == JsonSupport::None) return ConstraintLevel::Instruct;
  if (call.purpose == Purpose::Audit) return ConstraintLevel::JsonMode;
  switch (plan().steps[call.step].output) {
    case OutputKind::Json: return ConstraintLevel::JsonMode;
    case OutputKind::Schema: {
      // Schema modes want an object at the root; any other schema goes into the prompt, where nothing drops it.
      const std::optional<JsonValue> schema = parseJson(plan().steps[call.step].schema);
      const JsonValue* type = schema ? schema->find("type") : nullptr;
      const bool objectRoot = type != nullptr && type->kind == JsonValue::Kind::String && type->text == "object";
      if (!objectRoot) return ConstraintLevel::Instruct;
      return support == JsonSupport::Schema ? ConstraintLevel::Native : ConstraintLevel::JsonMode;
    }
    default: return ConstraintLevel::Instruct;
  }
}

ErrorCode Run::promptBegin(CallId call) {
  if (call >= calls_.size()) return refuse(ErrorCode::RunUnknownCall, "", "there is no call " + std::to_string(call));
  promptOf_ = calls_[call];
  return promptBegin();
}

ErrorCode Run::promptToLook(StepIndex step, ProviderIndex provider) {
  if (step >= steps_.size() || provider >= table_.providers.size())
    return refuse(ErrorCode::RunUnknownStep, "", "there is no such step or provider");
  promptOf_ = {};
  promptOf_.step = step;
  promptOf_.target.provider = provider;
  promptOf_.level = strictest(promptOf_);
  return promptBegin();
}

ErrorCode Run::promptBegin() {
  promptFiles_.clear();
  promptDependencies_.clear();
  promptAnswer_.clear();
  promptIssues_.clear();
  return ErrorCode::None;
}

ErrorCode Run::promptFile(std::string_view path, std::string_view text) {
  promptFiles_.emplace_back(path, text);
  return ErrorCode::None;
}

ErrorCode Run::promptDependency(StepIndex step, std::string_view text) {
  if (step >= steps_.size()) return refuse(ErrorCode::RunUnknownStep, "", "there is no step " + std::to_string(step));
  promptDependencies_.emplace_back(step, text);
  return ErrorCode::None;
}

ErrorCode Run::promptAnswer(std::string_view answer, std::string_view issues) {
  promptAnswer_ = answer;
  promptIssues_ = issues;
  return ErrorCode::None;
}

const Prompt& Run::promptEnd() {
  prompt_ = {};
  const CallRecord& call = promptOf_;
  if (call.step == kNone) return prompt_;
  PromptParts parts;
  parts.step = &plan().steps[call.step];
  parts.planDescription = plan().description;
  for (const auto& [path, text] : promptFiles_) parts.files.push_back({path, text});
  for (const auto& [step, text] : promptDependencies_) parts.dependencies.push_back({plan().steps[step].id, text});
  parts.purpose = call.purpose;
  parts.answer = promptAnswer_;
  parts.issues = promptIssues_;
  parts.level = call.level;
  parts.strip = options_.strip;
  prompt_ = assemble(parts);
  return prompt_;
}

std::string removalsJson(const Prompt& prompt) {
  std::string out;
  JsonWriter json(out);
  json.beginObject().field("tokensBefore", static_cast<std::int64_t>(prompt.tokensBeforeStripping));
  json.field("tokensAfter", static_cast<std::int64_t>(prompt.tokensEstimated)).key("removals").beginArray();
  for (const Removal& removal : prompt.removals) {
    json.beginObject().field("rule", name(removal.rule)).field("count", static_cast<std::int64_t>(removal.count));
    json.field("bytes", static_cast<std::int64_t>(removal.bytes));
    json.field("tokens", static_cast<std::int64_t>(removal.tokens)).endObject();
  }
  json.endArray().endObject();
  return out;
}

Checked Run::check(StepIndex step, std::string_view answer) const {
  if (step >= steps_.size()) return {CheckVerdict::Empty, {}, "there is no such step"};
  const Step& known = plan().steps[step];
  return checkOutput(known.output, known.schema, answer);
}

}  // namespace aetherflow
