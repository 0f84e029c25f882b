#include "core/route/policy_reader.hpp"

namespace aetherflow {
namespace {

constexpr std::int64_t kLongest = 31'536'000'000;  ///< a year, ms
constexpr std::int64_t kMost = 1'000'000'000'000;

Ceiling readCeiling(Reading& reading, const JsonValue& budget, const char* key) {
  Ceiling ceiling;
  const std::string at = "/table/budget";
  const JsonValue* found = reading.object(budget, key, at);
  if (found == nullptr) return ceiling;
  const std::string inside = at + "/" + key;
  reading.only(*found, "usd tokens", inside);
  const double usd = reading.number(*found, "usd", -1, 0, 1e9, inside);
  // Rounded down: a ceiling is never more than was stated.
  if (usd >= 0) ceiling.usd = static_cast<MicroUsd>(usd * 1e6 + 1e-6);
  ceiling.tokens = reading.whole(*found, "tokens", -1, 0, kMost, inside);
  return ceiling;
}

void readBudget(Reading& reading, const JsonValue& table, Policy& policy) {
  const JsonValue* budget = reading.object(table, "budget", "/table");
  if (budget == nullptr) return;
  reading.only(*budget, "run step attempt ladder", "/table/budget");
  policy.run = readCeiling(reading, *budget, "run");
  policy.step = readCeiling(reading, *budget, "step");
  policy.attempt = readCeiling(reading, *budget, "attempt");
  const JsonValue* ladder = budget->find("ladder");
  if (ladder == nullptr || ladder->isNull()) return;
  // Any other value has no items, and would be a ladder without rungs.
  if (!ladder->isArray())
    return reading.fail("/table/budget/ladder", "expected a list of cheaper, skip_optional, stop");
  static constexpr std::string_view kRungs[] = {"cheaper", "skip_optional", "stop"};
  policy.ladder = {Rung::None, Rung::None, Rung::None};
  std::size_t count = 0;
  for (const JsonValue& rung : ladder->items) {
    std::size_t which = 0;
    while (which < 3 && kRungs[which] != rung.text) ++which;
    if (which == 3 || count == 3)
      return reading.fail("/table/budget/ladder", "expected a list of cheaper, skip_optional, stop");
    policy.ladder[count++] = static_cast<Rung>(which);
  }
}

}  // namespace

Policy readPolicy(Reading& reading, const JsonValue& table) {
  Policy policy;
  if (const JsonValue* retry = reading.object(table, "retry", "/table")) {
    const std::string at = "/table/retry";
    reading.only(*retry, "attempts perModel baseMs capMs deadlineMs patienceMs", at);
    policy.attempts = static_cast<std::uint32_t>(reading.whole(*retry, "attempts", policy.attempts, 1, 100, at));
    policy.perModel = static_cast<std::uint32_t>(reading.whole(*retry, "perModel", policy.perModel, 1, 100, at));
    policy.baseMs = reading.whole(*retry, "baseMs", policy.baseMs, 0, kLongest, at);
    policy.capMs = reading.whole(*retry, "capMs", policy.capMs, 0, kLongest, at);
    policy.deadlineMs = reading.whole(*retry, "deadlineMs", policy.deadlineMs, 0, kLongest, at);
    policy.patienceMs = reading.whole(*retry, "patienceMs", policy.patienceMs, 0, kLongest, at);
  }
  if (const JsonValue* breaker = reading.object(table, "breaker", "/table")) {
    const std::string at = "/table/breaker";
    reading.only(*breaker, "failures openMs maxOpenMs", at);
    policy.failures = static_cast<std::uint32_t>(reading.whole(*breaker, "failures", policy.failures, 1, 1000, at));
    policy.openMs = reading.whole(*breaker, "openMs", policy.openMs, 1, kLongest, at);
    policy.maxOpenMs = reading.whole(*breaker, "maxOpenMs", policy.maxOpenMs, 1, kLongest, at);
  }
  if (const JsonValue* hedge = reading.object(table, "hedge", "/table")) {
    reading.only(*hedge, "share", "/table/hedge");
    policy.hedgePermille =
        static_cast<std::uint32_t>(reading.number(*hedge, "share", 0, 0, 1, "/table/hedge") * 1000 + 0.5);
  }
  if (const JsonValue* floor = reading.object(table, "floor", "/table")) {
    reading.only(*floor, "tokensPerSecond afterMs", "/table/floor");
    policy.floorTokensPerSecond =
        static_cast<std::uint32_t>(reading.whole(*floor, "tokensPerSecond", 0, 0, 1'000'000, "/table/floor"));
    policy.floorAfterMs = reading.whole(*floor, "afterMs", policy.floorAfterMs, 1, kLongest, "/table/floor");
  }
  if (const std::string text = reading.text(table, "interrupt", "/table"); !text.empty()) {
    policy.interrupt = interruptOf(text);
    if (policy.interrupt == Interrupt::Count) reading.fail("/table/interrupt", "expected restart, continue or fail");
  }
  if (const std::string text = reading.text(table, "unknownFinish", "/table"); !text.empty()) {
    policy.acceptsUnknownEnd = text == "accept";
    if (text != "accept" && text != "incomplete") reading.fail("/table/unknownFinish", "expected incomplete or accept");
  }
  readBudget(reading, table, policy);
  return policy;
}

QuotaLimits readQuota(Reading& reading, const JsonValue& group) {
  QuotaLimits limits;
  limits.group = group.name;
  const std::string at = "/table/limits/" + group.name;
  if (!group.isObject()) return reading.fail(at, "expected an object"), limits;
  reading.only(group, "requestsPerMinute tokensPerMinute requestsPerDay tokensPerDay concurrency", at);
  static constexpr const char* kMembers[] = {"requestsPerMinute", "tokensPerMinute", "requestsPerDay", "tokensPerDay"};
  for (std::size_t i = 0; i < kWindows; ++i) limits.most[i] = reading.whole(group, kMembers[i], -1, 1, kMost, at);
  limits.concurrency = static_cast<std::uint32_t>(reading.whole(group, "concurrency", 0, 0, 100'000, at));
  return limits;
}

}  // namespace aetherflow
