#pragma once
// The report of a run: time, tokens and money, each beside its target. JSON; hosts render it.

#include "core/base/json_writer.hpp"
#include "core/run/run.hpp"

namespace aetherflow {

/// One JSON object; see the type RunReport in bindings/report.ts for every member. O(steps + calls log calls).
void writeReport(JsonWriter& json, const Run& run);

/// One call as it stands in the report, with its number: {"call","purpose",…,"outcome","tokens","costMicroUsd",…}.
void writeCall(JsonWriter& json, const Run& run, CallId call);

/// One step's route: {"id","provider","model","rule","why","alternatives":[…]}. The step must be routed.
void writeRoute(JsonWriter& json, const Run& run, StepIndex step);

/// The chain of steps that decided the makespan, first to last: from the step that ended last, each time the dependency
/// that settled last.
std::vector<StepIndex> criticalPath(const Run& run);

}  // namespace aetherflow
