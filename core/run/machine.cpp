#include "core/run/machine.hpp"

namespace aetherflow {

Machine::Machine(PlanLimits limits, const PhaseTable& phases) : phases_(phases), reader_(limits) {}

ErrorCode Machine::refuse(ErrorCode code, std::string where, std::string detail) {
  error_ = {code, std::move(where), std::move(detail)};
  return code;
}

ErrorCode Machine::unknown(ErrorCode code, const char* what, std::uint32_t number) {
  return refuse(code, "", "there is no " + std::string(what) + std::to_string(number));
}

/// Every event passes here first.
ErrorCode Machine::timed(TimeMs now) {
  if (now < now_)
    return refuse(ErrorCode::RunTimeBackwards, "",
                  "event at " + std::to_string(now) + " ms after one at " + std::to_string(now_) + " ms");
  now_ = now;
  return ErrorCode::None;
}

ErrorCode Machine::tick(TimeMs now) {
  return timed(now);
}

const CommandBuffer& Machine::drain() {
  if (begun_ && !finished_) {
    fireTimers();
    asides();
    dispatch();
    finishIfOver();
  }
  return notes_.take();
}

void Machine::finishIfOver() {
  const bool planKnown = planEnded_ || refused_;
  if (!planKnown || unsettled_ > 0 || liveCalls_ > 0) return;
  outcome_ = Outcome::Ok;
  for (StepIndex i = 0; i < steps_.size(); ++i)
    if (!endedWell(i) && steps_[i].reason != Reason::Unmet) outcome_ = Outcome::StepsFailed;
  if (budgetStopped_) outcome_ = Outcome::BudgetExhausted;
  if (cancelled_) outcome_ = Outcome::Cancelled;
  if (refused_) outcome_ = Outcome::PlanInvalid;
  finished_ = true;
  notes_.finish(outcome_, now_);
}

}  // namespace aetherflow
