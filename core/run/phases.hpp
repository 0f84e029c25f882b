#pragma once
// What a call of each purpose is to its step, as data: the rows of phases.def. A step goes through phases: its state says
// whether it waits, runs or is judged; its phase says for which purpose.
//
//   main ─ answer holds its constraint ─▶ audit ─ pass ──▶ delivered ◀─ accept, patch ─ verify ◀─ draft
//     └── answer breaks it ─▶ repair ◀─ issues ┘              ▲   ┊                       │        │
//                               └─────────────────────────────┘   ┊ now and then          └ main ◀─┘ reject, failure
//                                                                 canary ─▶ judge

#include <array>
#include <cstdint>

#include "core/base/vocabulary.hpp"
#include "core/prompt/role.hpp"
#include "core/schedule/step_table.hpp"

namespace aetherflow {

enum class PhaseRoute : std::uint8_t { Step, Audit, Draft, Verify, Judge };
enum class PhaseAnswer : std::uint8_t { Shown, Written, Verdict, Aside };
enum class PhaseFailure : std::uint8_t { FailsStep, KeepsFirst, GoesOn, Nothing };
enum class PhaseConstraint : std::uint8_t { Step, Json };
enum class VerdictReader : std::uint8_t { None, Audit, Draft, Canary };

/// No further phase.
inline constexpr Purpose kNoPhase = Purpose::Count;

/// One row; the columns are explained in phases.def.
struct Phase {
  bool built = false;  ///< false: reserved for a later feature
  Purpose phase = kNoPhase;
  PhaseRoute route = PhaseRoute::Step;
  PhaseAnswer answer = PhaseAnswer::Shown;
  PhaseFailure failure = PhaseFailure::FailsStep;
  Purpose next = kNoPhase, onIssues = kNoPhase, onBroken = kNoPhase;
  bool limited = false;
  std::uint32_t expectedTokens = 0, mostTokens = 0;
  PhaseConstraint constraint = PhaseConstraint::Step;
  bool cached = false;
  PromptRole role = PromptRole::Work;
  VerdictReader verdict = VerdictReader::None;
  Reason failedNote = Reason::None;

  constexpr bool judges() const { return answer == PhaseAnswer::Verdict; }
  constexpr bool writesAnswer() const { return answer < PhaseAnswer::Verdict; }
  constexpr bool showsAnswer() const { return answer == PhaseAnswer::Shown; }
  constexpr bool keepsFirst() const { return failure == PhaseFailure::KeepsFirst; }
  constexpr bool goesOn() const { return failure == PhaseFailure::GoesOn; }
  /// Beside a step that has ended: its calls move no step.
  constexpr bool aside() const { return failure == PhaseFailure::Nothing; }
};

/// Which events of the automaton a step in this phase can meet; see PhaseShape in schedule/step_table.hpp.
constexpr PhaseShape shapeOf(const Phase& row, Purpose purpose) {
  unsigned shape = 0;
  if (row.writesAnswer() && !row.goesOn()) shape |= kWritesAnswer | kFailsStep;
  if (row.writesAnswer()) shape |= kAnswers;
  if (row.goesOn()) shape |= kFailsStep;
  if (row.judges()) shape |= kIsJudged;
  if (row.keepsFirst()) shape |= kKeepsFirst;
  if (row.writesAnswer() && (row.next != kNoPhase || row.onBroken != kNoPhase)) shape |= kHasNext;
  if (row.onIssues != kNoPhase) shape |= kHasIssues;
  if (purpose == Purpose::Main) shape |= kIsFirst;
  return static_cast<PhaseShape>(shape);
}

using PhaseTable = std::array<Phase, kPurposes>;

/// The rows of phases.def by purpose.
extern const PhaseTable kPhases;

}  // namespace aetherflow
