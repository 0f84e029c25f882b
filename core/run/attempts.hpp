#pragma once
// What follows a failed call: the only place that decides on retry, fallback, restart and giving up. Pure functions: the time is
// an argument, and they change nothing.

#include "core/base/rng.hpp"
#include "core/route/policy.hpp"
#include "core/run/event.hpp"
#include "core/run/state.hpp"

namespace aetherflow {

/// What is known when a call has failed.
struct Failing {
  const StepRecord& step;
  const CallRecord& call;
  const Policy& policy;
  TimeMs now = 0;
  Interrupt interrupt = Interrupt::Restart;  ///< after a stream that broke
  bool judges = false;                       ///< the call's purpose gives a verdict
  bool others = false;                       ///< other models may take the phase
  bool canWiden = false;                     ///< a higher answer limit is available
  bool closed = false;                       ///< the run no longer starts anything
  bool patient = true;                       ///< the phase may still wait as long as its provider asks
};

/// What a failed call leads to.
struct Again {
  bool again = false;      ///< another call of the same phase
  bool elsewhere = false;  ///< not at this model
  bool relax = false;      ///< with a looser output constraint
  bool widen = false;      ///< with a higher answer limit
  bool atOnce = false;     ///< without a back-off of its own
  bool free = false;       ///< does not count as an attempt
  bool unknown = false;    ///< elsewhere because the reason of the refusal is unknown
};

/// `cut`: the answer reached its limit of tokens.
Again decide(const Failing& failing, const Failed& event, bool cut);

/// Doubles from the base to the cap, × 0.8–1.2, so that calls that failed together do not come back together.
std::int64_t backOffMs(const Policy& policy, std::uint32_t tries, Rng& rng);

}  // namespace aetherflow
