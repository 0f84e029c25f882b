#pragma once
// What a run keeps of its steps and calls: data, and what the report is made of.

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/metrics/cost.hpp"
#include "core/route/router.hpp"
#include "core/run/purse.hpp"

namespace aetherflow {

/// One call. Never removed: its number is its place in the run's list.
struct CallRecord {
  StepIndex step = kNone;
  Target target;
  Purpose purpose = Purpose::Main;
  std::uint8_t attempt = 0;  ///< how many calls the step had before, at most 255
  bool live = true;
  bool succeeded = false;
  bool tokensEstimated = false;
  bool overflowed = false;
  bool abandoned =
      false;  ///< already accounted for, so its end changes nothing: a hedge that lost, a deadline that passed
  bool beside = false;              ///< not the step's own work but beside it: it moves nothing by itself
  bool counted = false;             ///< its request is in the windows of its quota group
  bool probe = false;               ///< of an open breaker
  bool continues = false;           ///< continues the text of an earlier call
  bool shares = false;              ///< its prompt shares a beginning long enough to matter
  bool peak = false;                ///< at the provider's peak price
  Reason cancelled = Reason::None;  ///< why the core cancelled it
  Reason waited = Reason::None;     ///< what it waited for before it left, other than a free slot
  ConstraintLevel level = ConstraintLevel::Instruct;
  std::int8_t reused = -1;
  FailureKind failure = FailureKind::Count;
  FinishReason finish = FinishReason::Count;
  CheckVerdict check = CheckVerdict::Count;
  std::uint32_t maxTokens = 0;
  std::uint32_t promptEstimate = 0;  ///< tokens, before the model's correction; 0 = no prompt was assembled
  std::uint32_t strippedTokens = 0;
  std::uint32_t lead = kNone;      ///< what it finds in the prompt cache, see prefix_leads.hpp
  CallId leader = kNone;           ///< who put it there
  std::uint32_t sharedTokens = 0;  ///< how much of it is expected there
  TokenCounts tokens;
  std::uint32_t promptBound = 0;  ///< tokens reserved for its prompt, 0 where nothing counts them
  CallMoney money;
  TimeMs readyAt = 0, dispatchedAt = 0, startedAt = -1, firstTokenAt = -1, endedAt = -1, expectedEnd = 0;
  std::int64_t setupMs = -1, providerMs = -1;
};

/// What it cost to produce an answer, and so what a cache hit saves.
struct Saving {
  Spend spend;
  std::int64_t ms = 0;
};

/// How the cache did: numbers of steps, and what was saved.
struct CacheTotals {
  std::int64_t looked = 0, misses = 0, stored = 0;
  std::int64_t exact = 0, semantic = 0, shared = 0;
  Saving saved;
};

struct StepRecord {
  StepState state = StepState::Waiting;
  Purpose phase = Purpose::Main;  ///< what it is waiting for or running
  AuditState audit = AuditState::None;
  bool repaired = false;
  bool repairing = false;        ///< the one repair was spent
  bool violated = false;         ///< the first answer broke its constraint, so it cannot stand
  bool drafts = false;           ///< its first call is a draft, as the host decided
  bool draftsBeside = false;     ///< beside a full answer
  Reason draft = Reason::None;   ///< what became of its draft, or why there was none
  Reason canary = Reason::None;  ///< what a full answer said of the accepted draft
  std::uint16_t draftKept = 0;   ///< of an accepted or patched draft, in 1/1000
  Reason reason = Reason::None;  ///< why it was skipped or cancelled
  FailureKind failure = FailureKind::Count;
  std::uint32_t missing = 0;  ///< dependencies not settled yet
  GroupIndex group = kNone;
  CallId call = kNone;      ///< the live call, or the last one
  CallId hedge = kNone;     ///< a second live call of the same work
  CallId drafted = kNone;   ///< the draft that is made beside its full answer
  CallId beside = kNone;    ///< the live call of that draft or of its verdict
  CallId output = kNone;    ///< the call whose answer is (so far) the output
  StepIndex cause = kNone;  ///< the dependency that failed it
  std::uint8_t calls = 0;

  // Of the present phase.
  GroupIndex phaseGroup = kNone;  ///< where it may still go
  std::uint8_t tries = 0;         ///< its calls so far
  std::uint8_t triesHere = 0;     ///< of them in a row at `lastTarget`
  std::uint8_t freeTries = 0;     ///< calls that did not count as attempts, at most 255
  bool refused = false;           ///< refused for an unknown reason, and sent elsewhere because of it
  TimeMs waitsSince = -1;         ///< since when its providers have been asking it to retry later
  std::uint32_t pushedBack = 0;   ///< how often they did
  Target lastTarget;
  FailureKind lastFailure = FailureKind::Count;
  ConstraintLevel strictest = ConstraintLevel::Native;  ///< still requested, after refusals
  std::uint8_t widened = 0;                             ///< how often its answer was cut: each time the limit doubles
  bool continuing = false;           ///< the next call continues the text so far, so only at the model it came from
  GroupIndex widerGroup = kNone;     ///< where it may go once it no longer continues
  std::uint32_t promptTokens = 0;    ///< estimate of the phase's prompt, 0 = not made yet
  Reason waiting = Reason::None;     ///< the reason last reported for its wait
  bool cold = false;                 ///< it has waited long enough for a prompt cache
  std::uint32_t parkedLead = kNone;  ///< what it waits for in that cache
  TimeMs parkedUntil = 0, queuedAt = -1;  ///< at most until; since when it could have gone
  bool frugal = false;                    ///< its answer may be no longer than the rest of the money pays for

  std::uint32_t fileTokens = 0;      ///< of its context files, 0 = not weighed
  std::uint32_t documentTokens = 0;  ///< of the documents found for it
  bool retrieving = false;           ///< counted in `missing` until they are
  bool held = false;  ///< as is that the host has not said yet what it spreads into, or that it may begin
  TimeMs deadlineAt = kNever;
  StepMoney money;
  std::uint32_t looks = 0;  ///< into the cache, so far
  Saving worth;             ///< of its output, where no call made it
  TimeMs readyAt = -1, startedAt = -1, settledAt = -1;
  std::int64_t estimateMs = 0;
};

}  // namespace aetherflow
