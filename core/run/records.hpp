#pragma once
// What the machine keeps of steps and calls while it runs, and what the report is made of.

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/metrics/cost.hpp"
#include "core/route/router.hpp"
#include "core/schedule/step_table.hpp"

namespace aetherflow {

/// One call. Never removed: its number is its place in the run's list.
struct CallRecord {
  StepIndex step = kNone;
  Target target;
  Purpose purpose = Purpose::Main;
  std::uint8_t attempt = 0;  ///< how many calls the step had before
  bool live = true;
  bool succeeded = false;
  bool tokensEstimated = false;
  bool overflowed = false;
  std::int8_t reused = -1;
  FailureKind failure = FailureKind::Count;
  FinishReason finish = FinishReason::Count;
  CheckVerdict check = CheckVerdict::Count;
  std::uint32_t maxTokens = 0;
  std::uint32_t promptEstimate = 0;  ///< tokens, before the model's correction; 0 = no prompt was assembled
  std::uint32_t strippedTokens = 0;
  TokenCounts tokens;
  MicroUsd cost = 0;
  TimeMs readyAt = 0, dispatchedAt = 0, startedAt = -1, firstTokenAt = -1, endedAt = -1, expectedEnd = 0;
  std::int64_t setupMs = -1, providerMs = -1;
};

enum class AuditState : std::uint8_t { None, Passed, Issues, Undone };

struct StepRecord {
  StepState state = StepState::Waiting;
  AuditState audit = AuditState::None;
  bool repaired = false;
  bool repairing = false;        ///< the one repair was spent
  bool violated = false;         ///< the first answer broke its constraint, so it cannot stand
  Reason reason = Reason::None;  ///< why it was skipped or cancelled
  FailureKind failure = FailureKind::Count;
  std::uint32_t missing = 0;  ///< dependencies not settled yet
  GroupIndex group = kNone;
  CallId call = kNone;      ///< the live call, or the last one
  CallId output = kNone;    ///< the call whose answer is (so far) the output
  StepIndex cause = kNone;  ///< the dependency that failed it
  std::uint8_t calls = 0;
  TimeMs readyAt = -1, startedAt = -1, settledAt = -1;
  std::int64_t estimateMs = 0;
  MicroUsd cost = 0;  ///< of all its calls so far
};

}  // namespace aetherflow
