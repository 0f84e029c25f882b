#include "core/run/purse.hpp"

namespace aetherflow {

Spend Purse::taken(bool optional) const {
  Spend taken = spent_;
  taken += reserved_;
  taken += held_;
  if (optional) taken.usd += planned_;
  return taken;
}

bool Purse::fitsRun(const Spend& more, bool optional) const {
  return within(run_, taken(optional), more);
}

Shortfall Purse::shortfall(const Spend& more, bool optional) const {
  const Spend taken = this->taken(optional);
  if (run_.usd >= 0 && taken.usd + more.usd > run_.usd)
    return {more.usd, std::max<std::int64_t>(0, run_.usd - taken.usd), false};
  return {more.tokens, std::max<std::int64_t>(0, run_.tokens - taken.tokens), true};
}

Spend Purse::rest(const StepMoney& step, bool optional) const {
  const Spend taken = this->taken(optional);
  Spend rest{-1, -1};
  const auto less = [](std::int64_t& rest, std::int64_t ceiling, std::int64_t used) {
    const std::int64_t left = std::max<std::int64_t>(0, ceiling - used);
    if (ceiling >= 0 && (rest < 0 || left < rest)) rest = left;
  };
  less(rest.usd, run_.usd, taken.usd);
  less(rest.tokens, run_.tokens, taken.tokens);
  less(rest.usd, step_.usd, step.spent_.usd + step.reserved_.usd + step.held_.usd);
  less(rest.tokens, step_.tokens, step.spent_.tokens + step.reserved_.tokens + step.held_.tokens);
  return rest;
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
