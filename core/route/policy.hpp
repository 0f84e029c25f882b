#pragma once
// What is done when calls fail, and what a run may spend: data of the table, see defaults.json.

#include <array>
#include <cstdint>

#include "core/base/vocabulary.hpp"
#include "core/limit/budget.hpp"

namespace aetherflow {

/// What is given up when the rest of a budget does not suffice, in the order declared.
enum class Rung : std::uint8_t { Cheaper, SkipOptional, Stop, None };

struct Policy {
  // retry
  std::uint32_t attempts = 5;         ///< calls of one phase of a step (work, audit, repair), over all models
  std::uint32_t perModel = 3;         ///< of them at one model, before the next admissible one has its turn
  std::int64_t baseMs = 500;          ///< first back-off; doubles each time, × 0.8–1.2
  std::int64_t capMs = 8'000;         ///< longest back-off
  std::int64_t deadlineMs = 0;        ///< from ready to done, over attempts, waits and fallbacks; 0: none
  std::int64_t patienceMs = 900'000;  ///< longest wait that a provider may ask for; longer counts as gone
  // breaker
  std::uint32_t failures = 5;  ///< in a row
  std::int64_t openMs = 10'000, maxOpenMs = 60'000;
  // hedging: a second call when the first token is late; 0: off
  std::uint32_t hedgePermille = 0;  ///< of all calls, at most
  // throughput floor: 0: none
  std::uint32_t floorTokensPerSecond = 0;
  std::int64_t floorAfterMs = 10'000;

  Interrupt interrupt = Interrupt::Restart;
  Ceiling run, step, attempt;
  std::array<Rung, 3> ladder{Rung::Cheaper, Rung::SkipOptional, Rung::Stop};  ///< None: no further rung
};

/// What a kind of failure calls for.
struct FailureRule {
  bool retry;     ///< the same model may do better
  bool fallback;  ///< another model may do better
  bool health;    ///< counts against the provider's health
  bool worked;    ///< the provider may have worked on it, so what it read is taken as billed
};

/// The policy's one table. A refused key or a malformed request would be refused everywhere, or hide a mistake if
/// another provider took it: those never fall through.
constexpr FailureRule failureRule(FailureKind kind) {
  switch (kind) {
    case FailureKind::RateLimited: return {true, true, false, false};
    case FailureKind::QuotaExhausted: return {false, true, false, false};
    case FailureKind::TooLarge: return {false, true, false, false};
    case FailureKind::ContentBlocked: return {false, true, false, true};
    case FailureKind::NotFound: return {false, true, false, false};
    case FailureKind::Overloaded: return {true, true, true, false};
    case FailureKind::ServerError: return {true, true, true, false};
    case FailureKind::TimeoutConnect: return {true, true, true, false};
    // A connection that broke after the request had left; one that never stood was not sent, see usedBy.
    case FailureKind::Unreachable: return {true, true, true, true};
    case FailureKind::TimeoutFirstToken: return {true, true, true, true};
    case FailureKind::TimeoutIdle: return {true, true, true, true};
    case FailureKind::TimeoutTotal: return {true, true, true, true};
    case FailureKind::Truncated: return {true, true, true, true};
    case FailureKind::Malformed: return {true, true, true, true};
    case FailureKind::ConstraintViolated: return {true, true, false, true};
    case FailureKind::Cancelled: return {false, false, false, true};
    case FailureKind::Adapted: return {true, true, false, false};
    case FailureKind::Unprocessed: return {true, true, false, false};
    case FailureKind::Denied: return {false, true, false, false};
    case FailureKind::GenerationFailed: return {true, true, false, true};
    case FailureKind::LimitReached: return {true, true, false, true};
    case FailureKind::Unresolved: return {true, true, true, false};
    case FailureKind::Certificate: return {false, true, true, false};
    default: return {false, false, false, false};
  }
}

}  // namespace aetherflow
