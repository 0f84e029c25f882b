#include "core/run/run.hpp"

namespace aetherflow {

Run::Run(PlanLimits limits) : reader_(limits) {}

ErrorCode Run::refuse(ErrorCode code, std::string where, std::string detail) {
  error_ = {code, std::move(where), std::move(detail)};
  return code;
}

ErrorCode Run::unknown(ErrorCode code, const char* what, std::uint32_t number) {
  return refuse(code, "", "there is no " + std::string(what) + std::to_string(number));
}

/// Every event passes here first.
ErrorCode Run::timed(TimeMs now) {
  if (now < now_)
    return refuse(ErrorCode::RunTimeBackwards, "",
                  "event at " + std::to_string(now) + " ms after one at " + std::to_string(now_) + " ms");
  now_ = now;
  return ErrorCode::None;
}

double* Run::command(CommandKind kind, StepIndex step, Target target) {
  double* record = commands_.add(kind);
  set(record, CommandField::Step, step);
  set(record, CommandField::Provider, target.provider);
  set(record, CommandField::Model, target.model);
  return record;
}

double* Run::note(Reason reason, StepIndex step) {
  double* record = commands_.add(CommandKind::Note);
  set(record, CommandField::Step, step == kNone ? -1.0 : static_cast<double>(step));
  set(record, CommandField::Reason, static_cast<double>(reason));
  return record;
}

double* Run::note(Reason reason, StepIndex step, Target target) {
  double* record = command(CommandKind::Note, step, target);
  set(record, CommandField::Reason, static_cast<double>(reason));
  return record;
}

ErrorCode Run::tick(TimeMs now) {
  return timed(now);
}

const CommandBuffer& Run::drain() {
  if (begun_ && !finished_) {
    fireTimers();
    dispatch();
    finishIfOver();
  }
  // Two buffers: what was handed out stays valid while the host's first reactions already add to the other.
  handedOut_.clear();
  std::swap(handedOut_, commands_);
  return handedOut_;
}

void Run::finishIfOver() {
  const bool planKnown = planEnded_ || refused_;
  if (!planKnown || unsettled_ > 0 || liveCalls_ > 0) return;
  outcome_ = Outcome::Ok;
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i].state != StepState::Done && !plan().steps[i].optional) outcome_ = Outcome::StepsFailed;
  if (budgetStopped_) outcome_ = Outcome::BudgetExhausted;
  if (cancelled_) outcome_ = Outcome::Cancelled;
  if (refused_) outcome_ = Outcome::PlanInvalid;
  finished_ = true;
  double* record = commands_.add(CommandKind::Finish);
  set(record, CommandField::A, static_cast<double>(outcome_));
  set(record, CommandField::At, static_cast<double>(now_));
}

}  // namespace aetherflow
