#include "core/run/report.hpp"

#include <algorithm>

#include "core/metrics/spread.hpp"

namespace aetherflow {
namespace {

std::int64_t between(TimeMs from, TimeMs to) {
  return from < 0 || to < 0 ? -1 : to - from;
}

/// Network overhead of a call: what is left of the response time after the time the provider says it spent;
/// else the connection's set-up, where the host could see it; else unknown.
std::int64_t networkMs(const CallRecord& call) {
  const std::int64_t response = between(call.dispatchedAt, call.endedAt);
  if (call.providerMs >= 0 && response >= 0) return std::max<std::int64_t>(0, response - call.providerMs);
  return call.setupMs;
}

/// `part` of `whole`; null of nothing.
void writeShare(JsonWriter& json, const char* key, std::int64_t part, std::int64_t whole, int decimals = 4) {
  json.key(key);
  if (whole > 0)
    json.number(static_cast<double>(part) / static_cast<double>(whole), decimals);
  else
    json.null();
}

/// Tokens and money of calls without a result.
struct Lost {
  std::int64_t in = 0, out = 0;
  MicroUsd cost = 0;

  void add(const CallRecord& call) {
    in += call.tokens.in;
    out += call.tokens.out;
    cost += call.money.cost();
  }
  void write(JsonWriter& json, const char* key) const {
    json.key(key).beginObject().key("tokens").beginObject().field("input", in).field("output", out).endObject();
    json.field("costMicroUsd", cost).endObject();
  }
};

/// Sums and spreads over some calls.
struct Totals {
  std::int64_t calls = 0, succeeded = 0, in = 0, cached = 0, out = 0, reasoning = 0, stripped = 0, ms = 0;
  std::int64_t reused = 0, reuseKnown = 0, setups = 0, setupMs = 0, hedges = 0, withheld = 0;
  std::int64_t failed[static_cast<std::size_t>(FailureKind::Count)] = {};
  MicroUsd cost = 0;
  Lost lost, cancelled;  ///< calls that did not succeed; of them those that the run or a person cancelled
  std::int64_t shared = 0, savedUsd = 0,
               savedMs = 0;  ///< of prompt caches: tokens expected there, what reading them saved
  Spread queue, firstToken, response, network;

  void add(const Run& run, const CallRecord& call) {
    // It never left this process: not a call.
    if (call.failure == FailureKind::Withheld || call.failure == FailureKind::Refused) {
      ++withheld;
      return;
    }
    ++calls;
    succeeded += call.succeeded ? 1 : 0;
    in += call.tokens.in;
    cached += call.tokens.cached;
    shared += call.sharedTokens;
    const Price& price = run.table().models[call.target.model].price;
    savedUsd += call.tokens.cached * (price.inPerMtok - price.cachedPerMtok) -
                call.tokens.written * (price.writtenPerMtok - price.inPerMtok);
    savedMs += call.tokens.cached * run.microsPerToken(call.target.model) / 1000;
    out += call.tokens.out;
    reasoning += call.tokens.reasoning;
    stripped += call.strippedTokens;
    cost += call.money.cost();
    if (call.reused >= 0) {
      ++reuseKnown;
      reused += call.reused;
    }
    if (call.reused == 0 && call.setupMs >= 0) {
      ++setups;
      setupMs += call.setupMs;
    }
    if (call.purpose == Purpose::Hedge) ++hedges;
    if (call.failure != FailureKind::Count) {
      ++failed[static_cast<std::size_t>(call.failure)];
      lost.add(call);
    }
    if (call.failure == FailureKind::Cancelled || call.cancelled != Reason::None) cancelled.add(call);
    queue.add(between(call.readyAt, call.dispatchedAt));
    firstToken.add(between(call.dispatchedAt, call.firstTokenAt));
    if (call.succeeded) response.add(between(call.dispatchedAt, call.endedAt));
    network.add(networkMs(call));
    ms += std::max<std::int64_t>(0, between(call.dispatchedAt, call.endedAt));
  }

  void write(JsonWriter& json) {
    json.field("calls", calls).field("succeeded", succeeded).field("hedges", hedges);
    json.field("withheld", withheld).key("failures").beginObject();
    for (std::size_t i = 0; i < std::size(failed); ++i)
      if (failed[i] > 0) json.field(name(static_cast<FailureKind>(i)), failed[i]);
    json.endObject();
    json.key("tokens").beginObject().field("input", in).field("cached", cached).field("output", out);
    json.field("reasoning", reasoning).field("strippedEstimate", stripped).endObject();
    json.field("costMicroUsd", cost).field("workMs", ms).key("promptCache").beginObject();
    writeShare(json, "hitRate", cached, in);
    json.field("sharedTokens", shared).field("savedMicroUsd", savedUsd / 1'000'000);
    json.known("savedMs", savedMs > 0 ? savedMs : -1).endObject();
    lost.write(json, "lost");
    cancelled.write(json, "cancelled");
    json.key("queueMs");
    queue.write(json);
    json.key("firstTokenMs");
    firstToken.write(json);
    json.key("responseMs");
    response.write(json);
    json.key("networkMs");
    network.write(json);
  }
};

void writeStep(JsonWriter& json, const Run& run, StepIndex index, const std::vector<std::vector<CallId>>& callsOf) {
  const StepRecord& step = run.steps()[index];
  json.beginObject().field("id", run.plan().steps[index].id).field("type", run.plan().steps[index].typeName);
  json.field("state", name(step.state));
  if (step.failure != FailureKind::Count) json.field("failure", name(step.failure));
  if (step.reason != Reason::None) json.field("reason", name(step.reason));
  if (step.cause != kNone) json.field("cause", run.plan().steps[step.cause].id);
  if (step.audit != AuditState::None) json.field("audit", name(step.audit));
  if (step.repaired) json.field("repaired", true);
  if (step.draft != Reason::None) json.field("draft", name(step.draft));
  if (step.draftKept > 0) json.field("draftKeptPermille", static_cast<std::int64_t>(step.draftKept));
  if (step.canary != Reason::None) json.field("canary", name(step.canary));
  json.known("startedAt", step.startedAt < 0 ? -1 : step.startedAt - run.beganAt());
  json.known("settledAt", step.settledAt < 0 ? -1 : step.settledAt - run.beganAt());
  if (step.group != kNone) {
    json.key("route");
    writeRoute(json, run, index);
  }
  json.field("costMicroUsd", step.money.spent().usd).key("calls").beginArray();
  for (const CallId id : callsOf[index]) writeCall(json, run, id);
  json.endArray().endObject();
}

/// The targets, and the steps that missed each.
void writeTargets(JsonWriter& json, const Run& run) {
  const MetricTargets& targets = run.table().targets;
  const auto one = [&](const char* name, std::int64_t target, auto measure) {
    json.beginObject().field("metric", name).field("targetMs", target).key("missedBy").beginArray();
    std::int64_t measured = 0, last = -1;
    for (const CallRecord& call : run.calls()) {
      const std::int64_t ms = measure(call);
      if (ms < 0) continue;
      ++measured;
      if (ms < target || last == static_cast<std::int64_t>(call.step)) continue;
      last = call.step;
      json.beginObject().field("id", run.plan().steps[call.step].id).field("ms", ms).endObject();
    }
    json.endArray().field("measured", measured).endObject();
  };
  json.key("targets").beginArray();
  one("firstToken", targets.firstTokenMs, [](const CallRecord& c) { return between(c.dispatchedAt, c.firstTokenAt); });
  one("response", targets.responseMs,
      [](const CallRecord& c) { return c.succeeded ? between(c.dispatchedAt, c.endedAt) : -1; });
  one("queue", targets.queueMs, [](const CallRecord& c) { return between(c.readyAt, c.dispatchedAt); });
  one("network", targets.networkMs, [](const CallRecord& c) { return networkMs(c); });
  json.endArray();
  writeShare(json, "promptCacheTarget", targets.promptCachePermille, 1000);
}

void writeGroups(JsonWriter& json, const Run& run) {
  std::vector<Totals> byProvider(run.table().providers.size()), byType(kStepTypes);
  for (const CallRecord& call : run.calls()) {
    byProvider[call.target.provider].add(run, call);
    byType[static_cast<std::size_t>(run.plan().steps[call.step].type)].add(run, call);
  }
  const auto write = [&](const char* key, std::vector<Totals>& list, auto label) {
    json.key(key).beginArray();
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].calls == 0) continue;
      json.beginObject().field("name", label(i));
      list[i].write(json);
      json.endObject();
    }
    json.endArray();
  };
  write("byProvider", byProvider, [&](std::size_t i) { return std::string_view(run.table().providers[i].id); });
  json.key("breakers").beginArray();
  for (ProviderIndex i = 0; i < byProvider.size(); ++i)
    if (run.health().timesOpened(i) > 0)
      json.beginObject()
          .field("provider", run.table().providers[i].id)
          .field("state", name(run.health().state(i)))
          .field("opened", static_cast<std::int64_t>(run.health().timesOpened(i)))
          .endObject();
  json.endArray();
  write("byType", byType, [](std::size_t i) { return name(static_cast<StepType>(i)); });
}

void writeCeiling(JsonWriter& json, const char* key, const Ceiling& ceiling) {
  json.key(key).beginObject().known("costMicroUsd", ceiling.usd).known("tokens", ceiling.tokens).endObject();
}

void writeBudget(JsonWriter& json, const Run& run) {
  const Policy& policy = run.table().policy;
  if (!policy.run.any() && !policy.step.any() && !policy.attempt.any()) return;
  json.key("budget").beginObject();
  writeCeiling(json, "run", policy.run);
  writeCeiling(json, "step", policy.step);
  writeCeiling(json, "attempt", policy.attempt);
  json.field("spentMicroUsd", run.purse().spent().usd).field("spentTokens", run.purse().spent().tokens);
  json.field("reservedMicroUsd", run.purse().reserved().usd).field("heldMicroUsd", run.purse().held().usd).endObject();
}

void writeCache(JsonWriter& json, const Run& run) {
  if (!run.options().cached) return;
  const CacheTotals& all = run.cache();
  const std::int64_t hits = all.exact + all.semantic + all.shared;
  json.key("cache").beginObject().field("looked", all.looked).field("exact", all.exact);
  json.field("semantic", all.semantic).field("shared", all.shared).field("misses", all.misses);
  json.field("stored", all.stored);
  writeShare(json, "hitRate", hits, hits + all.misses);
  json.field("savedTokens", all.saved.spend.tokens).field("savedMicroUsd", all.saved.spend.usd);
  json.field("savedMs", all.saved.ms).endObject();
}

/// Models that were called without a known price, and what was assumed for them.
void writeAssumedPrices(JsonWriter& json, const Run& run) {
  const Table& table = run.table();
  std::vector<bool> called(table.models.size());
  for (const CallRecord& call : run.calls()) called[call.target.model] = true;
  json.key("assumedPrices").beginArray();
  for (std::size_t i = 0; i < called.size(); ++i) {
    const Model& model = table.models[i];
    if (!called[i] || model.price.known) continue;
    json.beginObject().field("provider", table.providers[model.provider].id).field("model", model.id);
    json.field("inMicroUsdPerMtok", model.price.inPerMtok).field("outMicroUsdPerMtok", model.price.outPerMtok);
    json.endObject();
  }
  json.endArray();
}

void writeSummary(JsonWriter& json, const Run& run) {
  Totals all;
  for (const CallRecord& call : run.calls()) all.add(run, call);
  std::int64_t counts[kStepStates] = {};
  std::int64_t sumMs = 0;
  TimeMs last = run.beganAt();
  for (const StepRecord& step : run.steps()) {
    ++counts[static_cast<std::size_t>(step.state)];
    sumMs += std::max<std::int64_t>(0, step.startedAt < 0 ? 0 : between(step.startedAt, step.settledAt));
    last = std::max(last, step.settledAt);
  }
  const std::int64_t makespan = last - run.beganAt();
  const auto total = static_cast<std::int64_t>(run.steps().size());
  json.field("outcome", run.finished() ? name(run.outcome()) : std::string_view("running"));
  json.field("mode", run.options().mode).field("pricesAsOf", run.table().pricesAsOf);
  json.key("counts").beginObject().field("total", total);
  for (const StepState state : {StepState::Done, StepState::Failed, StepState::Skipped, StepState::Cancelled})
    json.field(name(state), counts[static_cast<std::size_t>(state)]);
  json.endObject();
  writeShare(json, "successRate", counts[static_cast<std::size_t>(StepState::Done)], total);
  json.field("makespanMs", makespan).field("sumOfStepsMs", sumMs);
  writeShare(json, "speedup", sumMs, makespan, 2);
  writeShare(json, "connectionReuseRate", all.reused, all.reuseKnown);
  // What the reused connections would have cost to set up, at the mean of those that were.
  json.field("connectionSetupMs", all.setupMs);
  json.field("connectionSetupSavedMs", all.setups > 0 ? all.reused * all.setupMs / all.setups : 0);
  writeAssumedPrices(json, run);
  writeBudget(json, run);
  writeCache(json, run);
  json.key("totals").beginObject();
  all.write(json);
  json.endObject();
}

}  // namespace

void writeCall(JsonWriter& json, const Run& run, CallId id) {
  const CallRecord& call = run.calls()[id];
  const Table& table = run.table();
  const Model& model = table.models[call.target.model];
  json.beginObject().field("call", static_cast<std::int64_t>(id)).field("purpose", name(call.purpose));
  json.field("attempt", static_cast<std::int64_t>(call.attempt));
  json.field("provider", table.providers[call.target.provider].id).field("model", model.id);
  json.field("outcome", call.live        ? std::string_view("running")
                        : call.succeeded ? std::string_view("ok")
                                         : name(call.failure));
  json.known("readyAt", call.readyAt - run.beganAt()).known("dispatchedAt", call.dispatchedAt - run.beganAt());
  json.known("endedAt", call.endedAt < 0 ? -1 : call.endedAt - run.beganAt());
  json.known("queueMs", between(call.readyAt, call.dispatchedAt));
  json.known("firstTokenMs", between(call.dispatchedAt, call.firstTokenAt));
  json.known("responseMs", between(call.dispatchedAt, call.endedAt)).known("networkMs", networkMs(call));
  json.key("tokens").beginObject().field("input", static_cast<std::int64_t>(call.tokens.in));
  json.field("cached", static_cast<std::int64_t>(call.tokens.cached));
  json.field("output", static_cast<std::int64_t>(call.tokens.out));
  json.field("reasoning", static_cast<std::int64_t>(call.tokens.reasoning));
  if (call.tokens.written > 0) json.field("written", static_cast<std::int64_t>(call.tokens.written));
  json.field("estimated", call.tokensEstimated);
  json.field("strippedEstimate", static_cast<std::int64_t>(call.strippedTokens)).endObject();
  json.field("costMicroUsd", call.money.cost()).field("priceKnown", model.price.known);
  if (call.finish != FinishReason::Count) json.field("finish", name(call.finish));
  if (call.check != CheckVerdict::Count) json.field("check", name(call.check));
  if (call.overflowed) json.field("overflowed", true);
  if (call.continues) json.field("continues", true);
  if (call.peak) json.field("peak", true);
  if (call.sharedTokens > 0) json.field("sharedTokens", static_cast<std::int64_t>(call.sharedTokens));
  if (call.leader != kNone) json.field("leader", run.plan().steps[run.calls()[call.leader].step].id);
  if (call.waited != Reason::None) json.field("waited", name(call.waited));
  if (call.cancelled != Reason::None) json.field("cancelled", name(call.cancelled));
  json.endObject();
}

std::vector<StepIndex> criticalPath(const Run& run) {
  StepIndex at = kNone;
  for (StepIndex i = 0; i < run.steps().size(); ++i) {
    const StepRecord& step = run.steps()[i];
    if (step.startedAt >= 0 && step.settledAt >= 0 && (at == kNone || step.settledAt > run.steps()[at].settledAt))
      at = i;
  }
  std::vector<StepIndex> path;
  while (at != kNone) {
    path.push_back(at);
    StepIndex latest = kNone;
    for (const Dependency& dependency : run.plan().steps[at].dependencies) {
      if (dependency.step == kNone) continue;
      const StepRecord& input = run.steps()[dependency.step];
      if (input.startedAt >= 0 && input.settledAt >= 0 &&
          (latest == kNone || input.settledAt > run.steps()[latest].settledAt))
        latest = dependency.step;
    }
    at = path.size() > run.steps().size() ? kNone : latest;  // an invalid plan may hold a cycle
  }
  std::reverse(path.begin(), path.end());
  return path;
}

void writeReport(JsonWriter& json, const Run& run) {
  std::vector<std::vector<CallId>> callsOf(run.steps().size());
  for (CallId id = 0; id < run.calls().size(); ++id) callsOf[run.calls()[id].step].push_back(id);
  json.beginObject().field("taskId", run.plan().taskId).field("description", run.plan().description);
  writeSummary(json, run);
  json.key("criticalPath").beginArray();
  for (const StepIndex step : criticalPath(run)) json.string(run.plan().steps[step].id);
  json.endArray();
  writeTargets(json, run);
  writeGroups(json, run);
  json.key("steps").beginArray();
  for (StepIndex i = 0; i < run.steps().size(); ++i) writeStep(json, run, i, callsOf);
  json.endArray().endObject();
}

}  // namespace aetherflow
