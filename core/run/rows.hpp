#pragma once
// Calls and steps as rows of numbers: what a host makes events and the report of, without a JSON text for each.

#include "core/base/ids.hpp"
#include "core/run/run.hpp"

namespace aetherflow {

/// Places in a row, see base/row.def; Count: its length.
enum class CallRow {
#define CALL_ROW(id, text) id,
#include "core/base/row.def"
  Count
};
enum class StepRow {
#define STEP_ROW(id, text) id,
#include "core/base/row.def"
  Count
};
enum class PromptRow {
#define PROMPT_ROW(id, text) id,
#include "core/base/row.def"
  Count
};
inline constexpr std::size_t kCallRow = static_cast<std::size_t>(CallRow::Count);
inline constexpr std::size_t kStepRow = static_cast<std::size_t>(StepRow::Count);
inline constexpr std::size_t kPromptRow = static_cast<std::size_t>(PromptRow::Removals) + 3 * kStripRules;

/// −1 where one of them is unknown.
inline std::int64_t between(TimeMs from, TimeMs to) {
  return from < 0 || to < 0 ? -1 : to - from;
}

/// Network overhead of a call: what is left of the response time after the time the provider says it spent;
/// else the connection's set-up, where the host could see it; else unknown.
std::int64_t networkMs(const CallRecord& call);

/// Fill a row. The call and the step must exist.
void writeCallRow(const Run& run, CallId call, double* row);
void writeStepRow(const Run& run, StepIndex step, double* row);
void writePromptRow(const Prompt& prompt, double* row);

}  // namespace aetherflow
