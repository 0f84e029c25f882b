#include "core/run/purse.hpp"

namespace aetherflow {

bool Purse::fitsRun(const Spend& more, bool optional) const {
  Spend taken = spent_;
  taken += reserved_;
  taken += held_;
  if (optional) taken.usd += planned_;
  return within(run_, taken, more);
}

bool Purse::fitsStep(const StepMoney& step, const Spend& more) const {
  Spend taken = step.spent_;
  taken += step.reserved_;
  taken += step.held_;
  return within(step_, taken, more);
}

void Purse::reserve(CallMoney& call, StepMoney& step, const Spend& more) {
  unplan(step);
  call.reserved_ += more;
  step.reserved_ += more;
  reserved_ += more;
}

Spend Purse::release(CallMoney& call, StepMoney& step) {
  const Spend reserved = call.reserved_;
  step.reserved_ -= reserved;
  reserved_ -= reserved;
  call.reserved_ = {};
  return reserved;
}

Spend Purse::settle(CallMoney& call, StepMoney& step, const Spend& used, bool uncertain) {
  const Spend reserved = release(call, step);
  call.cost_ = used.usd;
  step.spent_ += used;
  spent_ += used;
  if (uncertain) {
    const Spend rest{std::max<MicroUsd>(0, reserved.usd - used.usd),
                     std::max<std::int64_t>(0, reserved.tokens - used.tokens)};
    step.held_ += rest;
    held_ += rest;
  }
  return reserved;
}

}  // namespace aetherflow
