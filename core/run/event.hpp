#pragma once
// What a host reports to the core. Scalars only; texts come through documents and the bulk lane.

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/limit/budget.hpp"
#include "core/metrics/cost.hpp"

namespace aetherflow {

/// A complete answer has arrived and is durable.
struct Succeeded {
  CallId call = kNone;
  TokenCounts tokens;
  bool tokensEstimated = false;  ///< the provider sent no counts: these are the host's estimate, and marked as such
  FinishReason finish = FinishReason::Stop;
  CheckVerdict verdict = CheckVerdict::Passed;  ///< checkOutput's verdict on the answer; audits: Passed
  std::int64_t providerMs = -1;                 ///< time the provider says it spent; −1 = it does not say
};

/// A call that failed.
struct Failed {
  CallId call = kNone;
  FailureKind kind = FailureKind::ServerError;
  std::int64_t retryAfterMs = -1;  ///< earliest sensible retry from now; −1 = not given
  TokenCounts tokens;              ///< counted before it failed, zeros when unknown
  bool shown = false;              ///< text has reached the user already
  std::int8_t mayRetry = -1;       ///< whether the provider allows a retry: 1 yes, 0 no, −1 not stated
};

/// What a reply's headers state about one limit; −1 = not given.
struct LimitsSeen {
  CallId call = kNone;
  Window window = Window::RequestsMinute;
  std::int64_t limit = -1, remaining = -1, resetMs = -1;
};

/// The cache has answered.
struct Looked {
  StepIndex step = kNone;
  Found found = Found::None;
  std::uint32_t key = kNone;  ///< equal for equal requests
  Spend spend;                ///< of a hit: what its answer had cost
  std::int64_t ms = 0;
  double score = -1;  ///< in 1/1,000,000
};

/// The limits that all runs share refused a call as it was about to leave: nothing was sent.
struct Refused {
  CallId call = kNone;
  Refusal why = Refusal::Places;
  Window window = Window::Count;  ///< the full one, where `why` is Window
  TimeMs until = kNever;          ///< kNever: until `freed`
};

/// The request was sent.
struct Started {
  CallId call = kNone;
  std::int8_t reused = -1;    ///< 1 reused connection, 0 new, −1 unknown
  std::int64_t setupMs = -1;  ///< DNS + connect + TLS; −1 = unknown
};

}  // namespace aetherflow
