// Markdown traces, run here natively and, from the same sources, as WebAssembly under node.
//   AETHERFLOW_TRACE_WRITE=1  rewrites the command lines of the traces from what came out: read the diff
//   AETHERFLOW_TRACE_DUMP=DIR writes the command bytes, which the Jest side compares with the bound core's

#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/json_writer.hpp"
#include "trace_runner.hpp"

namespace aetherflow::testing {
namespace {

void rewrite(const Trace& trace, const TraceResult& result) {
  const std::string text = readFile(trace.path);
  const std::size_t from = text.find('\n', text.find("```trace")) + 1;
  std::string out = text.substr(0, from);
  for (const std::string& line : result.lines) out += line + "\n";
  out += text.substr(text.find("```", from));
  writeFile(trace.path, out);
}

TEST(Trace, EveryTraceGivesItsCommands) {
  const std::vector<std::string> files = traceFiles();
  ASSERT_GE(files.size(), 10u);
  for (const std::string& path : files) {
    const Trace trace = readTrace(path);
    ASSERT_FALSE(trace.lines.empty()) << path;
    const TraceResult result = runTrace(trace);
    if (std::getenv("AETHERFLOW_TRACE_WRITE") != nullptr) {
      rewrite(trace, result);
    } else {
      EXPECT_EQ(result.lines, trace.lines) << path << ": " << trace.title;
    }
    if (const char* folder = std::getenv("AETHERFLOW_TRACE_DUMP"))
      writeFile(std::string(folder) + path.substr(path.rfind('/')) + ".bytes", result.bytes);
  }
}

TEST(Trace, EqualEventsGiveEqualBytes) {
  for (const std::string& path : traceFiles()) {
    const Trace trace = readTrace(path);
    EXPECT_EQ(runTrace(trace).bytes, runTrace(trace).bytes) << path;
  }
}

/// The phases that are built, and those of a step that is over or has not begun: main stands for all of them. A call beside a
/// step that has ended meets no working state.
bool isPhase(const Phase& row, int purpose) {
  return row.built && !row.aside() && row.phase == static_cast<Purpose>(purpose);
}

void join(CellVisits& visits, const CellVisits& more) {
  for (int p = 0; p < kPurposes; ++p)
    for (int s = 0; s < kStepStates; ++s)
      for (int e = 0; e < kStepEvents; ++e) {
        // Which phase a step is in matters in the working states alone.
        const int phase = working(static_cast<StepState>(s)) ? p : static_cast<int>(Purpose::Main);
        visits[phase][s][e] = visits[phase][s][e] || more[p][s][e];
      }
}

std::vector<std::string> idsOf(const std::string& plan) {
  static const std::string kId = "\"id\":\"";
  std::vector<std::string> ids;
  for (std::size_t at = plan.find(kId); at != std::string::npos; at = plan.find(kId, at + 1))
    ids.push_back(plan.substr(at + kId.size(), plan.find('"', at + kId.size()) - at - kId.size()));
  return ids;
}

/// The trace with every step that is cancelled, by itself or with the run, ended as not needed instead: what it was doing is the same.
Trace unneededInstead(Trace trace) {
  std::vector<std::string> lines;
  for (const std::string& line : trace.lines) {
    const std::size_t run = line.find("> cancelRun");
    if (run != std::string::npos)
      for (const std::string& id : idsOf(trace.plan))
        lines.push_back(line.substr(0, run) + "> cancelStep " + id + " settled=1");
    else
      lines.push_back(line.find("> cancelStep ") != std::string::npos ? line + " settled=1" : line);
  }
  trace.lines = lines;
  return trace;
}

TEST(Trace, NoCellOfTheAutomatonIsUnvisited) {
  CellVisits visits{};
  for (const std::string& path : traceFiles()) {
    const Trace trace = readTrace(path);
    join(visits, runTrace(trace).visits);
    join(visits, runTrace(unneededInstead(trace)).visits);
  }
  for (int p = 0; p < kPurposes; ++p)
    for (int s = 0; s < kStepStates; ++s)
      for (int e = 0; e < kStepEvents; ++e) {
        const Phase& row = kPhases[p];
        const auto purpose = static_cast<Purpose>(p);
        const auto state = static_cast<StepState>(s);
        const StepCell cell = stepCell(state, static_cast<StepEvent>(e), shapeOf(row, purpose));
        const std::string where = std::string(name(purpose)) + ": " + std::string(name(state)) + " × " +
                                  std::string(name(static_cast<StepEvent>(e)));
        // Cells that nothing can produce must stay empty, and each of them says why.
        const bool possible = isPhase(row, p) && (working(state) || purpose == Purpose::Main);
        EXPECT_EQ(visits[p][s][e], possible && cell.kind != CellClass::Never) << where;
        EXPECT_EQ(cell.illegal == Illegal::None, cell.kind == CellClass::Legal) << where;
        if (cell.kind != CellClass::Legal) {
          EXPECT_EQ(cell.next, state) << where;
        }
      }
}

}  // namespace
}  // namespace aetherflow::testing
