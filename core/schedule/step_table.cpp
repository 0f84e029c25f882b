#include "core/schedule/step_table.hpp"

namespace aetherflow {
namespace {

using S = StepState;
constexpr CellClass L = CellClass::Legal;
constexpr CellClass R = CellClass::Refused;
constexpr CellClass N = CellClass::Never;

constexpr StepCell to(S next) {
  return {L, next, Illegal::None};
}
constexpr StepCell no(S same, Illegal why) {
  return {R, same, why};
}
constexpr StepCell never(S same, Illegal why) {
  return {N, same, why};
}

constexpr auto NoCall = Illegal::NoCallYet;
constexpr auto NotAudit = Illegal::NotAudited;
constexpr auto Early = Illegal::NoVerdictYet;
constexpr auto Over = Illegal::AlreadyOver;
constexpr auto Was = Illegal::AlreadyReady;
constexpr auto Runs = Illegal::CallRuns;
constexpr auto Phase = Illegal::NotThisPhase;

// clang-format off
// Rows: states; columns in the order of StepEvent:
//  InputsDone InputLost Dispatched Signal Succeeded SucceededToAudit Violated ViolatedFinal CallFailed CallFailedKeep
//  VerdictPass VerdictIssues VerdictIssuesFinal Cancel
//  Retry GiveUp GiveUpKeep Dropped Recalled
//  Look Looked Missed Follow Hit
constexpr StepCell kTable[kStepStates][kStepEvents] = {
  /* Waiting */ {
    to(S::Ready), to(S::Skipped), never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall),
    never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall),
    never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall), to(S::Cancelled),
    never(S::Waiting, NoCall), never(S::Waiting, NoCall), never(S::Waiting, NoCall), to(S::Skipped), to(S::Done),
    never(S::Waiting, Phase), no(S::Waiting, Phase), never(S::Waiting, Phase), never(S::Waiting, Phase), never(S::Waiting, Phase) },
  /* Ready */ {
    never(S::Ready, Was), never(S::Ready, Was), to(S::Calling), never(S::Ready, NoCall), never(S::Ready, NoCall),
    never(S::Ready, NoCall), never(S::Ready, NoCall), never(S::Ready, NoCall), never(S::Ready, NoCall), never(S::Ready, NoCall),
    no(S::Ready, NotAudit), no(S::Ready, NotAudit), never(S::Ready, NotAudit), to(S::Cancelled),
    never(S::Ready, NoCall), to(S::Failed), never(S::Ready, Phase), to(S::Skipped), to(S::Done),
    to(S::Looking), no(S::Ready, Phase), never(S::Ready, Phase), never(S::Ready, Phase), never(S::Ready, Phase) },
  /* Calling */ {
    never(S::Calling, Was), never(S::Calling, Was), never(S::Calling, Runs), to(S::Calling), to(S::Done),
    to(S::AuditReady), to(S::RepairReady), to(S::Failed), to(S::Failed), never(S::Calling, Phase),
    no(S::Calling, NotAudit), no(S::Calling, NotAudit), never(S::Calling, NotAudit), to(S::Cancelled),
    to(S::Ready), never(S::Calling, Runs), never(S::Calling, Runs), never(S::Calling, Runs), no(S::Calling, Runs),
    never(S::Calling, Phase), no(S::Calling, Phase), never(S::Calling, Phase), never(S::Calling, Phase), never(S::Calling, Phase) },
  /* AuditReady */ {
    never(S::AuditReady, Was), never(S::AuditReady, Was), to(S::Auditing), never(S::AuditReady, Phase), never(S::AuditReady, Phase),
    never(S::AuditReady, Phase), never(S::AuditReady, Phase), never(S::AuditReady, Phase), never(S::AuditReady, Phase), never(S::AuditReady, Phase),
    no(S::AuditReady, NotAudit), no(S::AuditReady, NotAudit), never(S::AuditReady, NotAudit), to(S::Cancelled),
    never(S::AuditReady, Phase), never(S::AuditReady, Phase), to(S::Done), never(S::AuditReady, Phase), no(S::AuditReady, Phase),
    never(S::AuditReady, Phase), no(S::AuditReady, Phase), never(S::AuditReady, Phase), never(S::AuditReady, Phase), never(S::AuditReady, Phase) },
  /* Auditing */ {
    never(S::Auditing, Was), never(S::Auditing, Was), never(S::Auditing, Runs), to(S::Auditing), never(S::Auditing, Phase),
    to(S::Judging), never(S::Auditing, Phase), never(S::Auditing, Phase), never(S::Auditing, Phase), to(S::Done),
    no(S::Auditing, Early), no(S::Auditing, Early), never(S::Auditing, Early), to(S::Cancelled),
    to(S::AuditReady), never(S::Auditing, Runs), never(S::Auditing, Runs), never(S::Auditing, Runs), no(S::Auditing, Runs),
    never(S::Auditing, Phase), no(S::Auditing, Phase), never(S::Auditing, Phase), never(S::Auditing, Phase), never(S::Auditing, Phase) },
  /* Judging */ {
    never(S::Judging, Was), never(S::Judging, Was), never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase),
    never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase),
    to(S::Done), to(S::RepairReady), to(S::Done), to(S::Cancelled),
    never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase), no(S::Judging, Phase),
    never(S::Judging, Phase), no(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase), never(S::Judging, Phase) },
  /* RepairReady */ {
    never(S::RepairReady, Was), never(S::RepairReady, Was), to(S::Repairing), never(S::RepairReady, Phase), never(S::RepairReady, Phase),
    never(S::RepairReady, Phase), never(S::RepairReady, Phase), never(S::RepairReady, Phase), never(S::RepairReady, Phase), never(S::RepairReady, Phase),
    no(S::RepairReady, Phase), no(S::RepairReady, Phase), never(S::RepairReady, Phase), to(S::Cancelled),
    never(S::RepairReady, Phase), to(S::Failed), to(S::Done), never(S::RepairReady, Phase), no(S::RepairReady, Phase),
    never(S::RepairReady, Phase), no(S::RepairReady, Phase), never(S::RepairReady, Phase), never(S::RepairReady, Phase), never(S::RepairReady, Phase) },
  /* Repairing */ {
    never(S::Repairing, Was), never(S::Repairing, Was), never(S::Repairing, Runs), to(S::Repairing), to(S::Done),
    never(S::Repairing, Phase), never(S::Repairing, Phase), to(S::Failed), to(S::Failed), to(S::Done),
    no(S::Repairing, Phase), no(S::Repairing, Phase), never(S::Repairing, Phase), to(S::Cancelled),
    to(S::RepairReady), never(S::Repairing, Runs), never(S::Repairing, Runs), never(S::Repairing, Runs), no(S::Repairing, Runs),
    never(S::Repairing, Phase), no(S::Repairing, Phase), never(S::Repairing, Phase), never(S::Repairing, Phase), never(S::Repairing, Phase) },
  /* Done */ {
    never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over),
    never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over),
    no(S::Done, Over), no(S::Done, Over), never(S::Done, Over), no(S::Done, Over),
    never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over), no(S::Done, Over),
    never(S::Done, Over), no(S::Done, Over), never(S::Done, Over), never(S::Done, Over), never(S::Done, Over) },
  /* Failed */ {
    never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over),
    never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over),
    no(S::Failed, Over), no(S::Failed, Over), never(S::Failed, Over), no(S::Failed, Over),
    never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), no(S::Failed, Over),
    never(S::Failed, Over), no(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over), never(S::Failed, Over) },
  /* Skipped: no call of it ever left; one that was withheld can still be asked about. */ {
    never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over),
    never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over),
    no(S::Skipped, Over), no(S::Skipped, Over), never(S::Skipped, Over), no(S::Skipped, Over),
    never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), no(S::Skipped, Over),
    never(S::Skipped, Over), no(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over), never(S::Skipped, Over) },
  /* Cancelled: its call may still report until the host has closed it; that is counted and changes nothing. */ {
    never(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over), to(S::Cancelled), to(S::Cancelled),
    never(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over), to(S::Cancelled), never(S::Cancelled, Over),
    no(S::Cancelled, Over), no(S::Cancelled, Over), never(S::Cancelled, Over), no(S::Cancelled, Over),
    never(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over), no(S::Cancelled, Over),
    never(S::Cancelled, Over), no(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over), never(S::Cancelled, Over) },
  /* Looking */ {
    never(S::Looking, Was), never(S::Looking, Was), never(S::Looking, NoCall), never(S::Looking, NoCall), never(S::Looking, NoCall),
    never(S::Looking, NoCall), never(S::Looking, NoCall), never(S::Looking, NoCall), never(S::Looking, NoCall), never(S::Looking, NoCall),
    never(S::Looking, NoCall), never(S::Looking, NoCall), never(S::Looking, NoCall), to(S::Cancelled),
    never(S::Looking, NoCall), to(S::Failed), never(S::Looking, Phase), never(S::Looking, Phase), to(S::Done),
    to(S::Looking), to(S::Looking), to(S::Ready), to(S::Following), to(S::Done) },
  /* Following */ {
    never(S::Following, Was), never(S::Following, Was), never(S::Following, NoCall), never(S::Following, NoCall), never(S::Following, NoCall),
    never(S::Following, NoCall), never(S::Following, NoCall), never(S::Following, NoCall), never(S::Following, NoCall), never(S::Following, NoCall),
    never(S::Following, NoCall), never(S::Following, NoCall), never(S::Following, NoCall), to(S::Cancelled),
    never(S::Following, NoCall), to(S::Failed), never(S::Following, Phase), never(S::Following, Phase), to(S::Done),
    to(S::Looking), no(S::Following, Phase), to(S::Ready), never(S::Following, Phase), to(S::Done) },
};
// clang-format on

constexpr std::string_view kStates[] = {"waiting", "ready",        "calling",   "audit_ready", "auditing",
                                        "judging", "repair_ready", "repairing", "done",        "failed",
                                        "skipped", "cancelled",    "looking",   "following"};
constexpr std::string_view kEvents[] = {"inputs_done",
                                        "input_lost",
                                        "dispatched",
                                        "signal",
                                        "succeeded",
                                        "succeeded_to_audit",
                                        "violated",
                                        "violated_final",
                                        "call_failed",
                                        "call_failed_keep",
                                        "verdict_pass",
                                        "verdict_issues",
                                        "verdict_issues_final",
                                        "cancel",
                                        "retry",
                                        "give_up",
                                        "give_up_keep",
                                        "dropped",
                                        "recalled",
                                        "look",
                                        "looked",
                                        "missed",
                                        "follow",
                                        "hit"};
constexpr std::string_view kIllegal[] = {"",
                                         "no call yet",
                                         "the call is no audit",
                                         "the audit has not answered yet",
                                         "the step is already over",
                                         "its inputs were done before",
                                         "a call is running already",
                                         "not in this phase of the step"};

}  // namespace

const StepCell& stepCell(StepState state, StepEvent event) {
  return kTable[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

std::string_view name(StepState state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::string_view name(StepEvent event) {
  return kEvents[static_cast<std::size_t>(event)];
}
std::string_view name(Illegal illegal) {
  return kIllegal[static_cast<std::size_t>(illegal)];
}

}  // namespace aetherflow
