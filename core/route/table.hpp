#pragma once
// Providers, models, prices, speeds and routing rules, as data: defaults.json, overridden by the host's configuration.

#include <string>
#include <string_view>
#include <vector>

#include "core/base/expected.hpp"
#include "core/base/ids.hpp"
#include "core/base/json.hpp"
#include "core/limit/quotas.hpp"
#include "core/plan/plan.hpp"
#include "core/route/policy.hpp"

namespace aetherflow {

/// What a provider can enforce on an answer: nothing, any JSON object, or a JSON Schema.
enum class JsonSupport : std::uint8_t { None, Object, Schema };

/// Prices in micro-USD per million tokens (0.15 USD/Mtok = 150,000).
struct Price {
  std::int64_t inPerMtok = 0;
  std::int64_t cachedPerMtok = 0;   ///< read from the provider's prompt cache
  std::int64_t writtenPerMtok = 0;  ///< written to it, instead of inPerMtok
  std::int64_t outPerMtok = 0;
  bool known = false;  ///< false: these are the table's worst case, never zero
  std::string asOf;    ///< date of the price, "2026-11-01"
  std::string source;
};

struct Model {
  std::string id;
  ProviderIndex provider = kNone16;
  Price price;
  std::uint32_t firstTokenMs = 1000;   ///< planning estimate
  std::uint32_t tokensPerKs = 60'000;  ///< planning estimate: tokens in 1,000 s, ≥ 1,000
  std::uint32_t maxOut = 8192;         ///< most answer tokens
  std::uint32_t context = 0;           ///< tokens of prompt and answer together, 0: not known
  double tokenFactor = 1;              ///< prompt tokens as counted for each that is estimated, as earlier runs saw it
  std::uint32_t thinkPercent = 0;      ///< tokens of hidden thought for 100 of answer, typically
  std::uint32_t microsPerToken = 0;    ///< planning estimate: time to read a token of a prompt
  QuotaIndex quota = 0;                ///< the group whose limits it counts towards
  std::uint32_t family = 0;            ///< who trained it, as a hash: a verdict on an answer comes from another one

  /// Tokens of an answer and the hidden thought before it, up to the model's limit.
  std::uint32_t withThought(std::uint64_t answer) const {
    const std::uint64_t all = answer + answer * thinkPercent / 100;
    return all < maxOut ? static_cast<std::uint32_t>(all) : maxOut;
  }

  /// Expected time of a call that answers with `tokens`. Integer ms.
  std::int64_t estimateMs(std::uint32_t tokens) const {
    return firstTokenMs + static_cast<std::int64_t>(tokens) * 1'000'000 / tokensPerKs;
  }
};

struct Provider {
  std::string id;
  std::string name;
  bool available = false;  ///< has a key, or is simulated
  std::uint32_t concurrency = 8;
  JsonSupport json = JsonSupport::None;
  std::uint32_t cacheMinimum = 0;      ///< shortest shared prefix that the provider caches, tokens; 0: no cache
  std::uint32_t cacheLeaders = 1;      ///< requests that must have read a prefix before others find it cached
  std::int64_t cacheIdleMs = 300'000;  ///< how long it is kept without use, at least
  bool prefix = false;                 ///< can continue a given beginning of its answer
  /// At the hours (bits 0–23, UTC) of the days (bits 1–7, Monday first) of its peak it costs this much of its price.
  std::uint32_t peakPercent = 100, peakDays = 0, peakHours = 0;
  ModelIndex defaultModel = kNone16;
  std::vector<ModelIndex> models;
};

struct Target {
  ProviderIndex provider = kNone16;
  ModelIndex model = kNone16;
  bool operator==(const Target&) const = default;
};

/// First rule of a mode that fits a step decides. Absent conditions always fit.
struct Rule {
  std::string name;
  std::string why;
  bool anyType = true;
  StepType type = StepType::Other;
  double complexityAbove = -1;
  std::int64_t tokensAbove = -1;
  std::vector<Target> use;  ///< preferred first

  bool fits(const Step& step) const {
    return (anyType || step.type == type) && step.complexity > complexityAbove &&
           static_cast<std::int64_t>(step.estimatedTokens) > tokensAbove;
  }
};

struct Mode {
  std::string name;
  std::vector<Rule> rules;
  std::vector<Target> audit;  ///< empty: results are not audited
};

/// When a full provider's work may flow to the next admissible one.
enum class Overflow : std::uint8_t {
  Never,
  WhenSooner,  ///< when it is expected to end sooner there than after waiting here
};

/// Targets, ms; the report names the steps that missed them.
struct MetricTargets {
  std::int64_t firstTokenMs = 2000, responseMs = 30000, queueMs = 1000, networkMs = 500;
  /// Of prompt tokens, read from providers' caches, where steps share any.
  std::int64_t promptCachePermille = 600;
};

struct Table {
  std::vector<Provider> providers;  ///< by id, ascending
  std::vector<Model> models;
  std::vector<Mode> modes;
  Overflow overflow = Overflow::WhenSooner;
  std::uint32_t repairs = 1;
  std::int64_t totalTimeoutMs = 600000;
  MetricTargets targets;
  std::vector<Target> drafters,
      judges;  ///< models that draft, and that compare a draft with a full answer; preferred first
  Policy policy;
  std::vector<QuotaLimits> quotas;
  std::string pricesAsOf;

  ProviderIndex findProvider(std::string_view id) const;  ///< kNone16 when there is none
  /// "provider" (its default model), "provider/model", or the id of a model alone. kNone16 members when unknown.
  Target findTarget(std::string_view text) const;
  const Mode* findMode(std::string_view name) const;
};

/// The built-in table as JSON text; static storage.
std::string_view defaultTableJson();

/// Built-in table with `patch` merged over it (RFC 7396; nullptr: no patch).
/// Fails: options.invalid with the place inside the merged table.
Expected<Table> loadTable(const JsonValue* patch);

}  // namespace aetherflow
