#include "core/schedule/step_table.hpp"

namespace aetherflow {
namespace {

using S = StepState;
constexpr CellClass R = CellClass::Refused;
constexpr CellClass N = CellClass::Never;

/// A cell of the table. Where the phase lacks what it `needs`, it is `otherwise`: never met, or refused where a host can send it.
struct Cell {
  CellClass kind;
  StepState next;
  Illegal illegal;
  std::uint8_t needs;
  CellClass otherwise;
};

constexpr Cell to(S next, unsigned needs = 0, CellClass otherwise = N) {
  return {CellClass::Legal, next, Illegal::None, static_cast<std::uint8_t>(needs), otherwise};
}
constexpr Cell no(Illegal why, unsigned needs = 0) {
  return {R, S::Waiting, why, static_cast<std::uint8_t>(needs), N};
}
constexpr Cell never(Illegal why) {
  return {N, S::Waiting, why, 0, N};
}

constexpr auto NoCall = Illegal::NoCallYet;
constexpr auto NoVerdict = Illegal::NoVerdictDue;
constexpr auto Over = Illegal::AlreadyOver;
constexpr auto WasReady = Illegal::AlreadyReady;
constexpr auto Runs = Illegal::CallRuns;
constexpr auto NotPhase = Illegal::NotThisPhase;

// clang-format off
// Rows: states; columns in the order of StepEvent. The call of a step that was cancelled, or is not needed, may still report until the host has closed it: that
// is counted and changes nothing.
constexpr Cell kTable[kStepStates][kStepEvents] = {
  /* Waiting */ {
    to(S::Ready), to(S::Skipped), never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall),
    never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall), to(S::Cancelled), never(NoCall),
    never(NoCall), never(NoCall), to(S::Skipped), to(S::Done), never(NotPhase), no(NotPhase), never(NotPhase),
    never(NotPhase), never(NotPhase), to(S::Skipped) },
  /* Ready */ {
    never(WasReady), never(WasReady), to(S::Calling), never(NoCall), never(NoCall), never(NoCall),
    never(NoCall), never(NoCall), never(NoCall), no(NoVerdict), no(NoVerdict), never(NoVerdict),
    to(S::Cancelled), never(NoCall), to(S::Failed, kFailsStep), to(S::Done, kKeepsFirst),
    to(S::Skipped, kIsFirst), to(S::Done, kIsFirst, R), to(S::Looking, kIsFirst), no(NotPhase), never(NotPhase),
    never(NotPhase), never(NotPhase), to(S::Skipped) },
  /* Calling */ {
    never(WasReady), never(WasReady), never(Runs), to(S::Calling), to(S::Done, kWritesAnswer),
    to(S::Ready, kHasNext), to(S::Judging), to(S::Failed, kFailsStep), to(S::Done, kKeepsFirst),
    no(NoVerdict), no(NoVerdict), never(NoVerdict), to(S::Cancelled), to(S::Ready), never(Runs), never(Runs),
    never(Runs), no(Runs), never(NotPhase), no(NotPhase), never(NotPhase), never(NotPhase), never(NotPhase),
    to(S::Skipped) },
  /* Judging */ {
    never(WasReady), never(WasReady), never(NotPhase), never(NotPhase), to(S::Done, kWritesAnswer),
    to(S::Ready, kAnswers | kHasNext), never(NotPhase), to(S::Failed, kAnswers),
    to(S::Done, kWritesAnswer | kKeepsFirst), to(S::Done, kIsJudged), to(S::Ready, kHasIssues),
    to(S::Done, kIsJudged | kKeepsFirst), to(S::Cancelled), never(NotPhase), never(NotPhase), never(NotPhase),
    never(NotPhase), no(NotPhase), never(NotPhase), no(NotPhase), never(NotPhase),
    never(NotPhase), never(NotPhase), to(S::Skipped) },
  /* Done */ {
    never(Over), never(Over), never(Over), never(Over), never(Over), never(Over), never(Over), never(Over),
    never(Over), no(Over), no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), never(Over),
    no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), no(Over) },
  /* Failed */ {
    never(Over), never(Over), never(Over), never(Over), never(Over), never(Over), never(Over), never(Over),
    never(Over), no(Over), no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), never(Over),
    no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), no(Over) },
  /* Skipped */ {
    never(Over), never(Over), never(Over), to(S::Skipped), to(S::Skipped), never(Over), never(Over),
    to(S::Skipped), never(Over), no(Over), no(Over), never(Over), no(Over), never(Over), never(Over), never(Over),
    never(Over), no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), no(Over) },
  /* Cancelled */ {
    never(Over), never(Over), never(Over), to(S::Cancelled), to(S::Cancelled), never(Over), never(Over),
    to(S::Cancelled), never(Over), no(Over), no(Over), never(Over), no(Over), never(Over), never(Over),
    never(Over), never(Over), no(Over), never(Over), no(Over), never(Over), never(Over), never(Over), no(Over) },
  /* Looking */ {
    never(WasReady), never(WasReady), never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall),
    never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall), to(S::Cancelled), never(NoCall),
    to(S::Failed), never(NotPhase), never(NotPhase), to(S::Done), to(S::Looking), to(S::Looking), to(S::Ready),
    to(S::Following), to(S::Done), to(S::Skipped) },
  /* Following */ {
    never(WasReady), never(WasReady), never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall),
    never(NoCall), never(NoCall), never(NoCall), never(NoCall), never(NoCall), to(S::Cancelled), never(NoCall),
    to(S::Failed), never(NotPhase), never(NotPhase), to(S::Done), to(S::Looking), no(NotPhase), to(S::Ready),
    never(NotPhase), to(S::Done), to(S::Skipped) },
};
// clang-format on

constexpr std::string_view kEvents[] = {
    "inputs_done", "input_lost",  "dispatched",       "signal",       "succeeded",    "next",
    "judge",       "call_failed", "call_failed_keep", "verdict_pass", "verdict_next", "verdict_keep",
    "cancel",      "retry",       "give_up",          "give_up_keep", "dropped",      "recalled",
    "look",        "looked",      "missed",           "follow",       "hit",          "unneeded"};
constexpr std::string_view kIllegal[] = {"",
                                         "no call yet",
                                         "no verdict is due",
                                         "the step is already over",
                                         "its inputs were done before",
                                         "a call is running already",
                                         "not in this phase of the step"};

}  // namespace

StepCell stepCell(StepState state, StepEvent event, PhaseShape shape) {
  const Cell& cell = kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
  if ((shape & cell.needs) != cell.needs) return {cell.otherwise, state, Illegal::NotThisPhase};
  return {cell.kind, cell.kind == CellClass::Legal ? cell.next : state, cell.illegal};
}

std::string_view name(StepEvent event) {
  return kEvents[static_cast<std::size_t>(event)];
}
std::string_view name(Illegal illegal) {
  return kIllegal[static_cast<std::size_t>(illegal)];
}

}  // namespace aetherflow
