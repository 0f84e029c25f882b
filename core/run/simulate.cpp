#include "core/run/simulate.hpp"

#include <algorithm>
#include <queue>

#include "core/base/json_writer.hpp"
#include "core/run/pricing.hpp"
#include "core/run/report.hpp"

namespace aetherflow {
namespace {

struct Due {
  TimeMs at;
  std::uint64_t order;
  CallId call;
  bool end;
  bool operator>(const Due& other) const { return at != other.at ? at > other.at : order > other.order; }
};

std::uint32_t promptTokens(const Run& run, const CallRecord& call) {
  const Step& step = run.plan().steps[call.step];
  const StepRecord& record = run.steps()[call.step];
  std::uint64_t tokens = ownPromptTokens(step) + record.fileTokens + record.documentTokens;
  for (const Dependency& dependency : step.dependencies)
    if (dependency.step != kNone) tokens += run.plan().steps[dependency.step].estimatedTokens;
  if (kPhases[static_cast<std::size_t>(call.purpose)].role != PromptRole::Work) tokens += step.estimatedTokens;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, 0xffffffffu));
}

void endCancelled(Run& run, const std::vector<CallId>& cancelled, TimeMs now) {
  for (const CallId id : cancelled) {
    Failed failure;
    failure.call = id;
    failure.kind = FailureKind::Cancelled;
    run.failed(failure, now);
  }
}

/// No cache is known; answers pass their checks; where documents were not searched yet, as much is found as the plan asks for.
void answer(Run& run, StepIndex step, TimeMs now) {
  const StepRecord& record = run.steps()[step];
  if (record.held)
    run.expanded(step, now);
  else if (record.state == StepState::Ready && run.plan().steps[step].spreads)
    run.recalled(step, now, true);
  else if (run.steps()[step].retrieving)
    run.retrieved(step, run.plan().steps[step].documentTokens, now);
  else if (run.steps()[step].state == StepState::Judging)
    run.checked(run.steps()[step].call, true, now);
  else if (run.steps()[step].state == StepState::Looking)
    run.looked({step, Found::None, kNone, {}, 0, -1}, now);
}

/// Tokens of the answer where the options say what answers are like, or 0.
std::uint32_t assumedAnswer(const Run& run, const CallRecord& call) {
  const RunOptions& options = run.options();
  if (kPhases[static_cast<std::size_t>(call.purpose)].expectedTokens > 0) return 0;
  if (options.answerTokens > 0) return std::min(options.answerTokens, call.maxTokens);
  if (run.plan().steps[call.step].estimatedTokens > 0) return 0;
  return static_cast<std::uint32_t>(options.answerShare * call.maxTokens);
}

}  // namespace

SimulatedCall estimatedCall(const Run& run, const CallRecord& call) {
  const Model& model = run.table().models[call.target.model];
  SimulatedCall result;
  result.totalMs = call.expectedEnd - call.dispatchedAt;
  if (const std::uint32_t answer = assumedAnswer(run, call); answer > 0) result.totalMs = model.estimateMs(answer);
  result.firstTokenMs = std::min<std::int64_t>(model.firstTokenMs, result.totalMs);
  result.tokens.in = promptTokens(run, call);
  result.tokens.out =
      static_cast<std::uint32_t>((result.totalMs - result.firstTokenMs) * model.tokensPerKs / 1'000'000);
  // Of a shared prompt, what the cache does not hold has to be read.
  result.tokens.cached = std::min(call.sharedTokens, result.tokens.in);
  if (!call.shares) return result;
  const std::uint32_t fresh = result.tokens.in - result.tokens.cached;
  if (model.price.writtenPerMtok > model.price.inPerMtok) result.tokens.written = fresh;
  const std::int64_t readMs = std::int64_t{fresh} * model.microsPerToken / 1000;
  result.firstTokenMs += readMs;
  result.totalMs += readMs;
  return result;
}

TimeMs simulate(Run& run, SimulatedCallOf callOf) {
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  std::vector<SimulatedCall> calls;
  std::uint64_t order = 0;
  TimeMs now = run.now();
  for (;;) {
    const CommandBuffer& commands = run.drain();
    std::vector<CallId> cancelled;
    std::vector<StepIndex> asked;
    for (std::size_t i = 0; i < commands.count(); ++i) {
      const double* record = commands.data() + i * kCommandStride;
      const auto kind = static_cast<CommandKind>(static_cast<int>(record[0]));
      const auto id = static_cast<CallId>(get(record, CommandField::Call));
      if (kind == CommandKind::Cancel) cancelled.push_back(id);
      if (kind == CommandKind::Look || kind == CommandKind::Expand || kind == CommandKind::Retrieve ||
          kind == CommandKind::Check)
        asked.push_back(static_cast<StepIndex>(get(record, CommandField::Step)));
      if (kind != CommandKind::Call) continue;
      const SimulatedCall call = callOf(run, run.calls()[id]);
      calls.resize(std::max<std::size_t>(calls.size(), id + 1));
      calls[id] = call;
      due.push({now + call.firstTokenMs, order++, id, false});
      due.push({now + call.totalMs, order++, id, true});
    }
    endCancelled(run, cancelled, now);
    for (const StepIndex step : asked) answer(run, step, now);
    if (!asked.empty()) continue;
    const TimeMs wake = run.nextWake();
    if (run.finished() || (due.empty() && wake == kNever)) return now;
    // Everything that falls due at one moment is told before the next drain: a place that comes free is offered to the
    // best of all steps that become ready in that moment.
    now = due.empty() ? wake : std::min(wake, due.top().at);
    run.tick(now);
    while (!due.empty() && due.top().at == now) {
      const Due next = due.top();
      due.pop();
      const CallRecord& call = run.calls()[next.call];
      if (!call.live) continue;
      const SimulatedCall& result = calls[next.call];
      if (!next.end) {
        run.firstToken(next.call, now);
      } else if (result.fails) {
        Failed failure;
        failure.call = next.call;
        failure.kind = FailureKind::ServerError;
        run.failed(failure, now);
      } else {
        const bool judges = kPhases[static_cast<std::size_t>(call.purpose)].judges();
        Succeeded success;
        success.call = next.call;
        success.tokens = result.tokens;
        success.tokensEstimated = true;
        run.succeeded(success, now);
        const Verdict against = call.purpose == Purpose::Verify ? Verdict::Reject : Verdict::Issues;
        if (judges) run.verdict(next.call, result.auditPasses ? Verdict::Pass : against, now);
      }
    }
  }
}

std::string explain(Run& run) {
  simulate(run);
  // The range: half the expected answer, and every call at its answer limit with its one repair.
  MicroUsd expected = 0, low = 0, high = 0;
  for (const CallRecord& call : run.calls()) {
    const Price& price = run.table().models[call.target.model].price;
    TokenCounts tokens = call.tokens;
    expected += call.money.cost();
    tokens.out = call.tokens.out / 2;
    low += costOf(tokens, price.inPerMtok, price.cachedPerMtok, price.outPerMtok, price.writtenPerMtok);
    tokens.out = call.maxTokens;
    const bool repairable = run.table().repairs > 0 && call.purpose == Purpose::Main;
    high += costOf(tokens, price.inPerMtok, price.cachedPerMtok, price.outPerMtok, price.writtenPerMtok) *
            (repairable ? 2 : 1);
  }
  std::string out;
  JsonWriter json(out);
  json.beginObject().field("virtual", true).key("costMicroUsd").beginObject();
  json.field("low", low).field("expected", expected).field("high", high).endObject();
  json.key("report");
  writeReport(json, run);
  json.endObject();
  return out;
}

}  // namespace aetherflow
