#include "trace_runner.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace aetherflow::testing {
namespace {

using Field = CommandField;

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

bool has(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// "tue", "02:00": ms since 1970 of that hour in its first whole week; prices at peak depend on the weekday alone.
std::int64_t epochMs(const std::string& day, const std::string& hour) {
  static constexpr std::string_view kDays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto found = std::find(std::begin(kDays), std::end(kDays), day) - std::begin(kDays);
  const std::int64_t minutes = std::atol(hour.c_str()) * 60 + std::atol(hour.c_str() + hour.find(':') + 1);
  return (found + 4) * 86'400'000 + minutes * 60'000;  // 5 January 1970 was a Monday
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
    for (std::size_t i = 0; i < commands.count(); ++i) say(describe(commands.data() + i * kCommandStride));
    result_.bytes.append(reinterpret_cast<const char*>(commands.data()),
                         commands.count() * kCommandStride * sizeof(double));
    if (run_.nextWake() != kNever) say("wake " + std::to_string(run_.nextWake()));
  }

  /// A command in the words of the traces.
  std::string describe(const double* record) const {
    const auto kind = static_cast<CommandKind>(static_cast<int>(get(record, Field::Kind)));
    const auto field = [&](Field f) { return static_cast<long long>(get(record, f)); };
    const auto text = [&](Field f) { return std::to_string(field(f)); };
    std::string line(name(kind));
    if (field(Field::Step) >= 0) line += " " + run_.plan().steps[field(Field::Step)].id;
    if (kind == CommandKind::Note) line += word<Reason>(record, Field::NoteReason);
    if (kind == CommandKind::Finish) return line + word<Outcome>(record, Field::FinishOutcome);
    if (field(Field::Call) >= 0) line += " #" + text(Field::Call);
    if (kind == CommandKind::Note) line += numbers(record);
    if (kind == CommandKind::Call) {
      line += word<Purpose>(record, Field::CallPurpose) + " " + target(record);
      if (trace_.showsMost) line += " most=" + text(Field::CallMaxTokens);
      if (field(Field::CallReason) >= 0) line += word<Reason>(record, Field::CallReason);
    }
    if (kind == CommandKind::Cancel) line += word<Reason>(record, Field::CancelReason);
    if (kind == CommandKind::Deliver) line += origin(record);
    if (kind == CommandKind::Look)
      line += " " + target(record) + word<CacheUse>(record, Field::LookUse) + " rank=" + text(Field::LookRank);
    if (kind == CommandKind::Store)
      line += " " + target(record) + " tokens=" + text(Field::StoreTokens) + " usd=" + text(Field::StoreMicroUsd) +
              " ms=" + text(Field::StoreMs);
    return line;
  }

  template <class E>
  static std::string word(const double* record, Field field) {
    return " " + std::string(name(static_cast<E>(static_cast<int>(get(record, field)))));
  }

  /// Of an output that no call of the step made.
  std::string origin(const double* record) const {
    const auto text = [&](Field f) { return std::to_string(static_cast<long long>(get(record, f))); };
    const auto from = static_cast<Origin>(static_cast<int>(get(record, Field::DeliverOrigin)));
    if (from == Origin::Called || from == Origin::Repaired) return "";
    std::string line = word<Origin>(record, Field::DeliverOrigin);
    if (from == Origin::Recalled || from == Origin::Joined) return line;
    const double leader = get(record, Field::DeliverFrom);
    line += from == Origin::Shared ? " of " + run_.plan().steps[static_cast<std::size_t>(leader)].id
                                   : " score=" + text(Field::DeliverScore);
    return line + " tokens=" + text(Field::DeliverSavedTokens) + " usd=" + text(Field::DeliverSavedMicroUsd) +
           " ms=" + text(Field::DeliverSavedMs);
  }

  /// The provider, and the model when it is another than the provider's own.
  std::string target(const double* record) const {
    const Provider& provider = run_.table().providers[static_cast<std::size_t>(get(record, Field::Provider))];
    const auto model = get(record, Field::Model);
    if (model < 0 || model == provider.defaultModel) return provider.id;
    return provider.id + "/" + run_.table().models[static_cast<std::size_t>(model)].id;
  }

  /// What a note tells by numbers.
  std::string numbers(const double* record) const {
    const auto field = [&](Field f) { return static_cast<long long>(get(record, f)); };
    const auto reason = static_cast<Reason>(field(Field::NoteReason));
    std::string line;
    if (field(Field::Provider) >= 0 && reason != Reason::Retrying) line += " at " + target(record);
    if (field(Field::NoteFailure) >= 0) line += word<FailureKind>(record, Field::NoteFailure);
    if (field(Field::NoteWindow) >= 0) line += word<Window>(record, Field::NoteWindow);
    if (field(Field::NoteWaitMs) >= 0) line += " wait=" + std::to_string(field(Field::NoteWaitMs));
    if (field(Field::NoteLimit) >= 0) line += " limit=" + std::to_string(field(Field::NoteLimit));
    if (field(Field::NoteUntilMs) >= 0) line += " until=" + std::to_string(field(Field::NoteUntilMs));
    if (reason == Reason::WaitingForReserved) line += " for=" + run_.plan().steps[field(Field::NoteCause)].id;
    if (field(Field::NoteSharedTokens) >= 0) line += prefix(record);
    return line;
  }

  /// The numbers of a decision on a shared beginning.
  std::string prefix(const double* record) const {
    const auto field = [&](Field f) { return static_cast<long long>(get(record, f)); };
    std::string line;
    if (field(Field::NoteCause) >= 0) line += " behind=" + run_.plan().steps[field(Field::NoteCause)].id;
    if (field(Field::NoteNeeded) >= 0) line += " expected=" + std::to_string(field(Field::NoteNeeded));
    return line + " shared=" + std::to_string(field(Field::NoteSharedTokens)) +
           " sharers=" + std::to_string(field(Field::NoteSharers)) +
           " saves=" + std::to_string(field(Field::NoteSavesMicroUsd)) +
           " adds=" + std::to_string(field(Field::NoteAddsMs));
  }

  ErrorCode event(const std::vector<std::string>& w) {
    const std::string& what = w[2];
    const std::string arg = w.size() > 3 ? w[3] : "";
    if (what == "plan") {
      const ErrorCode code = run_.planBytes(trace_.plan, now_);
      const ErrorCode end = run_.planEnd(now_);
      return code != ErrorCode::None ? code : end;
    }
    if (what == "parts") {
      const ErrorCode code = run_.planBytes(trace_.parts, now_);
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
    if (what == "spent") {
      const Policy& policy = run_.table().policy;
      const bool budget = policy.run.any() || policy.step.any() || policy.attempt.any();
      const std::string reserved = budget ? " reserved " + std::to_string(run_.purse().reserved().usd) : "";
      say("spent " + std::to_string(run_.purse().spent().usd) + reserved);
      return ErrorCode::None;
    }
    return signal(what, w);
  }

  /// The rest are signals: they go through the one door that journals use.
  ErrorCode signal(const std::string& what, const std::vector<std::string>& w) {
    const std::string arg = w.size() > 3 ? w[3] : "";
    const std::string more = w.size() > 4 ? w[4] : "";
    const double call = static_cast<double>(std::atol(arg.c_str()));
    const auto value = [&](const char* key, long fallback = 0) { return double(number(w, key, fallback)); };
    if (what == "tick") return send(EventKind::Tick, {});
    if (what == "started") return send(EventKind::Started, {call, 1, 3});
    if (what == "firstToken") return send(EventKind::FirstToken, {call});
    if (what == "progress") return send(EventKind::Progress, {call, more.empty() ? 7.0 : std::atof(more.c_str())});
    if (what == "verdict")
      return send(EventKind::Verdict,
                  {call, static_cast<double>(named(w, "", aetherflow::Verdict::Issues)), value("kept", -1)});
    if (what == "drafting")
      return send(EventKind::Drafting, {stepOf(arg), double(named(w, "", Reason::None)), double(has(w, "beside"))});
    if (what == "checked") return send(EventKind::Checked, {0, call, more == "pass" ? 1.0 : 0.0});
    if (what == "cancelRun") return send(EventKind::CancelRun, {});
    if (what == "cancelStep") return send(EventKind::CancelStep, {stepOf(arg), has(w, "unmet") ? 2 : value("settled")});
    if (what == "recalled") return send(EventKind::Recalled, {stepOf(arg), has(w, "joined") ? 1.0 : -1.0});
    if (what == "expanded") return send(EventKind::Expanded, {stepOf(arg)});
    if (what == "stored") return send(EventKind::Stored, {stepOf(arg), has(w, "refused") ? 0.0 : 1.0});
    if (what == "retrieved") return send(EventKind::Retrieved, {stepOf(arg), value("tokens")});
    if (what == "looked") {
      const auto found = static_cast<double>(named(w, "", Found::None));
      return send(EventKind::Looked, {stepOf(arg), found, value("key", -1), value("tokens", -1), value("usd", -1),
                                      value("ms", -1), value("score", -1)});
    }
    if (what == "refused") {
      const auto why = static_cast<double>(named(w, "", Refusal::Places));
      const auto window = static_cast<double>(named(w, "", Window::Count));
      return send(EventKind::Refused, {call, why, window < kWindows ? window : -1.0, value("until", -1)});
    }
    if (what == "freed") {
      const Target target = run_.table().findTarget(arg);
      return send(EventKind::Freed, {static_cast<double>(target.provider), static_cast<double>(target.model)});
    }
    if (what == "clock") return send(EventKind::Clock, {static_cast<double>(epochMs(arg, more))});
    if (what == "prompted") {
      const ErrorCode code = send(EventKind::Prompted, {call, std::atof(more.c_str()), 0});
      if (code == ErrorCode::None && run_.withheld()) say("withheld #" + arg);
      return code;
    }
    if (what == "limitsSeen") {
      const auto window = static_cast<double>(named(w, "", Window::RequestsMinute));
      return send(EventKind::LimitsSeen,
                  {call, window, value("limit", -1), value("remaining", -1), value("reset", -1)});
    }
    if (what == "weighed") return send(EventKind::Weighed, {stepOf(arg), std::atof(more.c_str()), value("file", -1)});
    if (what == "succeeded") {
      const auto finish = static_cast<double>(named(w, "finish=", FinishReason::Stop));
      const auto check = static_cast<double>(named(w, "check=", CheckVerdict::Passed));
      return send(EventKind::Succeeded, {call, value("in"), value("cached"), value("out"), 0, finish, check, -1, 0});
    }
    if (what == "failed") {
      const auto kind = static_cast<double>(named(w, "", FailureKind::ServerError));
      return send(EventKind::Failed, {call, kind, value("retryAfter", -1), value("in"), value("cached"), value("out"),
                                      0, has(w, "shown") ? 1.0 : 0.0, value("mayRetry", -1)});
    }
    say("? unknown event " + what);
    return ErrorCode::None;
  }

  ErrorCode send(EventKind kind, std::vector<double> values) {
    values.resize(kSignalValues, -1);
    return run_.signal(kind, values.data(), now_);
  }

  double stepOf(const std::string& id) const {
    const auto found = run_.plan().byId.find(id);
    return static_cast<double>(found == run_.plan().byId.end() ? kNone : found->second);
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
      if (block == "trace most") {
        block = "trace";
        trace.showsMost = true;
      }
      continue;
    }
    if (block == "plan") trace.plan += line + "\n";
    if (block == "parts") trace.parts += line + "\n";
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
  const std::string folder = AETHERFLOW_ROOT "/tests/traces/";
  const std::string list = readFile(folder + "list.txt");
  for (std::size_t at = 0; at < list.size();) {
    const std::size_t end = std::min(list.find('\n', at), list.size());
    if (end > at) paths.push_back(folder + list.substr(at, end - at));
    at = end + 1;
  }
  return paths;
}

}  // namespace aetherflow::testing
