#pragma once
// Runs a Markdown trace: a plan, options, events in, commands out. The TypeScript twin is
// tests/bindings/trace-runner.ts; both must print the same lines and meet the same command bytes.
//
//   0     > begin            an event at 0 ms, then drain
//   0     >+ plan            an event without a drain
//   0     < call a …         what the drain gave, one line a command

#include <string>
#include <vector>

#include "core/run/run.hpp"

namespace aetherflow::testing {

struct Trace {
  std::string path, title, plan, options;
  std::vector<std::string> lines;  ///< of the trace block, as written
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
