// JSON documents that are passed in once per run, for the host to show.

#include <algorithm>

#include "core/base/json_writer.hpp"
#include "core/plan/graph.hpp"
#include "core/plan/templates.hpp"
#include "core/run/report.hpp"
#include "core/run/run.hpp"
#include "core/run/simulate.hpp"

namespace aetherflow {
namespace {

void writeError(JsonWriter& json, const Error& error) {
  json.beginObject().field("code", codeName(error.code)).field("where", error.where).field("detail", error.detail);
  json.endObject();
}

/// The first, and with `others` those that were found beside it.
void writeErrors(JsonWriter& json, const Error& first, const std::vector<Error>& all) {
  json.beginObject().field("code", codeName(first.code)).field("where", first.where).field("detail", first.detail);
  json.key("others").beginArray();
  for (std::size_t i = 1; i < all.size(); ++i) writeError(json, all[i]);
  json.endArray().endObject();
}

/// What is to be found for a step. Without a query its description asks, less the outputs that it takes in.
void writeDocuments(JsonWriter& json, const Step& step) {
  std::string query = step.query;
  TemplatePieces pieces(query.empty() ? std::string_view(step.description) : std::string_view());
  for (TemplatePiece piece; pieces.next(piece);)
    if (piece.kind != TemplatePiece::Kind::Output) query += piece.text;
  json.key("documents").beginObject().field("query", query);
  json.field("tokens", static_cast<std::int64_t>(step.documentTokens)).key("paths");
  json.raw(step.documentPaths.empty() ? "[]" : std::string_view(step.documentPaths)).endObject();
}

void writeStep(JsonWriter& json, const Step& step, StepIndex index) {
  json.beginObject().field("step", static_cast<std::int64_t>(index)).field("id", step.id).field("type", step.typeName);
  json.field("complexity", step.complexity).field("estimatedTokens", static_cast<std::int64_t>(step.estimatedTokens));
  json.field("output", name(step.output)).field("optional", step.optional);
  if (step.draft != DraftUse::Count) json.field("draft", name(step.draft));
  json.field("priority", static_cast<std::int64_t>(step.priority));
  if (!step.provider.empty()) json.field("provider", step.provider);
  if (!step.temperature.empty()) json.key("temperature").raw(step.temperature);
  if (step.maxTokens > 0) json.field("maxTokens", static_cast<std::int64_t>(step.maxTokens));
  if (!step.schema.empty()) json.key("schema").raw(step.schema);
  if (!step.written.empty()) json.key("written").raw(step.written);
  // What a step that spreads says of files is said of its parts.
  json.key("files").beginArray();
  if (!step.spreads)
    for (const std::string& file : step.files) json.string(file);
  json.endArray();
  if (!step.spreads) {
    if (!step.outputFile.empty()) json.field("outputFile", step.outputFile);
    if (!step.placing.empty()) json.key("placing").raw("{" + step.placing + "}");
    if (step.documentTokens > 0) writeDocuments(json, step);
  }
  if (step.partOf != kNone) json.field("partOf", static_cast<std::int64_t>(step.partOf));
  if (!step.values.empty()) {
    json.key("values").beginArray();
    for (const std::string& value : step.values) json.string(value);
    json.endArray();
  }
  json.key("dependencies").beginArray();
  for (const Dependency& dependency : step.dependencies)
    if (dependency.step != kNone) json.integer(dependency.step);
  json.endArray().endObject();
}

void writeSteps(JsonWriter& json, const Plan& plan, std::uint32_t from, std::uint32_t count) {
  json.beginArray();
  for (StepIndex i = from; i < count; ++i) writeStep(json, plan.steps[i], i);
  json.endArray();
}

void writeTarget(JsonWriter& json, const Table& table, Target target) {
  json.field("provider", table.providers[target.provider].id).field("model", table.models[target.model].id);
}

void writeTable(JsonWriter& json, const Table& table, bool audited) {
  json.beginObject().field("pricesAsOf", table.pricesAsOf).field("audited", audited).key("providers").beginArray();
  for (const Provider& provider : table.providers)
    json.beginObject()
        .field("id", provider.id)
        .field("name", provider.name)
        .field("available", provider.available)
        .field("concurrency", static_cast<std::int64_t>(provider.concurrency))
        .endObject();
  json.endArray().key("models").beginArray();
  for (const Model& model : table.models)
    json.beginObject().field("id", model.id).field("provider", table.providers[model.provider].id).endObject();
  json.endArray().endObject();
}

/// What the shared limits are told: one object a quota group, with the models that count towards it. A group of one
/// provider has that provider's places and breaker; one of several has only what is stated of the group.
void writeLimits(JsonWriter& json, const Table& table) {
  json.beginArray();
  for (QuotaIndex index = 0; index < table.quotas.size(); ++index) {
    const QuotaLimits& quota = table.quotas[index];
    std::uint32_t places = 0, providers = 0;
    for (ProviderIndex i = 0; i < table.providers.size(); ++i) {
      bool counts = false;
      for (const ModelIndex model : table.providers[i].models) counts = counts || table.models[model].quota == index;
      places += counts ? table.providers[i].concurrency : 0;
      providers += counts ? 1 : 0;
    }
    if (quota.concurrency > 0) places = std::min(places, quota.concurrency);
    json.beginObject().field("group", quota.group).field("places", static_cast<std::int64_t>(places));
    const Policy& policy = table.policy;
    json.field("breakerFailures", static_cast<std::int64_t>(providers == 1 ? policy.failures : 0));
    json.field("openMs", policy.openMs).field("maxOpenMs", policy.maxOpenMs).key("limits").beginObject();
    for (std::size_t w = 0; w < kWindows; ++w)
      if (quota.most[w] >= 0) json.field(name(static_cast<Window>(w)), quota.most[w]);
    json.endObject().key("models").beginArray();
    for (std::size_t model = 0; model < table.models.size(); ++model)
      if (table.models[model].quota == index) json.integer(static_cast<std::int64_t>(model));
    json.endArray().endObject();
  }
  json.endArray();
}

}  // namespace

void writeRoute(JsonWriter& json, const Run& run, StepIndex index) {
  const RouteGroup& group = run.router().group(run.steps()[index].group);
  json.beginObject().field("id", run.plan().steps[index].id);
  writeTarget(json, run.table(), group.admissible.front());
  json.field("rule", group.rule).field("why", group.why);
  const Model& model = run.table().models[group.admissible.front().model];
  json.field("tokensPerSecond", static_cast<std::int64_t>(model.tokensPerKs / 1000));
  json.field("microUsdPerMtok", model.price.outPerMtok).key("alternatives").beginArray();
  for (std::size_t i = 1; i < group.admissible.size(); ++i) {
    json.beginObject();
    writeTarget(json, run.table(), group.admissible[i]);
    json.endObject();
  }
  json.endArray().endObject();
}

std::string Run::document(Document kind, std::uint32_t from, std::uint32_t most) const {
  const Run& run = *this;
  std::string out;
  JsonWriter json(out);
  switch (kind) {
    case Document::Error: writeErrors(json, run.error(), run.errors()); break;
    case Document::Warnings:
      json.beginArray();
      for (std::size_t i = from; i < run.plan().warnings.size(); ++i) writeError(json, run.plan().warnings[i]);
      json.endArray();
      break;
    case Document::Steps:
      writeSteps(json, run.plan(), from, std::min<std::uint64_t>(std::uint64_t{from} + most, run.stepCount()));
      break;
    case Document::Plan:
      json.beginObject().field("taskId", run.plan().taskId).field("description", run.plan().description);
      if (!run.plan().metadata.empty()) json.key("metadata").raw(run.plan().metadata);
      json.field("steps", static_cast<std::int64_t>(run.stepCount())).endObject();
      break;
    case Document::Routes:
      json.beginArray();
      for (StepIndex i = 0; i < run.steps().size(); ++i)
        if (run.steps()[i].group != kNone) writeRoute(json, run, i);
      json.endArray();
      break;
    case Document::Route:
      if (from < run.steps().size() && run.steps()[from].group != kNone)
        writeRoute(json, run, from);
      else
        json.null();
      break;
    case Document::Dot: return toDot(run.plan());
    case Document::Defaults: return std::string(defaultTableJson());
    case Document::Table: writeTable(json, run.table(), run.router().auditGroup() != kNone); break;
    case Document::Limits: writeLimits(json, run.table()); break;
    case Document::Report: writeReport(json, run); break;
    default: json.null();
  }
  return out;
}

}  // namespace aetherflow
