// The boundary: the only file that knows Emscripten. Three lanes, see README of core:
//   documents  UTF-8 text, written by the caller into input(), read from output()
//   signals    one scalar method per event; commands as one view of float64 records
//   bulk       texts of prompts and answers, through the same two buffers
// No callbacks, no vectors of handles, no view that outlives a call. Every method that can refuse returns 0 or −code.

#include <emscripten/bind.h>

#include <string>

#include "core/prompt/audit.hpp"
#include "core/prompt/tokens.hpp"
#include "core/run/numbers.hpp"
#include "core/run/run.hpp"
#include "core/run/simulate.hpp"

// Embind's library names a type that was never registered by sprintf("%p"), which alone would bring printf's 5 KB into
// the module. The link sends that call here (see CMakeLists.txt): the error then says "?" in place of a number.
extern "C" int __wrap_siprintf(char* to, const char*, ...) {
  to[0] = '?';
  to[1] = '\0';
  return 1;
}

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

  /// Bytes of the document, now in output().
  std::size_t document(int kind, double from) {
    const Document document = oneOf(kind, Document::Error);
    const bool dryRun = document == Document::Explain && run_.begun() && run_.planEnded();
    out_ = dryRun ? explain(run_) : run_.document(document, id(from));
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
  /// output(): system, user, what was stripped as JSON; returns all their bytes, section(0…2) each one's.
  std::size_t promptEnd() {
    const Prompt& prompt = run_.promptEnd();
    const std::string stripped = removalsJson(prompt);
    out_ = prompt.system;
    out_ += prompt.user;
    out_ += stripped;
    sections_[0] = prompt.system.size();
    sections_[1] = prompt.user.size();
    sections_[2] = stripped.size();
    return out_.size();
  }
  std::size_t section(int index) const { return index >= 0 && index < 3 ? sections_[index] : 0; }

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

  Run run_;
  std::string in_, out_;
  std::size_t sections_[3] = {0, 0, 0};
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

EMSCRIPTEN_BINDINGS(aetherflow) {
  using namespace emscripten;
  class_<Session>("Session")
      .constructor<>()
      .function("input", &Session::input)
      .function("output", &Session::output)
      .function("planBytes", &Session::planBytes)
      .function("planEnd", &Session::planEnd)
      .function("begin", &Session::begin)
      .function("values", &Session::values)
      .function("signal", &Session::signal)
      .function("drain", &Session::drain)
      .function("commands", &Session::commands)
      .function("nextWake", &Session::nextWake)
      .function("cost", &Session::cost)
      .function("document", &Session::document)
      .function("table", &Session::table)
      .function("promptBegin", &Session::promptBegin)
      .function("promptFile", &Session::promptFile)
      .function("promptDependency", &Session::promptDependency)
      .function("promptAnswer", &Session::promptAnswer)
      .function("promptEnd", &Session::promptEnd)
      .function("section", &Session::section)
      .function("check", &Session::check)
      .function("audit", &Session::audit)
      .function("mostTokens", &Session::mostTokens)
      .function("estimate", &Session::estimate);
}

}  // namespace aetherflow
