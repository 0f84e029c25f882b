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
  const CallRecord& call = calls_[id];
  return std::max(static_cast<ConstraintLevel>(steps_[call.step].looser),
                  strictest(call.step, call.target.provider, call.purpose));
}

ConstraintLevel Run::strictest(StepIndex step, ProviderIndex provider, Purpose purpose) const {
  const JsonSupport support = table_.providers[provider].json;
  if (support == JsonSupport::None) return ConstraintLevel::Instruct;
  if (purpose == Purpose::Audit) return ConstraintLevel::JsonMode;
  switch (plan().steps[step].output) {
    case OutputKind::Json: return ConstraintLevel::JsonMode;
    case OutputKind::Schema: {
      // Schema modes want an object at the root; any other schema goes into the prompt, where nothing drops it.
      const std::optional<JsonValue> schema = parseJson(plan().steps[step].schema);
      const JsonValue* type = schema ? schema->find("type") : nullptr;
      const bool objectRoot = type != nullptr && type->kind == JsonValue::Kind::String && type->text == "object";
      if (!objectRoot) return ConstraintLevel::Instruct;
      return support == JsonSupport::Schema ? ConstraintLevel::Native : ConstraintLevel::JsonMode;
    }
    default: return ConstraintLevel::Instruct;
  }
}

ErrorCode Run::promptBegin(CallId call) {
  if (call >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", call);
  return promptBegin(calls_[call].step, calls_[call].purpose, calls_[call].level);
}

ErrorCode Run::promptToLook(StepIndex step, ProviderIndex provider) {
  if (step >= steps_.size() || provider >= table_.providers.size())
    return unknown(ErrorCode::RunUnknownStep, "step or provider ", step);
  return promptBegin(step, Purpose::Main, strictest(step, provider, Purpose::Main));
}

ErrorCode Run::promptBegin(StepIndex step, Purpose purpose, ConstraintLevel level) {
  promptStep_ = step;
  promptPurpose_ = purpose;
  promptLevel_ = level;
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
  if (step >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step ", step);
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
  if (promptStep_ == kNone) return prompt_;
  PromptParts parts;
  parts.step = &plan().steps[promptStep_];
  parts.planDescription = plan().description;
  for (const auto& [path, text] : promptFiles_) parts.files.push_back({path, text});
  for (const auto& [step, text] : promptDependencies_) parts.dependencies.push_back({plan().steps[step].id, text});
  parts.purpose = promptPurpose_;
  parts.answer = promptAnswer_;
  parts.issues = promptIssues_;
  parts.level = promptLevel_;
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
