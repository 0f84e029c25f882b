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
};

/// Role and what to return, by task type; static storage.
std::string_view roleOf(StepType type);
/// What form the answer must have, by output kind; static storage.
std::string_view answerForm(OutputKind output);
/// The whole system text. Depends on nothing else, so that all steps of a kind share a provider's prefix cache.
std::string systemText(PromptRole role, StepType type, OutputKind output);
}  // namespace aetherflow
