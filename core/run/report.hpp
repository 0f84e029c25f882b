#pragma once
// The report of a run: time, tokens and money, each beside its target. JSON; hosts render it.

#include "core/base/json_writer.hpp"
#include "core/run/run.hpp"

namespace aetherflow {

/// One JSON object; see the type RunReport in bindings/report.ts for every member but `steps`, which a host makes of their numbers
/// (rows.hpp). O(steps + calls log calls).
void writeReport(JsonWriter& json, const Run& run);

/// One step's route: {"id","provider","model","rule","why","alternatives":[…]}. The step must be routed.
void writeRoute(JsonWriter& json, const Run& run, StepIndex step);

/// The chain of steps that decided the makespan, first to last: from the step that ended last, each time the dependency
/// that settled last.
std::vector<StepIndex> criticalPath(const Run& run);

}  // namespace aetherflow
