#pragma once
// The life of a step, as one full table: every state × event has a cell. What a step waits or runs for is its phase, a row of
// run/phases.def; the cells of the three working states name what the phase must have for them to be legal.
//
//   Waiting ─inputsDone─▶ Ready ─dispatched─▶ Calling ─succeeded──────────────────▶ Done
//      │                   ▲ ▲                 │ │ └─callFailed─▶ Failed            ▲
//      └─inputLost─▶ Skipped │                 │ └─judge─▶ Judging ─verdictPass─────┤
//                          │ └──retry, next────┘              │ └─verdictKeep───────┘
//                          └────────verdictNext───────────────┘
//   Judging waits for the verdict of an audit, or for the check of an answer; that then goes the way of an unchecked one (succeeded,
//   next, callFailed, callFailedKeep).
//   callFailedKeep and giveUpKeep deliver the first answer; giveUp ends a wait, dropped ends it before any call.
//   cancel leads from every unsettled state to Cancelled, unneeded to Skipped; a live call is then only accounted for.
//   With a cache a ready step looks into it first: Ready ─look▶ Looking ─hit▶ Done, or ─missed▶ Ready again; or ─follow▶
//   Following, where it waits for an identical step: ─hit▶ Done with its output, or ─look, missed▶ in its place.

#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/vocabulary.hpp"

namespace aetherflow {

/// Step-level events: host events seen from the step, and what the machine finds out itself.
enum class StepEvent : std::uint8_t {
  InputsDone,      ///< every dependency is settled well
  InputLost,       ///< a dependency that is not optional failed
  Dispatched,      ///< the scheduler gave it a provider
  Signal,          ///< started, firstToken, progress of its live call
  Succeeded,       ///< an answer that is delivered
  Next,            ///< an answer that leads to another phase
  Judge,           ///< an answer that is judged: of a call that judges, or to be checked; the verdict is the next event
  CallFailed,      ///< the call failed and takes the step with it
  CallFailedKeep,  ///< the call failed; the first answer stands
  VerdictPass,
  VerdictNext,  ///< issues, which lead to another phase
  VerdictKeep,  ///< issues, and no further phase: the first answer stands
  Cancel,
  Retry,       ///< the call failed or did not leave, and another is due
  GiveUp,      ///< no further call is possible, and the step fails with it
  GiveUpKeep,  ///< no further call is possible; the first answer stands
  Dropped,     ///< left out before its first call, for the budget
  Recalled,    ///< its output is known from an earlier run
  Look,        ///< the cache is asked, or asked on
  Looked,      ///< the cache has answered
  Missed,      ///< nothing is left to look for: it must be called
  Follow,      ///< an identical step is in flight
  Hit,         ///< the cache, or the identical step, has its output
  Unneeded,    ///< what it is for is settled without it, or its condition does not hold
};
inline constexpr int kStepEvents = 24;

/// What a phase has, as far as the automaton is concerned: bits of a set.
enum PhaseShape : std::uint8_t {
  kWritesAnswer = 1,  ///< its answer is the step's output
  kIsJudged = 2,      ///< its answer is followed by a verdict
  kFailsStep = 4,     ///< its failure can be the step's
  kKeepsFirst = 8,    ///< after its failure the first answer can stand
  kHasNext = 16,      ///< an answer can lead to another phase
  kHasIssues = 32,    ///< a verdict can
  kIsFirst = 64,      ///< a step begins with it
  kAnswers = 128,     ///< it is answered with what can become the output, which the host may check
};

enum class CellClass : std::uint8_t {
  Legal,
  Refused,  ///< a host can send it; it is answered with an error and changes nothing
  Never,    ///< never produced by the machine itself; it would be a bug
};

/// Why a cell is not legal, for traces and error details.
enum class Illegal : std::uint8_t { None, NoCallYet, NoVerdictDue, AlreadyOver, AlreadyReady, CallRuns, NotThisPhase };

struct StepCell {
  CellClass kind;
  StepState next;  ///< same state when not legal
  Illegal illegal;
};

/// O(1). Total: defined for every state, event and shape.
StepCell stepCell(StepState state, StepEvent event, PhaseShape shape);

constexpr bool settled(StepState state) {
  return state >= StepState::Done && state <= StepState::Cancelled;
}
/// No call of the step counts any more.
constexpr bool givenUp(StepState state) {
  return state == StepState::Skipped || state == StepState::Cancelled;
}
/// The states that a step goes through in every phase.
constexpr bool working(StepState state) {
  return state == StepState::Ready || state == StepState::Calling || state == StepState::Judging;
}

std::string_view name(StepEvent event);
std::string_view name(Illegal illegal);

/// Which cells a run has met, by phase; tests join many runs and look for holes.
using CellVisits = std::array<std::array<std::array<bool, kStepEvents>, kStepStates>, kPurposes>;

}  // namespace aetherflow
