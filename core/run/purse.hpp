#pragma once
// The money and tokens of a run: the only place where they change. Each call reserves its worst case before it leaves and is
// settled with what it used when it has ended, so spent, reserved and held together never exceed a ceiling.
//
//   reserve ──▶ [grow] ──▶ settle(used)                 the rest comes back
//                    └───▶ settle(estimated, failed)    the rest is held: the true cost will never be known
//                    └───▶ release                      it never left

#include <algorithm>

#include "core/limit/budget.hpp"

namespace aetherflow {

/// Of one call.
class CallMoney {
 public:
  const Spend& reserved() const { return reserved_; }  ///< zero once it has ended
  MicroUsd cost() const { return cost_; }              ///< zero until it has ended

 private:
  friend class Purse;
  Spend reserved_;
  MicroUsd cost_ = 0;
};

/// Of one step.
class StepMoney {
 public:
  const Spend& spent() const { return spent_; }
  const Spend& reserved() const { return reserved_; }

 private:
  friend class Purse;
  Spend spent_, reserved_;
  Spend held_;            ///< what its calls may have cost beyond `spent_`: never reported by their providers
  MicroUsd planned_ = 0;  ///< kept back for it from optional steps
};

/// What a call lacks: micro-USD, or tokens where the token ceiling is the one that stops it.
struct Shortfall {
  std::int64_t needed = 0, left = 0;
  bool ofTokens = false;
};

class Purse {
 public:
  /// A ceiling that is not set limits nothing.
  void open(const Ceiling& run, const Ceiling& step, const Ceiling& attempt) {
    run_ = run;
    step_ = step;
    attempt_ = attempt;
  }

  /// Keeps the expected cost of a step back from optional ones, until it starts or is over.
  void plan(StepMoney& step, MicroUsd expected) {
    step.planned_ += expected;
    planned_ += expected;
  }
  void unplan(StepMoney& step) {
    planned_ -= step.planned_;
    step.planned_ = 0;
  }

  /// Whether the run may reserve `more`. Optional steps may not spend what the others are expected to need.
  bool fitsRun(const Spend& more, bool optional) const;
  /// What a call that does not fit would need, and what the run has left.
  Shortfall shortfall(const Spend& more, bool optional) const;
  /// What remains under the run's and the step's ceilings; -1: no ceiling.
  Spend rest(const StepMoney& step, bool optional) const;
  bool fitsStep(const StepMoney& step, const Spend& more) const;
  /// `call`: the one that takes more, absent for a new one.
  bool fitsAttempt(const Spend& more, const CallMoney* call = nullptr) const {
    return within(attempt_, call == nullptr ? Spend{} : call->reserved_, more);
  }
  const Ceiling& attempt() const { return attempt_; }
  /// Whether anything is limited at all: prompts then have to be estimated before their call.
  bool limits() const { return run_.any() || step_.any() || attempt_.any(); }

  /// Reserves for a new call, or `more` for one that has not left yet.
  void reserve(CallMoney& call, StepMoney& step, const Spend& more);
  /// The call never left. Gives back what was reserved, which is returned.
  Spend release(CallMoney& call, StepMoney& step);
  /// The call has ended and used that much. `uncertain`: an estimate of a failed call; the rest of its reservation stays set
  /// against the ceilings. Returns what was reserved.
  Spend settle(CallMoney& call, StepMoney& step, const Spend& used, bool uncertain);

  const Spend& spent() const { return spent_; }
  const Spend& reserved() const { return reserved_; }
  /// What failed calls may have cost beyond their estimate: counts against the ceilings, not as spent.
  const Spend& held() const { return held_; }
  /// No running call can give anything back.
  bool nothingReserved() const { return reserved_.usd == 0 && reserved_.tokens == 0; }

 private:
  Spend taken(bool optional) const;

  Ceiling run_, step_, attempt_;
  Spend spent_, reserved_, held_;
  MicroUsd planned_ = 0;
};

}  // namespace aetherflow
