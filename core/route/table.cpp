#include "core/route/table.hpp"

#include "core/base/json.hpp"
#include "core/base/json_writer.hpp"
#include "core/route/policy_reader.hpp"

namespace aetherflow {
namespace {

constexpr const char* kModelMembers =
    "in cached written storedPerHour out asOf source firstTokenMs tokensPerSecond maxOut context thinks thinksSource "
    "patienceMs quotaGroup promptTokensPerSecond family tokenFactor";

std::int64_t microPerMtok(double usd) {
  return static_cast<std::int64_t>(usd * 1e6 + 0.5);
}

Price readPrice(Reading& reading, const JsonValue& model, const JsonValue& worst, const std::string& at) {
  Price price;
  const bool known = model.find("in") != nullptr && model.find("out") != nullptr;
  const JsonValue& from = known ? model : worst;
  price.known = known;
  const double in = reading.number(from, "in", 10, 0, 1e6, at);
  price.inPerMtok = microPerMtok(in);
  price.cachedPerMtok = microPerMtok(reading.number(from, "cached", in, 0, 1e6, at));
  price.writtenPerMtok = microPerMtok(reading.number(from, "written", in, 0, 1e6, at));
  price.outPerMtok = microPerMtok(reading.number(from, "out", 50, 0, 1e6, at));
  price.asOf = reading.text(model, "asOf", at);
  price.source = reading.text(model, "source", at);
  return price;
}

/// FNV-1a.
std::uint32_t hashOf(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char each : text) hash = (hash ^ static_cast<unsigned char>(each)) * 16777619u;
  return hash;
}

/// The group of that name; made when the table does not limit it.
QuotaIndex quotaOf(Table& table, const std::string& name) {
  for (std::size_t i = 0; i < table.quotas.size(); ++i)
    if (table.quotas[i].group == name) return static_cast<QuotaIndex>(i);
  table.quotas.push_back({});
  table.quotas.back().group = name;
  return static_cast<QuotaIndex>(table.quotas.size() - 1);
}

/// {"factor":2,"days":[1,…],"hoursUtc":[[1,4],…]}: days from 1 = Monday, hours from inclusive, to exclusive.
void readPeak(Reading& reading, Provider& provider, const JsonValue& json, const std::string& at) {
  const JsonValue* peak = reading.object(json, "peak", at);
  if (peak == nullptr) return;
  provider.peakPercent = static_cast<std::uint32_t>(reading.number(*peak, "factor", 1, 1, 100, at) * 100 + 0.5);
  if (const JsonValue* days = peak->find("days"))
    for (const JsonValue& day : days->items) provider.peakDays |= 1u << (day.unsignedInteger().value_or(0) & 7);
  const JsonValue* hours = peak->find("hoursUtc");
  if (hours == nullptr) return;
  for (const JsonValue& range : hours->items) {
    if (range.items.size() != 2) return reading.fail(at + "/peak/hoursUtc", "expected pairs of hours");
    for (std::uint64_t hour = range.items[0].unsignedInteger().value_or(24);
         hour < 24 && hour < range.items[1].unsignedInteger().value_or(0); ++hour)
      provider.peakHours |= 1u << hour;
  }
}

void readProvider(Reading& reading, Table& table, const JsonValue& json, const JsonValue& worst) {
  const std::string& id = json.name;
  const std::string at = "/table/providers/" + id;
  if (!json.isObject()) return reading.fail(at, "expected an object");
  Provider provider;
  reading.only(json, "name dialect baseUrl keyEnv concurrency default models json quotaGroup prefix peak promptCache",
               at);
  provider.id = id;
  provider.name = reading.text(json, "name", at);
  if (provider.name.empty()) provider.name = id;
  provider.concurrency = static_cast<std::uint32_t>(reading.number(json, "concurrency", 8, 1, 100000, at));
  const std::string support = reading.text(json, "json", at);
  provider.json = support == "schema"   ? JsonSupport::Schema
                  : support == "object" ? JsonSupport::Object
                                        : JsonSupport::None;
  const JsonValue* prefix = json.find("prefix");
  provider.prefix = prefix != nullptr && prefix->isTrue();
  readPeak(reading, provider, json, at);
  if (const JsonValue* cache = reading.object(json, "promptCache", at)) {
    provider.cacheMinimum = static_cast<std::uint32_t>(reading.number(*cache, "minimum", 0, 0, 1e9, at));
    provider.cacheLeaders = static_cast<std::uint32_t>(reading.number(*cache, "leaders", 1, 1, 2, at));
    provider.cacheIdleMs = static_cast<std::int64_t>(60'000 * reading.number(*cache, "idleMinutes", 5, 0, 1e6, at));
  }
  std::string quota = reading.text(json, "quotaGroup", at);
  if (quota.empty()) quota = id;
  const auto self = static_cast<ProviderIndex>(table.providers.size());
  const std::string preferred = reading.text(json, "default", at);
  const JsonValue* models = json.find("models");
  if (models == nullptr || !models->isObject() || models->items.empty())
    return reading.fail(at + "/models", "expected an object with at least one model");
  for (const JsonValue& data : models->items) {
    const std::string modelAt = at + "/models/" + data.name;
    if (!data.isObject()) return reading.fail(modelAt, "expected an object");
    // A misspelt price would be no price, and a misspelt limit no limit.
    reading.only(data, kModelMembers, modelAt);
    Model model;
    model.id = data.name;
    model.provider = self;
    model.price = readPrice(reading, data, worst, modelAt);
    model.firstTokenMs = static_cast<std::uint32_t>(reading.number(data, "firstTokenMs", 1000, 0, 1e7, modelAt));
    model.tokensPerKs = static_cast<std::uint32_t>(1000 * reading.number(data, "tokensPerSecond", 60, 1, 1e6, modelAt));
    model.maxOut = static_cast<std::uint32_t>(reading.number(data, "maxOut", 8192, 1, 1e7, modelAt));
    model.context = static_cast<std::uint32_t>(reading.number(data, "context", 0, 0, 1e9, modelAt));
    model.microsPerToken =
        static_cast<std::uint32_t>(1e6 / reading.number(data, "promptTokensPerSecond", 10'000, 100, 1e7, modelAt));
    model.tokenFactor = reading.number(data, "tokenFactor", 1, 0.5, 3, modelAt);
    model.thinkPercent = static_cast<std::uint32_t>(reading.number(data, "thinks", 0, 0, 100, modelAt) * 100 + 0.5);
    const std::string own = reading.text(data, "quotaGroup", modelAt);
    model.quota = quotaOf(table, own.empty() ? quota : own);
    const std::string family = reading.text(data, "family", modelAt);
    model.family = hashOf(family.empty() ? id : family);
    const auto index = static_cast<ModelIndex>(table.models.size());
    if (data.name == preferred || provider.defaultModel == kNone16) provider.defaultModel = index;
    provider.models.push_back(index);
    table.models.push_back(std::move(model));
  }
  table.providers.push_back(std::move(provider));
}

std::vector<Target> readTargets(Reading& reading, const Table& table, const JsonValue& list, const std::string& at,
                                bool strict = true) {
  std::vector<Target> targets;
  if (!list.isArray()) return reading.fail(at, "expected a list of providers"), targets;
  for (const JsonValue& item : list.items) {
    const Target target = item.isString() ? table.findTarget(item.text) : Target{};
    if (target.provider == kNone16) {
      if (!strict) continue;
      std::string detail = "unknown provider or model ";
      JsonWriter writer(detail);
      writeJson(writer, item);
      reading.fail(at, std::move(detail));
      continue;
    }
    targets.push_back(target);
  }
  return targets;
}

void readMode(Reading& reading, Table& table, const JsonValue& json) {
  const std::string at = "/table/modes/" + json.name;
  Mode mode;
  mode.name = json.name;
  const JsonValue* rules = json.find("rules");
  if (rules == nullptr || !rules->isArray()) return reading.fail(at, "expected an object with a list of rules");
  for (const JsonValue& item : rules->items) {
    const std::string ruleAt = at + "/rules/" + std::to_string(mode.rules.size());
    const JsonValue* use = item.find("use");
    if (use == nullptr) return reading.fail(ruleAt, "expected a rule with 'use'");
    Rule rule;
    rule.name = reading.text(item, "name", ruleAt);
    rule.why = reading.text(item, "why", ruleAt);
    const std::string type = reading.text(item, "type", ruleAt);
    rule.anyType = type.empty();
    rule.type = stepTypeOf(type);
    if (!rule.anyType && rule.type == StepType::Other) reading.fail(ruleAt + "/type", "unknown step type");
    rule.complexityAbove = reading.number(item, "complexityAbove", -1, -1, 1, ruleAt);
    rule.tokensAbove = static_cast<std::int64_t>(reading.number(item, "tokensAbove", -1, -1, 1e9, ruleAt));
    rule.use = readTargets(reading, table, *use, ruleAt + "/use");
    mode.rules.push_back(std::move(rule));
  }
  // A mode must route every step, so the last rule may have no condition that a step can miss.
  if (mode.rules.empty() || !mode.rules.back().anyType || mode.rules.back().complexityAbove >= 0 ||
      mode.rules.back().tokensAbove >= 0)
    return reading.fail(at + "/rules", "the last rule must have no condition");
  if (const JsonValue* audit = json.find("audit")) mode.audit = readTargets(reading, table, *audit, at + "/audit");
  table.modes.push_back(std::move(mode));
}

void readLimits(Reading& reading, Table& table, const JsonValue& json) {
  const std::string overflow = reading.text(json, "overflow", "/table");
  if (overflow == "never")
    table.overflow = Overflow::Never;
  else if (overflow != "when_sooner")
    reading.fail("/table/overflow", "expected never or when_sooner");
  table.repairs = static_cast<std::uint32_t>(reading.number(json, "repairs", 1, 0, 1, "/table"));
  if (const JsonValue* timeouts = json.find("timeouts"); timeouts != nullptr && timeouts->isObject())
    table.totalTimeoutMs =
        static_cast<std::int64_t>(reading.number(*timeouts, "totalMs", 600000, 1, 1e9, "/table/timeouts"));
  const JsonValue* targets = json.find("targets");
  if (targets == nullptr || !targets->isObject()) return;
  const auto read = [&](const char* key, std::int64_t& into) {
    into =
        static_cast<std::int64_t>(reading.number(*targets, key, static_cast<double>(into), 0, 1e9, "/table/targets"));
  };
  read("firstTokenMs", table.targets.firstTokenMs);
  read("responseMs", table.targets.responseMs);
  read("queueMs", table.targets.queueMs);
  read("networkMs", table.targets.networkMs);
  const double hits = reading.number(*targets, "promptCacheHitRate", 0.6, 0, 1, "/table/targets");
  table.targets.promptCachePermille = static_cast<std::int64_t>(1000 * hits + 0.5);
}

/// `own`: the lists are the configuration's. The built-in ones may name what it has taken out.
void readDrafts(Reading& reading, Table& table, const JsonValue& json, bool own) {
  const std::string at = "/table/drafts";
  const JsonValue* drafts = reading.object(json, "drafts", "/table");
  if (drafts == nullptr) return;
  reading.only(*drafts, "use judge audit hedged", at);
  if (const JsonValue* use = drafts->find("use")) table.drafters = readTargets(reading, table, *use, at, own);
  if (const JsonValue* judge = drafts->find("judge")) table.judges = readTargets(reading, table, *judge, at, own);
  reading.number(*drafts, "audit", 0.1, 0.1, 1, at);
}

}  // namespace

ProviderIndex Table::findProvider(std::string_view id) const {
  for (std::size_t i = 0; i < providers.size(); ++i)
    if (providers[i].id == id) return static_cast<ProviderIndex>(i);
  return kNone16;
}

Target Table::findTarget(std::string_view text) const {
  // Model ids may hold slashes ("openai/gpt-oss-120b"): the provider ends at the first one.
  const std::size_t slash = text.find('/');
  const ProviderIndex provider = findProvider(text.substr(0, slash));
  if (provider != kNone16) {
    if (slash == std::string_view::npos) return {provider, providers[provider].defaultModel};
    for (const ModelIndex model : providers[provider].models)
      if (models[model].id == text.substr(slash + 1)) return {provider, model};
  }
  // A model alone: at the first provider that has it, one with a key before others.
  Target found;
  for (ModelIndex model = 0; model < models.size(); ++model) {
    if (models[model].id != text) continue;
    const bool available = providers[models[model].provider].available;
    if (available || found.provider == kNone16) found = {models[model].provider, model};
    if (available) break;
  }
  return found;
}

const Mode* Table::findMode(std::string_view name) const {
  for (const Mode& mode : modes)
    if (mode.name == name) return &mode;
  return nullptr;
}

namespace {

/// `ownDrafts`: the configuration names who drafts.
Expected<Table> readTable(const JsonValue& json, bool ownDrafts) {
  Reading reading;
  Table table;
  for (const char* member : {"providers", "modes", "unknownPrice"}) {
    const JsonValue* found = json.find(member);
    if (found == nullptr || !found->isObject())
      return Error{ErrorCode::OptionsInvalid, std::string("/table/") + member, "expected an object"};
  }
  const JsonValue& worst = *json.find("unknownPrice");
  if (const JsonValue* limits = reading.object(json, "limits", "/table"))
    for (const JsonValue& group : limits->items) table.quotas.push_back(readQuota(reading, group));
  const std::size_t limited = table.quotas.size();
  for (const JsonValue& provider : json.find("providers")->items) readProvider(reading, table, provider, worst);
  // A limit that nothing counts towards is misspelt, and would protect nothing.
  for (std::size_t i = 0; i < limited; ++i) {
    bool used = false;
    for (const Model& model : table.models) used = used || model.quota == i;
    if (!used) reading.fail("/table/limits/" + table.quotas[i].group, "no provider or model counts towards it");
  }
  if (table.providers.size() >= kNone16 || table.models.size() >= kNone16) reading.fail("/table", "too many models");
  if (!reading.error)
    for (const JsonValue& mode : json.find("modes")->items) readMode(reading, table, mode);
  readLimits(reading, table, json);
  readDrafts(reading, table, json, ownDrafts);
  table.policy = readPolicy(reading, json);
  table.pricesAsOf = reading.text(json, "pricesAsOf", "/table");
  if (reading.error) return reading.error;
  return table;
}

struct Loaded {
  JsonValue patch;
  Table table;
};

}  // namespace

Expected<Table> loadTable(const JsonValue* patch) {
  if (patch != nullptr && !patch->isObject())
    return Error{ErrorCode::OptionsInvalid, "/table", "expected a JSON object"};
  // The runs of a process mostly share one configuration: reading both tables takes longer than the rest of `begin`.
  static Loaded* last = nullptr;  // never freed
  const JsonValue none;
  const JsonValue& now = patch == nullptr ? none : *patch;
  if (last != nullptr && last->patch == now) return last->table;
  JsonValue json = *parseJson(defaultTableJson());
  if (patch != nullptr) mergePatch(json, *patch);
  Expected<Table> table = readTable(json, now.find("drafts") != nullptr);
  if (table) {
    delete last;
    last = new Loaded{now, *table};
  }
  return table;
}

}  // namespace aetherflow
