#pragma once
// The fixed sentences of the system text.

#include <string>
#include <string_view>

#include "core/base/vocabulary.hpp"
#include "core/plan/plan.hpp"

namespace aetherflow {

/// Role and what to return, by task type; static storage.
std::string_view roleOf(StepType type);
/// What form the answer must have, by output kind; static storage.
std::string_view answerForm(OutputKind output);
/// The whole system text. Depends on nothing else, so that all steps of a kind share a provider's prefix cache.
std::string systemText(Purpose purpose, StepType type, OutputKind output);
/// True for the purposes that judge an answer instead of giving one.
constexpr bool judges(Purpose purpose) {
  return purpose == Purpose::Audit || purpose == Purpose::Verify || purpose == Purpose::Judge;
}

}  // namespace aetherflow
