#pragma once
// Runs a Markdown trace: a plan, options, events in, commands out. The TypeScript twin is
// tests/bindings/trace-runner.ts; both must print the same lines and meet the same command bytes.
//
//   0     > begin            an event at 0 ms, then drain
//   0     >+ plan            an event without a drain
//   0     < call a …         what the drain gave, one line a command
//   0     < wake 500         when the run wants to be looked at again, where it does
//
// Events: plan, bytes N, rest, end, begin, tick, started #, firstToken #, progress # [TOKENS], verdict # pass|issues, checked # pass|fail,
//   prompted # TOKENS        answered by "withheld" when the call must not leave
//   succeeded # [in= cached= out= finish= check=]
//   failed # KIND [in= cached= out= retryAfter= mayRetry=0|1 shown]
//   limitsSeen # WINDOW [limit= remaining= reset=]
//   clock tue 02:00          the wall clock, UTC
//   drafting ID [REASON]     the host's decision on a draft
//   cancelStep ID, cancelRun, recalled ID
//   looked ID [none|exact|semantic|failed key= tokens= usd= ms= score=], stored ID [refused]
//   refused # places|turn|breaker|cooldown|window [WINDOW until=], freed PROVIDER[/MODEL]
//   spent                    prints the money spent, and reserved where there is a budget, in micro-USD
// A block that opens with "trace most" shows the answer limit of every call.

#include <string>
#include <vector>

#include "core/run/run.hpp"

namespace aetherflow::testing {

struct Trace {
  std::string path, title, plan, options;
  std::string parts;               ///< what a step of the plan spreads into
  std::vector<std::string> lines;  ///< of the trace block, as written
  bool showsMost = false;          ///< calls with their answer limits
};

struct TraceResult {
  std::vector<std::string> lines;  ///< events as written, commands as they came
  std::string bytes;               ///< command records of all drains, little-endian float64
  CellVisits visits{};
};

Trace readTrace(const std::string& path);
TraceResult runTrace(const Trace& trace);
/// The trace files, in order; listed by name because the WebAssembly build has no directory listing worth trusting.
std::vector<std::string> traceFiles();
std::string readFile(const std::string& path);
void writeFile(const std::string& path, const std::string& text);

}  // namespace aetherflow::testing
