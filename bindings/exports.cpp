// The boundary of the run's module. Three lanes, see README of core:
//   documents  UTF-8 text, written by the caller into input(), read from output()
//   signals    one scalar method per event; commands, and what is told of calls, steps and prompts, as views of float64 records
//   bulk       texts of prompts and answers, through the same two buffers
// No callbacks, no vectors of handles, no view that outlives a call. Every method that can refuse returns 0 or −code.
//
// All that crosses is numbers, so these are plain exports (session.ts makes a class of them): Embind, with its names of types and its
// conversions, weighs 9 KB of gzip in a module and its glue.

#include <emscripten/emscripten.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/prompt/audit.hpp"
#include "core/prompt/tokens.hpp"
#include "core/run/numbers.hpp"
#include "core/run/rows.hpp"
#include "core/run/run.hpp"
#include "core/run/simulate.hpp"

namespace aetherflow {
namespace {

class Session {
 public:
  /// Room for `bytes` of input; the address is valid until the next call of input(). Grows, never shrinks.
  std::uintptr_t input(std::size_t bytes) {
    if (in_.size() < bytes) in_.resize(bytes);
    return reinterpret_cast<std::uintptr_t>(in_.data());
  }
  std::uintptr_t output() const { return reinterpret_cast<std::uintptr_t>(out_.data()); }

  /// The built-in table, for all sessions of the module; before the first `begin`.
  void table(std::size_t bytes);
  int planBytes(std::size_t bytes, double now) { return code(run_.planBytes(text(0, bytes), whole(now))); }
  int planEnd(double now) { return code(run_.planEnd(whole(now))); }
  int begin(std::size_t bytes, double now) { return code(run_.begin(text(0, bytes), whole(now))); }
  /// Room for the numbers of one signal; valid until memory grows.
  std::uintptr_t values() const { return reinterpret_cast<std::uintptr_t>(values_); }
  /// An event by its kind, its numbers in values(). 1: the call of a `prompted` must not leave.
  int signal(int kind, double now) {
    const ErrorCode refused = run_.signal(static_cast<EventKind>(kind), values_, whole(now));
    if (refused != ErrorCode::None) return code(refused);
    return static_cast<EventKind>(kind) == EventKind::Prompted && run_.withheld() ? 1 : 0;
  }

  /// Number of records; their address by commands(), valid until the next call of any method.
  double drain() {
    handedOut_ = &run_.drain();
    return static_cast<double>(handedOut_->count());
  }
  std::uintptr_t commands() const { return reinterpret_cast<std::uintptr_t>(handedOut_->data()); }
  /// ms, or −1 when only an event can move the run.
  double nextWake() const { return run_.nextWake() == kNever ? -1 : static_cast<double>(run_.nextWake()); }
  /// Micro-USD so far: of one step, or of the run for −1.
  double cost(double step) const {
    if (step < 0) return static_cast<double>(run_.purse().spent().usd);
    return id(step) < run_.steps().size() ? static_cast<double>(run_.steps()[id(step)].money.spent().usd) : 0;
  }

  /// Bytes of the document, now in output(). `most`: of a list; negative: all of it.
  std::size_t document(int kind, double from, double most) {
    const Document document = oneOf(kind, Document::Error);
    const bool dryRun = document == Document::Explain && run_.begun() && run_.planEnded();
    out_ = dryRun ? explain(run_) : run_.document(document, id(from), id(most));
    return out_.size();
  }

  /// Of a call; where that is −1, of a look for a step at a provider. Returns a LEVEL: how the provider can enforce the output.
  int promptBegin(double call, double step, double provider) {
    const ErrorCode refused =
        call < 0 ? run_.promptToLook(id(step), static_cast<ProviderIndex>(provider)) : run_.promptBegin(id(call));
    return refused != ErrorCode::None ? code(refused) : static_cast<int>(run_.promptLevel());
  }
  /// input(): the path, then the text.
  int promptFile(std::size_t pathBytes, std::size_t textBytes) {
    return code(run_.promptFile(text(0, pathBytes), text(pathBytes, textBytes)));
  }
  int promptDependency(double step, std::size_t bytes) { return code(run_.promptDependency(id(step), text(0, bytes))); }
  int promptAnswer(std::size_t answerBytes, std::size_t issuesBytes) {
    return code(run_.promptAnswer(text(0, answerBytes), text(answerBytes, issuesBytes)));
  }
  /// output(): system, then user; section(0), section(1) each one's bytes. rows(): a PROMPT_ROW.
  std::size_t promptEnd() {
    const Prompt& prompt = run_.promptEnd();
    out_ = prompt.system;
    out_ += prompt.user;
    sections_[0] = prompt.system.size();
    sections_[1] = prompt.user.size();
    rows_.resize(kPromptRow);
    writePromptRow(prompt, rows_.data());
    return out_.size();
  }
  std::size_t section(int index) const { return index >= 0 && index < 2 ? sections_[index] : 0; }

  /// Number of rows that are now in rows(), from this one: CALL_ROWs, STEP_ROWs. At most `most`.
  double callRows(double from, double most) { return rows(run_.calls().size(), from, most, kCallRow, writeCallRow); }
  double stepRows(double from, double most) { return rows(run_.steps().size(), from, most, kStepRow, writeStepRow); }
  /// Valid until the next call of promptEnd, callRows or stepRows.
  std::uintptr_t rows() const { return reinterpret_cast<std::uintptr_t>(rows_.data()); }

  /// Verdict number; output(): the answer as it will be delivered, then why it was refused: section(0), section(1).
  int check(double step, std::size_t bytes) {
    Checked checked = run_.check(id(step), text(0, bytes));
    sections_[0] = checked.text.size();
    sections_[1] = checked.why.size();
    out_ = std::move(checked.text);
    out_ += checked.why;
    return static_cast<int>(checked.verdict);
  }
  /// A VERDICT: pass, issues or unclear; output(): the issues, one a line, section(0) bytes.
  int audit(std::size_t bytes) {
    const AuditResult result = readAudit(text(0, bytes));
    out_.clear();
    for (const std::string& issue : result.issues) out_ += "- " + issue + "\n";
    sections_[0] = out_.size();
    return static_cast<int>(!result.understood ? Verdict::Unclear : result.pass ? Verdict::Pass : Verdict::Issues);
  }
  /// Tokens that a call may use at most: what the shared limits are asked for.
  double mostTokens(double call) const { return static_cast<double>(run_.mostTokens(id(call))); }
  double estimate(std::size_t bytes) const { return estimateTokens(text(0, bytes)); }

 private:
  std::string_view text(std::size_t from, std::size_t bytes) const {
    if (from > in_.size() || bytes > in_.size() - from) return {};
    return std::string_view(in_).substr(from, bytes);
  }
  static int code(ErrorCode error) { return -static_cast<int>(error); }
  double rows(std::size_t all, double from, double most, std::size_t stride,
              void (*write)(const Run&, std::uint32_t, double*)) {
    const std::size_t first = id(from);
    const std::size_t number = first < all ? std::min<std::size_t>(all - first, aetherflow::count(most)) : 0;
    rows_.resize(number * stride);
    for (std::size_t i = 0; i < number; ++i) write(run_, static_cast<std::uint32_t>(first + i), &rows_[i * stride]);
    return static_cast<double>(number);
  }

  Run run_;
  std::string in_, out_;
  std::size_t sections_[2] = {0, 0};
  std::vector<double> rows_;
  const CommandBuffer* handedOut_ = nullptr;
  double values_[kSignalValues] = {};
};

/// What the hosts of this module have and it has not: see core/route/default_table.cpp. Never freed.
std::string* given = nullptr;

void Session::table(std::size_t bytes) {
  if (given == nullptr) given = new std::string(text(0, bytes));
}

}  // namespace

std::string_view defaultTableJson() {
  return given == nullptr ? std::string_view("{}") : *given;
}

}  // namespace aetherflow

// Every function `session_<method>` takes the session first, then at most three numbers: see session.ts.
using aetherflow::Session;
// clang-format off
#define EXPORTED extern "C" EMSCRIPTEN_KEEPALIVE

EXPORTED Session* session_open() { return new Session(); }
EXPORTED void session_delete(Session* s) { delete s; }
EXPORTED std::uintptr_t session_input(Session* s, std::size_t bytes) { return s->input(bytes); }
EXPORTED std::uintptr_t session_output(Session* s) { return s->output(); }
EXPORTED int session_planBytes(Session* s, std::size_t bytes, double now) { return s->planBytes(bytes, now); }
EXPORTED int session_planEnd(Session* s, double now) { return s->planEnd(now); }
EXPORTED int session_begin(Session* s, std::size_t bytes, double now) { return s->begin(bytes, now); }
EXPORTED std::uintptr_t session_values(Session* s) { return s->values(); }
EXPORTED int session_signal(Session* s, int kind, double now) { return s->signal(kind, now); }
EXPORTED double session_drain(Session* s) { return s->drain(); }
EXPORTED std::uintptr_t session_commands(Session* s) { return s->commands(); }
EXPORTED double session_nextWake(Session* s) { return s->nextWake(); }
EXPORTED double session_cost(Session* s, double step) { return s->cost(step); }
EXPORTED std::size_t session_document(Session* s, int kind, double from, double most) { return s->document(kind, from, most); }
EXPORTED void session_table(Session* s, std::size_t bytes) { return s->table(bytes); }
EXPORTED int session_promptBegin(Session* s, double call, double step, double provider) { return s->promptBegin(call, step, provider); }
EXPORTED int session_promptFile(Session* s, std::size_t pathBytes, std::size_t textBytes) { return s->promptFile(pathBytes, textBytes); }
EXPORTED int session_promptDependency(Session* s, double step, std::size_t bytes) { return s->promptDependency(step, bytes); }
EXPORTED int session_promptAnswer(Session* s, std::size_t answerBytes, std::size_t issuesBytes) { return s->promptAnswer(answerBytes, issuesBytes); }
EXPORTED std::size_t session_promptEnd(Session* s) { return s->promptEnd(); }
EXPORTED std::size_t session_section(Session* s, int index) { return s->section(index); }
EXPORTED double session_callRows(Session* s, double from, double most) { return s->callRows(from, most); }
EXPORTED double session_stepRows(Session* s, double from, double most) { return s->stepRows(from, most); }
EXPORTED std::uintptr_t session_rows(Session* s) { return s->rows(); }
EXPORTED int session_check(Session* s, double step, std::size_t bytes) { return s->check(step, bytes); }
EXPORTED int session_audit(Session* s, std::size_t bytes) { return s->audit(bytes); }
EXPORTED double session_mostTokens(Session* s, double call) { return s->mostTokens(call); }
EXPORTED double session_estimate(Session* s, std::size_t bytes) { return s->estimate(bytes); }
// clang-format on
