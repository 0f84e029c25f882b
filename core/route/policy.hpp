#pragma once
// What is done when calls fail, and what a run may spend: data of the table, see defaults.json.

#include <array>
#include <cstdint>

#include "core/base/vocabulary.hpp"
#include "core/limit/budget.hpp"

namespace aetherflow {

/// What is given up when a budget runs short, in the order declared.
enum class Rung : std::uint8_t { Cheaper, SkipOptional, Stop, None };

struct Policy {
  // retry
  std::uint32_t attempts = 5;   ///< calls of one phase of a step (work, audit, repair), over all models
  std::uint32_t perModel = 3;   ///< of them at one model, before the next admissible one has its turn
  std::int64_t baseMs = 500;    ///< first back-off; doubles each time, × 0.8–1.2
  std::int64_t capMs = 8'000;   ///< longest back-off
  std::int64_t deadlineMs = 0;  ///< from ready to done, over attempts, waits and fallbacks; 0: none
  /// Longest wait that a provider may ask for, and the most that a phase waits on such requests in total.
  std::int64_t patienceMs = 900'000;
  // breaker
  std::uint32_t failures = 5;  ///< in a row
  std::int64_t openMs = 10'000, maxOpenMs = 60'000;
  // hedging: a second call when the first token is late; 0: off
  std::uint32_t hedgePermille = 0;  ///< of all calls, at most
  // throughput floor: 0: none
  std::uint32_t floorTokensPerSecond = 0;
  std::int64_t floorAfterMs = 10'000;

  Interrupt interrupt = Interrupt::Restart;
  bool acceptsUnknownEnd = false;  ///< an answer with an unknown finish reason counts as complete
  Ceiling run, step, attempt;
  std::array<Rung, 3> ladder{Rung::Cheaper, Rung::SkipOptional, Rung::Stop};  ///< None: no further rung
};

/// What a kind of failure calls for.
struct FailureRule {
  bool retry = false;     ///< the same model may do better
  bool fallback = false;  ///< another model may do better
  bool health = false;    ///< counts against the provider's health
  bool worked = false;    ///< the provider may have worked on it, so what it read is taken as billed
  /// Most calls at one model that end so, where another may take over; 0: as many as the policy's perModel.
  std::uint8_t here = 0;
  bool last = false;  ///< and where no other may, the phase then fails
  bool free = false;  ///< costs no attempt: nothing was asked of the model
};

/// What holds for a target, or all targets of its provider, for the rest of the run once a call ended so.
enum class Learnt : std::uint8_t { Nothing, ModelGone, ProviderGone };

/// The policy's one table. A refused key would be refused everywhere or hide a mistake, so it never falls through; a request that
/// was refused for an unknown reason is tried once elsewhere, see decide.
constexpr FailureRule failureRule(FailureKind kind) {
  switch (kind) {
    case FailureKind::RateLimited: return {true, true};
    case FailureKind::QuotaExhausted: return {false, true};
    case FailureKind::TooLarge: return {false, true};
    case FailureKind::ContentBlocked: return {false, true, false, true};
    case FailureKind::NotFound: return {false, true};
    case FailureKind::Denied: return {false, true};
    case FailureKind::Overloaded: return {true, true, true};
    case FailureKind::ServerError: return {true, true, true};
    case FailureKind::TimeoutConnect: return {true, true, true};
    // A connection that broke after the request was sent; one that was never established sent nothing, see usedBy.
    case FailureKind::Unreachable: return {true, true, true, true};
    case FailureKind::Unresolved: return {true, true, true, false, 2, true};
    case FailureKind::Certificate: return {false, true};
    // A model that thinks for so long will do so again.
    case FailureKind::TimeoutFirstToken: return {true, true, true, true, 2};
    case FailureKind::TimeoutIdle: return {true, true, true, true};
    case FailureKind::TimeoutTotal: return {true, true, true, true};
    case FailureKind::Truncated: return {true, true, true, true};
    case FailureKind::Malformed: return {true, true, true, true};
    case FailureKind::ConstraintViolated: return {true, true, false, true};
    case FailureKind::GenerationFailed: return {true, true, false, true, 2, true};
    case FailureKind::LimitReached: return {true, true, false, true};
    case FailureKind::Adapted: return {true, true, false, false, 0, false, true};
    case FailureKind::Unprocessed: return {true, true, false, false, 0, false, true};
    case FailureKind::Cancelled: return {false, false, false, true};
    default: return {};
  }
}

constexpr Learnt learntFrom(FailureKind kind) {
  switch (kind) {
    case FailureKind::NotFound: return Learnt::ModelGone;
    case FailureKind::Denied:
    case FailureKind::Certificate: return Learnt::ProviderGone;
    default: return Learnt::Nothing;
  }
}

/// Whether a failure is a request to retry later: it costs waiting time instead of an attempt.
constexpr bool asksToWait(FailureKind kind, std::int64_t retryAfterMs, std::int8_t mayRetry) {
  if (mayRetry == 0) return false;
  return kind == FailureKind::RateLimited || (kind == FailureKind::Overloaded && retryAfterMs >= 0);
}

}  // namespace aetherflow
