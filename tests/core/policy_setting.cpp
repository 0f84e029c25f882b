#include "policy_setting.hpp"

#include <algorithm>

namespace aetherflow::testing {
namespace {

/// Adds members to a JSON object, with the commas between.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  ~Members() { out_ += '}'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  std::string& raw(const std::string& key) {
    out_ += separator_ + '"' + key + "\":";
    separator_ = ",";
    return out_;
  }
  void number(const std::string& key, std::int64_t value) { raw(key) += std::to_string(value); }
  void text(const std::string& key, const std::string& value) { raw(key) += '"' + value + '"'; }

 private:
  std::string& out_;
  std::string separator_;
};

bool oneIn(Rng& rng, std::uint32_t n) {
  return rng.below(n) == 0;
}
std::int64_t between(Rng& rng, std::int64_t low, std::int64_t high) {
  return low + rng.below(static_cast<std::uint32_t>(high - low + 1));
}
/// Micro-USD as USD, exactly.
std::string usd(std::int64_t micro) {
  std::string digits = std::to_string(micro % 1'000'000);
  return std::to_string(micro / 1'000'000) + "." + std::string(6 - digits.size(), '0') + digits;
}

void writeModel(Rng& rng, Members& models, PolicySetting& setting, std::size_t provider, const SettingModel& worst) {
  SettingModel model = worst;
  model.provider = provider;
  model.id = "m" + std::to_string(setting.models.size());
  std::string& out = models.raw(model.id);
  Members members(out);
  if (!oneIn(rng, 4)) {
    model.in = between(rng, 0, 20) * 250'000;
    model.out = between(rng, 0, 40) * 250'000;
    model.cached = oneIn(rng, 2) ? model.in / 2 : model.in + 250'000;  // some charge more for what they keep
    members.raw("in") += usd(model.in);
    members.raw("out") += usd(model.out);
    members.raw("cached") += usd(model.cached);
  }
  members.number("firstTokenMs", between(rng, 50, 1500));
  members.number("tokensPerSecond", between(rng, 20, 500));
  members.number("maxOut", between(rng, 600, 9000));
  model.group = rng.below(static_cast<std::uint32_t>(setting.groups.size()));
  members.text("quotaGroup", "g" + std::to_string(model.group));
  setting.models.push_back(model);
}

void writeProvider(Rng& rng, Members& providers, PolicySetting& setting, const SettingModel& worst) {
  static constexpr const char* kJson[] = {"none", "object", "schema"};
  SettingProvider provider;
  provider.id = "p" + std::to_string(setting.providers.size());
  provider.concurrency = 1 + rng.below(3);
  Members members(providers.raw(provider.id));
  members.number("concurrency", provider.concurrency);
  members.text("json", kJson[rng.below(3)]);
  if (oneIn(rng, 2)) members.raw("prefix") += "true";
  if (oneIn(rng, 3)) {
    provider.peakPercent = oneIn(rng, 2) ? 200 : 150;
    provider.peakDay = 1 + rng.below(7);
    provider.peakFrom = rng.below(24);
    provider.peakTo = provider.peakFrom + rng.below(25 - provider.peakFrom);
    members.raw("peak") += "{\"factor\":" + usd(provider.peakPercent * 10'000) + ",\"days\":[" +
                           std::to_string(provider.peakDay) + "],\"hoursUtc\":[[" + std::to_string(provider.peakFrom) +
                           "," + std::to_string(provider.peakTo) + "]]}";
  }
  Members models(members.raw("models"));
  const std::uint32_t count = 1 + rng.below(2);
  for (std::uint32_t i = 0; i < count; ++i) writeModel(rng, models, setting, setting.providers.size(), worst);
  setting.providers.push_back(provider);
}

void writeProviders(Rng& rng, Members& table, PolicySetting& setting) {
  SettingModel worst;
  worst.in = worst.cached = between(rng, 1, 10) * 1'000'000;
  worst.out = between(rng, 1, 50) * 1'000'000;
  table.raw("unknownPrice") +=
      "{\"in\":" + usd(worst.in) + ",\"cached\":" + usd(worst.cached) + ",\"out\":" + usd(worst.out) + "}";
  Members providers(table.raw("providers"));
  for (const char* known : {"deepseek", "gemini", "groq", "mistral", "openai"}) providers.raw(known) += "null";
  const std::uint32_t count = 1 + rng.below(3);
  for (std::uint32_t i = 0; i < count; ++i) writeProvider(rng, providers, setting, worst);
}

/// One rule for all steps and one for refactoring, in another order; sometimes an audit.
void writeModes(Rng& rng, Members& table, PolicySetting& setting) {
  const auto list = [&](bool backwards) {
    std::string out = "[", separator;
    for (std::size_t i = 0; i < setting.models.size(); ++i) {
      const SettingModel& model = setting.models[backwards ? setting.models.size() - 1 - i : i];
      if (i > 0 && oneIn(rng, 3)) continue;
      out += separator + '"' + setting.providers[model.provider].id + "/" + model.id + '"';
      separator = ",";
    }
    return out + "]";
  };
  Members modes(table.raw("modes"));
  for (const char* known : {"fast", "double-check", "analysis-fast"}) modes.raw(known) += "null";
  Members build(modes.raw("build"));
  build.raw("rules") += "[{\"type\":\"refactoring\",\"use\":" + list(true) + "},{\"use\":" + list(false) + "}]";
  setting.audits = oneIn(rng, 3);
  if (setting.audits) build.raw("audit") += list(oneIn(rng, 2));
  setting.draftUse = list(oneIn(rng, 2));
  setting.draftJudges = list(oneIn(rng, 2));
}

void writeLimits(Rng& rng, Members& table, PolicySetting& setting) {
  static constexpr const char* kNames[] = {"requestsPerMinute", "tokensPerMinute", "requestsPerDay", "tokensPerDay"};
  Members limits(table.raw("limits"));
  for (std::size_t g = 0; g < setting.groups.size(); ++g) {
    // A group that no model counts towards is refused as misspelt.
    const auto uses = [&](const SettingModel& model) { return model.group == g; };
    if (std::none_of(setting.models.begin(), setting.models.end(), uses)) continue;
    SettingGroup& group = setting.groups[g];
    Members members(limits.raw("g" + std::to_string(g)));
    if (oneIn(rng, 3)) group.most[0] = between(rng, 1, 6);
    if (oneIn(rng, 3)) group.most[1] = between(rng, 1'000, 30'000);
    if (oneIn(rng, 6)) group.most[2] = between(rng, 1, 20);
    if (oneIn(rng, 6)) group.most[3] = between(rng, 5'000, 60'000);
    for (std::size_t w = 0; w < kWindows; ++w)
      if (group.most[w] >= 0) members.number(kNames[w], group.most[w]);
    if (oneIn(rng, 4)) members.number("concurrency", group.concurrency = 1 + rng.below(3));
  }
}

void writeCeiling(Rng& rng, Members& budget, const char* key, std::int64_t most, std::int64_t& money,
                  std::int64_t& tokens) {
  Members members(budget.raw(key));
  if (oneIn(rng, 2)) members.raw("usd") += usd(money = between(rng, 0, most));
  if (oneIn(rng, 2)) members.number("tokens", tokens = between(rng, 0, most));
}

void writeBudget(Rng& rng, Members& table, PolicySetting& setting) {
  static constexpr const char* kLadders[] = {"[\"cheaper\",\"skip_optional\",\"stop\"]", "[]", "[\"stop\"]",
                                             "[\"skip_optional\",\"cheaper\"]", "[\"cheaper\",\"stop\"]"};
  Members budget(table.raw("budget"));
  if (oneIn(rng, 2)) budget.raw("ladder") += kLadders[rng.below(5)];
  if (oneIn(rng, 2)) writeCeiling(rng, budget, "run", 200'000, setting.runUsd, setting.runTokens);
  if (oneIn(rng, 3)) writeCeiling(rng, budget, "step", 60'000, setting.stepUsd, setting.stepTokens);
  if (oneIn(rng, 3)) writeCeiling(rng, budget, "attempt", 30'000, setting.attemptUsd, setting.attemptTokens);
}

void writePolicy(Rng& rng, Members& table, PolicySetting& setting) {
  {
    Members retry(table.raw("retry"));
    retry.number("attempts", setting.attempts = 1 + rng.below(6));
    retry.number("perModel", 1 + rng.below(4));
    retry.number("baseMs", rng.below(1000));
    retry.number("capMs", rng.below(8000));
    if (oneIn(rng, 3)) retry.number("deadlineMs", setting.deadlineMs = between(rng, 1, oneIn(rng, 2) ? 3'000 : 90'000));
    retry.number("patienceMs", oneIn(rng, 4) ? 0 : oneIn(rng, 2) ? 5'000 : 900'000);
  }
  {
    Members breaker(table.raw("breaker"));
    breaker.number("failures", 1 + rng.below(5));
    breaker.number("openMs", between(rng, 1, 20'000));
    breaker.number("maxOpenMs", setting.maxOpenMs = between(rng, 1, 60'000));
  }
  if (oneIn(rng, 2)) {
    setting.hedgePermille = oneIn(rng, 2) ? 1000 : rng.below(500);
    table.raw("hedge") += "{\"share\":" + usd(setting.hedgePermille * 1000) + "}";
  }
  if (oneIn(rng, 4)) table.raw("floor") += "{\"tokensPerSecond\":20,\"afterMs\":500}";
  setting.interrupt = static_cast<Interrupt>(rng.below(3));
  table.text("interrupt", std::string(name(setting.interrupt)));
  table.number("repairs", rng.below(2));
  if (oneIn(rng, 2)) table.text("overflow", "never");
  if (oneIn(rng, 3)) table.raw("timeouts") += "{\"totalMs\":" + std::to_string(between(rng, 1, 7'200'000)) + "}";
}

}  // namespace

PolicySetting randomSetting(Rng& rng) {
  PolicySetting setting;
  setting.groups.resize(1 + rng.below(3));
  {
    Members options(setting.json);
    options.number("seed", rng.below(1'000'000));
    {
      Members table(options.raw("table"));
      writeProviders(rng, table, setting);
      writeModes(rng, table, setting);
      if (oneIn(rng, 2)) writeLimits(rng, table, setting);
      if (oneIn(rng, 2)) writeBudget(rng, table, setting);
      writePolicy(rng, table, setting);
      if (!oneIn(rng, 4)) {
        Members drafts(table.raw("drafts"));
        drafts.raw("use") += setting.draftUse;
        drafts.raw("judge") += setting.draftJudges;
        drafts.raw("audit") += oneIn(rng, 3) ? "1" : "0.3";
      }
    }
    if (oneIn(rng, 2)) {
      Members cache(options.raw("cache"));
      cache.text("*", std::string(name(setting.cache = static_cast<CacheUse>(rng.below(3)))));
      setting.cacheRefactoring = setting.cache;
      if (oneIn(rng, 2)) setting.cacheRefactoring = static_cast<CacheUse>(rng.below(3));
      cache.text("refactoring", std::string(name(setting.cacheRefactoring)));
    }
    std::string& available = options.raw("available");
    available += "[";
    for (std::size_t i = 0; i < setting.providers.size(); ++i)
      available += (i > 0 ? ",\"" : "\"") + setting.providers[i].id + "\"";
    available += "]";
  }
  return setting;
}

}  // namespace aetherflow::testing
