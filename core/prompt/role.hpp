#pragma once
// The fixed sentences of the system text.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace aetherflow {

/// What the model of a call is asked to be.
enum class PromptRole : std::uint8_t {
  Work,    ///< does the step's task
  Judge,   ///< judges an answer instead of giving one
  Repair,  ///< does the task again, with the first answer and its issues at hand
  Asked,   ///< says of an answer what the words after it ask
};

/// Role and what to return, by task type; static storage.
std::string_view roleOf(StepType type);
/// What form the answer must have, by output kind; static storage.
std::string_view answerForm(OutputKind output);
/// What a judge, and what a repair, is asked to do; static storage.
std::string judgeText(PromptRole role);
std::string_view repairText();
/// Role and form of an answer, as the shared layout ends with them.
std::string workText(StepType type, OutputKind output);
/// The system text of the shared layout: the same for every step and purpose.
std::string sharedSystemText();
/// The system text of a step's own layout. Depends on nothing else, so that all steps of a kind share a provider's prefix cache.
std::string systemText(PromptRole role, StepType type, OutputKind output);
}  // namespace aetherflow
