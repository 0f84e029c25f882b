#include "core/run/report.hpp"

#include <algorithm>

#include "core/metrics/spread.hpp"
#include "core/run/rows.hpp"

namespace aetherflow {
namespace {

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
  json.beginObject().field("taskId", run.plan().taskId).field("description", run.plan().description);
  writeSummary(json, run);
  json.key("criticalPath").beginArray();
  for (const StepIndex step : criticalPath(run)) json.string(run.plan().steps[step].id);
  json.endArray();
  writeTargets(json, run);
  writeGroups(json, run);
  json.endObject();
}

}  // namespace aetherflow
