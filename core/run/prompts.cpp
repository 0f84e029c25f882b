// Prompts of calls: how strictly their output is asked for, and the desk that assembles them.

#include <algorithm>

#include "core/base/json.hpp"
#include "core/run/machine.hpp"

namespace aetherflow {

/// As strict as the provider can enforce, but no stricter than earlier refusals allow.
ConstraintLevel Machine::constraintLevel(CallId id) const {
  // The rest of a document is not a document: a provider that enforces would reject it, or start over.
  if (calls_[id].continues) return ConstraintLevel::Instruct;
  const CallRecord& call = calls_[id];
  ConstraintLevel level =
      std::max(steps_[call.step].strictest, strictest(call.step, call.target.provider, call.purpose));
  if (phase(call.purpose).constraint == PhaseConstraint::Json) return level;
  const Step& step = plan().steps[call.step];
  for (const Looser& looser : looser_) {
    const Step& other = plan().steps[looser.step];
    if (looser.model == call.target.model && other.output == step.output && other.schema == step.schema)
      level = std::max(level, looser.strictest);
  }
  return level;
}

ConstraintLevel Machine::strictest(StepIndex step, ProviderIndex provider, Purpose purpose) const {
  const JsonSupport support = table_.providers[provider].json;
  if (support == JsonSupport::None) return ConstraintLevel::Instruct;
  if (phase(purpose).constraint == PhaseConstraint::Json) return ConstraintLevel::JsonMode;
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

ErrorCode Machine::promptBegin(CallId call) {
  if (call >= calls_.size()) return unknown(ErrorCode::RunUnknownCall, "call ", call);
  knowPrefixes();
  const bool shared = options_.promptCache != PromptCacheUse::Off;
  desk_.begin(calls_[call].step, phase(calls_[call].purpose).role, calls_[call].level,
              shared ? PromptLayout::Shared : PromptLayout::Own);
  return ErrorCode::None;
}

ErrorCode Machine::promptToLook(StepIndex step, ProviderIndex provider) {
  if (step >= steps_.size() || provider >= table_.providers.size())
    return unknown(ErrorCode::RunUnknownStep, "step or provider ", step);
  // What an answer is kept by must not change with the rest of the plan.
  desk_.begin(step, phase(Purpose::Main).role, strictest(step, provider, Purpose::Main), PromptLayout::Own);
  return ErrorCode::None;
}

ErrorCode Machine::promptDependency(StepIndex step, std::string_view text) {
  if (step >= steps_.size()) return unknown(ErrorCode::RunUnknownStep, "step ", step);
  desk_.dependency(step, text);
  return ErrorCode::None;
}

/// Even where this run counts no tokens, the assembled prompt is bounded: another run may have stated a limit.
std::int64_t Machine::mostTokens(CallId id) const {
  if (id >= calls_.size()) return 0;
  const CallRecord& call = calls_[id];
  const std::int64_t bound =
      call.promptEstimate == 0 ? 0 : promptBound(call.promptEstimate, factors_[call.target.model]);
  return std::max(call.money.reserved().tokens, bound + call.maxTokens);
}

Checked Machine::check(StepIndex step, std::string_view answer) const {
  if (step >= steps_.size()) return {CheckVerdict::Empty, {}, "there is no such step"};
  const Step& known = plan().steps[step];
  return checkOutput(known.blocks ? OutputKind::Text : known.output, known.schema, answer);
}

}  // namespace aetherflow
