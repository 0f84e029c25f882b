#include "trace_runner.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace aetherflow::testing {
namespace {

std::vector<std::string> words(const std::string& line) {
  std::vector<std::string> found;
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t from = line.find_first_not_of(' ', at);
    if (from == std::string::npos) break;
    const std::size_t to = std::min(line.find(' ', from), line.size());
    found.push_back(line.substr(from, to - from));
    at = to;
  }
  return found;
}

/// "in=12" among the words, as a number.
long number(const std::vector<std::string>& words, const std::string& key, long fallback) {
  for (const std::string& word : words)
    if (word.rfind(key + "=", 0) == 0) return std::atol(word.c_str() + key.size() + 1);
  return fallback;
}

template <class E>
E named(const std::vector<std::string>& words, const std::string& key, E fallback) {
  for (const std::string& word : words)
    for (int i = 0; i < static_cast<int>(E::Count); ++i)
      if (word == key + std::string(name(static_cast<E>(i)))) return static_cast<E>(i);
  return fallback;
}

/// Commands in the words of the traces.
std::string describe(const Run& run, const double* record) {
  const auto kind = static_cast<CommandKind>(static_cast<int>(record[0]));
  const auto field = [&](CommandField f) { return static_cast<long long>(get(record, f)); };
  std::string line(name(kind));
  if (field(CommandField::Step) >= 0) line += " " + run.plan().steps[field(CommandField::Step)].id;
  if (kind == CommandKind::Note) line += " " + std::string(name(static_cast<Reason>(field(CommandField::Reason))));
  if (kind == CommandKind::Finish) return line + " " + std::string(name(static_cast<Outcome>(field(CommandField::A))));
  if (field(CommandField::Call) >= 0) line += " #" + std::to_string(field(CommandField::Call));
  if (kind == CommandKind::Call)
    line += " " + std::string(name(static_cast<Purpose>(field(CommandField::Purpose)))) + " " +
            run.table().providers[field(CommandField::Provider)].id;
  if (kind == CommandKind::Cancel) line += " " + std::string(name(static_cast<Reason>(field(CommandField::Reason))));
  return line;
}

class Player {
 public:
  explicit Player(const Trace& trace) : trace_(trace) {}

  TraceResult play() {
    for (const std::string& line : trace_.lines) {
      const std::vector<std::string> parts = words(line);
      if (parts.size() < 3 || parts[1][0] != '>') continue;
      result_.lines.push_back(line);
      now_ = std::atol(parts[0].c_str());
      const ErrorCode code = event(parts);
      if (code != ErrorCode::None) say("error " + std::string(codeName(code)));
      if (parts[1] == ">") drain();
    }
    result_.visits = run_.visits();
    return result_;
  }

 private:
  void say(const std::string& text) {
    std::string at = std::to_string(now_);
    at.resize(std::max<std::size_t>(at.size(), 5), ' ');
    result_.lines.push_back(at + " < " + text);
  }

  void drain() {
    const CommandBuffer& commands = run_.drain();
    for (std::size_t i = 0; i < commands.count(); ++i) say(describe(run_, commands.data() + i * kCommandStride));
    result_.bytes.append(reinterpret_cast<const char*>(commands.data()),
                         commands.count() * kCommandStride * sizeof(double));
  }

  ErrorCode event(const std::vector<std::string>& w) {
    const std::string& what = w[2];
    const std::string arg = w.size() > 3 ? w[3] : "";
    const auto call = static_cast<CallId>(std::atol(arg.c_str()));
    if (what == "plan") {
      const ErrorCode code = run_.planBytes(trace_.plan, now_);
      const ErrorCode end = run_.planEnd(now_);
      return code != ErrorCode::None ? code : end;
    }
    if (what == "bytes") {
      const std::string_view piece = std::string_view(trace_.plan).substr(fed_, std::atol(arg.c_str()));
      fed_ += piece.size();
      return run_.planBytes(piece, now_);
    }
    if (what == "rest") return run_.planBytes(std::string_view(trace_.plan).substr(fed_), now_);
    if (what == "end") return run_.planEnd(now_);
    if (what == "begin") return run_.begin(trace_.options, now_);
    if (what == "tick") return run_.tick(now_);
    if (what == "started") return run_.started({call, 1, 3}, now_);
    if (what == "firstToken") return run_.firstToken(call, now_);
    if (what == "progress") return run_.progress(call, 7, now_);
    if (what == "verdict") return run_.verdict(call, w.size() > 4 && w[4] == "pass", now_);
    if (what == "cancelRun") return run_.cancelRun(now_);
    if (what == "cancelStep") return run_.cancelStep(stepOf(arg), now_);
    if (what == "succeeded") {
      Succeeded event;
      event.call = call;
      event.tokens = {static_cast<std::uint32_t>(number(w, "in", 0)), 0,
                      static_cast<std::uint32_t>(number(w, "out", 0)), 0};
      event.finish = named(w, "finish=", FinishReason::Stop);
      event.verdict = named(w, "check=", CheckVerdict::Passed);
      return run_.succeeded(event, now_);
    }
    if (what == "failed") {
      Failed event;
      event.call = call;
      event.kind = named(w, "", FailureKind::ServerError);
      return run_.failed(event, now_);
    }
    say("? unknown event " + what);
    return ErrorCode::None;
  }

  StepIndex stepOf(const std::string& id) const {
    const auto found = run_.plan().byId.find(id);
    return found == run_.plan().byId.end() ? kNone : found->second;
  }

  const Trace& trace_;
  Run run_;
  TraceResult result_;
  TimeMs now_ = 0;
  std::size_t fed_ = 0;
};

}  // namespace

std::string readFile(const std::string& path) {
  std::string text;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return text;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, n);
  std::fclose(file);
  return text;
}

void writeFile(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
}

Trace readTrace(const std::string& path) {
  Trace trace;
  trace.path = path;
  const std::string text = readFile(path);
  std::string block;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.rfind("# ", 0) == 0 && trace.title.empty()) trace.title = line.substr(2);
    if (line.rfind("```", 0) == 0) {
      block = block.empty() ? line.substr(3) : "";
      continue;
    }
    if (block == "plan") trace.plan += line + "\n";
    if (block == "options") trace.options += line + "\n";
    if (block == "trace" && !line.empty()) trace.lines.push_back(line);
  }
  return trace;
}

TraceResult runTrace(const Trace& trace) {
  return Player(trace).play();
}

std::vector<std::string> traceFiles() {
  std::vector<std::string> paths;
  const std::string folder = std::string(AETHERFLOW_ROOT) + "/tests/traces/";
  const std::string list = readFile(folder + "list.txt");
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find('\n', at), list.size());
    if (end > at) paths.push_back(folder + list.substr(at, end - at));
    at = end + 1;
  }
  return paths;
}

}  // namespace aetherflow::testing
