#include "core/run/options.hpp"

#include "core/base/json.hpp"
#include "core/route/reading.hpp"

namespace aetherflow {
namespace {

Error wrong(const char* where, const char* what) {
  return {ErrorCode::OptionsInvalid, where, what};
}

/// A member that is there and not null.
const JsonValue* given(const JsonValue& json, const char* key) {
  const JsonValue* found = json.find(key);
  return found == nullptr || found->isNull() ? nullptr : found;
}

Error readAnswers(const JsonValue& json, RunOptions& options) {
  const JsonValue* answers = given(json, "answers");
  if (answers == nullptr) return {};
  Reading reading;
  options.answerTokens = static_cast<std::uint32_t>(reading.whole(*answers, "tokens", 0, 0, 10'000'000, "/answers"));
  options.answerShare = reading.number(*answers, "share", 0, 0, 1, "/answers");
  return reading.error;
}

Error readRun(const JsonValue& json, const Table& table, RunOptions& options) {
  if (const JsonValue* mode = given(json, "mode")) {
    if (!mode->isString() || table.findMode(mode->text) == nullptr)
      return wrong("/mode", "expected build, fast, double-check or a mode of the configuration");
    options.mode = mode->text;
  }
  if (const JsonValue* seed = given(json, "seed")) {
    const std::optional<std::uint64_t> value = seed->unsignedInteger();
    if (!value) return wrong("/seed", "expected a whole number");
    options.seed = *value;
  }
  if (const JsonValue* use = given(json, "promptCache")) {
    options.promptCache = use->text == "off"      ? PromptCacheUse::Off
                          : use->text == "always" ? PromptCacheUse::Always
                                                  : PromptCacheUse::Auto;
    if (options.promptCache == PromptCacheUse::Auto && use->text != "auto")
      return wrong("/promptCache", "expected off, auto or always");
  }
  const auto flag = [&](const char* key, bool& target) {
    const JsonValue* value = given(json, key);
    if (value != nullptr) target = value->isTrue();
    return value == nullptr || value->isBoolean();
  };
  if (!flag("strip", options.strip) || !flag("optimize", options.optimize) || !flag("checks", options.checks))
    return wrong("/strip", "strip, optimize and checks are true or false");
  return readAnswers(json, options);
}

/// "*" stands for every type that is not named.
Error readCache(const JsonValue& json, RunOptions& options) {
  const JsonValue* cache = given(json, "cache");
  if (cache == nullptr) return {};
  if (!cache->isObject()) return wrong("/cache", "expected an object: type of step, or * → off, exact or semantic");
  options.cached = true;
  for (const bool named : {false, true})
    for (const JsonValue& value : cache->items) {
      const StepType type = stepTypeOf(value.name);
      const CacheUse use = value.isString() ? cacheUseOf(value.text) : CacheUse::Count;
      if (use == CacheUse::Count || (type == StepType::Other && value.name != "*"))
        return wrong("/cache", "expected a type of step or *, and off, exact or semantic");
      if (!named && value.name == "*") options.cache.fill(use);
      if (named && value.name != "*") options.cache[static_cast<std::size_t>(type)] = use;
    }
  return {};
}

Error readProviders(const JsonValue& json, Table& table) {
  if (const JsonValue* available = given(json, "available")) {
    if (!available->isArray()) return wrong("/available", "expected a list of provider ids");
    for (const JsonValue& id : available->items) {
      const ProviderIndex provider = id.isString() ? table.findProvider(id.text) : kNone16;
      if (provider == kNone16) return wrong("/available", "a provider that the table does not have");
      table.providers[provider].available = true;
    }
  }
  if (const JsonValue* concurrency = given(json, "concurrency")) {
    if (!concurrency->isObject()) return wrong("/concurrency", "expected an object: provider → number");
    for (const JsonValue& value : concurrency->items) {
      const ProviderIndex provider = table.findProvider(value.name);
      const std::uint64_t number = value.unsignedInteger().value_or(0);
      if (provider == kNone16 || number < 1 || number > 100000)
        return wrong("/concurrency", "expected a provider of the table and a number from 1 to 100000");
      table.providers[provider].concurrency = static_cast<std::uint32_t>(number);
    }
  }
  for (const Provider& provider : table.providers)
    if (provider.available) return {};
  return {ErrorCode::RouteNoProvider, "", "no provider is configured"};
}

}  // namespace

Expected<BeginOptions> readBegin(std::string_view text) {
  const std::optional<JsonValue> json = parseJson(text.empty() ? "{}" : text);
  if (!json || !json->isObject()) return wrong("", "the options are not a JSON object");
  Expected<Table> table = loadTable(given(*json, "table"));
  if (!table) return table.error();
  BeginOptions begin;
  if (Error error = readRun(*json, *table, begin.run)) return error;
  if (Error error = readCache(*json, begin.run)) return error;
  if (Error error = readProviders(*json, *table)) return error;
  begin.table = std::move(*table);
  return begin;
}

}  // namespace aetherflow
