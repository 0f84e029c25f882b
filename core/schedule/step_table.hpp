#pragma once
// The life of a step, as one full table: every state × event has a cell.
//
//   Waiting ──inputsDone──▶ Ready ──dispatched──▶ Calling ──succeeded──────────────────────▶ Done
//      │                                            │ ├─succeededToAudit─▶ AuditReady ─▶ Auditing ─▶ Judging ─pass─▶
//      Done └─inputLost─▶ Skipped                        │ └─violated─▶ RepairReady ─▶ Repairing ─▶ Done  ◀─issues─┘
//                                                   └─callFailed─▶ Failed
//   retry leads from a call back to the state that waits for it: Calling → Ready, Auditing → AuditReady, Repairing →
//   RepairReady; giveUp and giveUpKeep end such a wait, dropped ends it before any call.
//   cancel leads from every unsettled state to Cancelled; a live call is then only accounted for.
//   With a cache a ready step looks into it first: Ready ─look▶ Looking ─hit▶ Done, or ─missed▶ Ready again; or
//   ─follow▶ Following, where it waits for an identical step: ─hit▶ Done with its output, or ─look, missed▶ in its
//   place.

#include <array>
#include <cstdint>
#include <string_view>

namespace aetherflow {

enum class StepState : std::uint8_t {
  Waiting,
  Ready,
  Calling,
  AuditReady,
  Auditing,
  Judging,
  RepairReady,
  Repairing,
  Done,
  Failed,
  Skipped,
  Cancelled,
  Looking,    ///< the cache is being asked
  Following,  ///< an identical step is under way
};
inline constexpr int kStepStates = 14;

/// Step-level events: host events seen from the step, and what the machine finds out itself.
enum class StepEvent : std::uint8_t {
  InputsDone,        ///< every dependency is settled well
  InputLost,         ///< a dependency that is not optional failed
  Dispatched,        ///< the scheduler gave it a provider
  Signal,            ///< started, firstToken, progress of its live call
  Succeeded,         ///< main or repair answer, final
  SucceededToAudit,  ///< main answer, to be audited; or the audit's own answer
  Violated,          ///< the answer breaks the constraint, one repair is left
  ViolatedFinal,     ///< and none is left
  CallFailed,        ///< the call failed and takes the step with it
  CallFailedKeep,    ///< an audit or a repair failed; the first answer stands
  VerdictPass,
  VerdictIssues,       ///< one repair is left
  VerdictIssuesFinal,  ///< and none is left
  Cancel,
  Retry,       ///< the call failed, or was withheld, and another is due
  GiveUp,      ///< no further call is possible, and the step fails with it
  GiveUpKeep,  ///< no further call is possible for an audit or a repair; the first answer stands
  Dropped,     ///< left out before its first call, for the budget
  Recalled,    ///< its output is known from an earlier run
  Look,        ///< the cache is asked, or asked on
  Looked,      ///< the cache has answered
  Missed,      ///< nothing is left to look for: it must be called
  Follow,      ///< an identical step is under way
  Hit,         ///< the cache, or the identical step, has its output
};
inline constexpr int kStepEvents = 24;

enum class CellClass : std::uint8_t {
  Legal,
  Refused,  ///< a host can send it; it is answered with an error and changes nothing
  Never,    ///< the machine itself never produces it; meeting one is a fault
};

/// Why a cell is not legal, for traces and error details.
enum class Illegal : std::uint8_t {
  None,
  NoCallYet,
  NotAudited,
  NoVerdictYet,
  AlreadyOver,
  AlreadyReady,
  CallRuns,
  NotThisPhase
};

struct StepCell {
  CellClass kind;
  StepState next;  ///< same state when not legal
  Illegal illegal;
};

/// O(1). Total: defined for every pair.
const StepCell& stepCell(StepState state, StepEvent event);

/// The numbers of states stand in journals: later ones are appended.
constexpr bool settled(StepState state) {
  return state >= StepState::Done && state <= StepState::Cancelled;
}
constexpr bool inCall(StepState state) {
  return state == StepState::Calling || state == StepState::Auditing || state == StepState::Repairing;
}

std::string_view name(StepState state);
std::string_view name(StepEvent event);
std::string_view name(Illegal illegal);

/// Which cells a run has met; tests join many runs and look for holes.
using CellVisits = std::array<std::array<bool, kStepEvents>, kStepStates>;

}  // namespace aetherflow
