#pragma once
// A host on a virtual clock: it answers every command of a run by durations instead of calls. `explain`, the scheduling
// benches and the property tests are this and the same machine that runs for real.

#include <string>

#include "core/run/run.hpp"

namespace aetherflow {

/// What a simulated call comes to. The default: the model's planning estimate, the step's expected tokens, success.
struct SimulatedCall {
  std::int64_t firstTokenMs = 0;
  std::int64_t totalMs = 0;
  TokenCounts tokens;
  bool fails = false;
  bool auditPasses = true;
};

/// Called once per `call` command with its record; borrowed for the call.
using SimulatedCallOf = SimulatedCall (*)(const Run&, const CallRecord&);

/// The planning estimate of a call: duration and answer tokens from the table, prompt tokens from the texts that are known.
SimulatedCall estimatedCall(const Run& run, const CallRecord& call);

/// Drives a run that has begun, and whose plan has ended, to its finish. Returns the last time.
TimeMs simulate(Run& run, SimulatedCallOf callOf = estimatedCall);

/// Simulates the run and writes {"virtual","costMicroUsd":{…},"report":{…}}: the dry run. The run's own rows are then its steps.
std::string explain(Run& run);

}  // namespace aetherflow
