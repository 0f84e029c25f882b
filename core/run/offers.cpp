// May this step go to that model now? Places, cool-downs, health, limits and money, in this order.

#include <algorithm>

#include "core/run/run.hpp"

namespace aetherflow {
namespace {

constexpr std::uint32_t kUnknownAnswer = 400;  ///< tokens expected of a step that says 0
constexpr std::uint32_t kAuditAnswer = 120;    ///< a verdict and a few lines
constexpr std::uint32_t kPromptFrame = 120;    ///< tokens of the templates around a step's own text
constexpr MicroUsd kPlenty =
    1'000'000'000'000;  ///< no attempt costs a million USD; a million times it still fits 64 bits

Offer blockedBy(Reason why, TimeMs until = kNever, int window = -1) {
  Offer offer;
  offer.why = why;
  offer.until = until;
  offer.window = window;
  return offer;
}

Offer impossible(FailureKind kind) {
  Offer offer;
  offer.never = true;
  offer.kind = kind;
  return offer;
}

}  // namespace

std::uint32_t Run::answerEstimate(const Step& step, Purpose purpose) const {
  if (purpose == Purpose::Audit) return kAuditAnswer;
  return step.estimatedTokens > 0 ? step.estimatedTokens : kUnknownAnswer;
}

/// Generous, because a cut answer is worth nothing: four times the estimate, at least 2,048, never above the model's
/// own. Doubled for each time that the step's answer was cut.
std::uint32_t Run::answerLimit(const ReadyItem& item, const Model& model) const {
  if (item.purpose == Purpose::Audit) return std::min<std::uint32_t>(1024, model.maxOut);
  const std::uint64_t estimate = answerEstimate(plan().steps[item.step], item.purpose);
  const std::uint64_t wide = std::max<std::uint64_t>(2048, 4 * estimate)
                             << std::min<unsigned>(steps_[item.step].widened, 16);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(wide, model.maxOut));
}

bool Run::countsPrompts() const {
  const Policy& policy = table_.policy;
  return quotas_.countsTokens() || policy.run.any() || policy.step.any() || policy.attempt.any();
}

std::uint64_t ownPromptTokens(const Step& step) {
  std::uint64_t tokens = kPromptFrame + estimateTokens(step.description) + estimateTokens(step.context);
  for (const std::string& line : step.validationCriteria) tokens += estimateTokens(line);
  return tokens;
}

/// Tokens that the prompt will surely not exceed: the estimate of its texts in the model's measure, and 60 % for data
/// that estimates badly. Files are unknown until they are read; `prompted` corrects that.
std::uint32_t Run::promptBound(const ReadyItem& item, const Model& model) {
  StepRecord& record = steps_[item.step];
  if (record.promptTokens == 0 || record.promptPurpose != item.purpose) {
    const Step& step = plan().steps[item.step];
    std::uint64_t tokens = ownPromptTokens(step) + estimateTokens(plan().description) + estimateTokens(step.schema);
    for (const Dependency& dependency : step.dependencies) {
      if (dependency.step == kNone) continue;
      const CallId output = steps_[dependency.step].output;
      if (output != kNone) tokens += calls_[output].tokens.out;
    }
    if (item.purpose != Purpose::Main && record.output != kNone) tokens += 2ull * calls_[record.output].tokens.out;
    record.promptTokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, 1u << 30));
    record.promptPurpose = item.purpose;
  }
  const TokenFactor& factor = factors_[static_cast<std::size_t>(&model - table_.models.data())];
  const std::uint32_t corrected = factor.corrected(record.promptTokens);
  return corrected + corrected / 5 * 3 + 64;
}

bool Run::atPeak(ProviderIndex index, TimeMs at) const {
  const Provider& provider = table_.providers[index];
  if (provider.peakPercent == 100 || epochMs_ < 0) return false;
  const std::int64_t hours = (epochMs_ + at) / 3'600'000;
  const std::int64_t day = (hours / 24 + 3) % 7 + 1;  // 1970 began on a Thursday
  return ((provider.peakDays >> day) & 1) != 0 && ((provider.peakHours >> (hours % 24)) & 1) != 0;
}

Spend Run::worstCase(Target target, std::uint32_t promptTokens, std::uint32_t answerTokens) const {
  const Price& price = table_.models[target.model].price;
  Spend worst;
  // Some charge more for what they keep than for what they read afresh.
  const std::int64_t in = std::max(price.inPerMtok, price.cachedPerMtok);
  worst.usd = costOf({promptTokens, 0, answerTokens, 0}, in, in, price.outPerMtok);
  // It may begin to be billed at any moment of its time-out.
  if (atPeak(target.provider, now_) || atPeak(target.provider, now_ + table_.totalTimeoutMs))
    worst.usd = (worst.usd * table_.providers[target.provider].peakPercent + 99) / 100;
  worst.tokens = static_cast<std::int64_t>(promptTokens) + answerTokens;
  return worst;
}

/// Optional steps may not spend what the others are expected to need.
bool Run::fitsBudget(StepIndex step, const Spend& more) const {
  Spend taken = spent_;
  taken += reserved_;
  taken += held_;
  if (plan().steps[step].optional) taken.usd += planned_;
  return within(table_.policy.run, taken, more);
}

Offer Run::offer(const ReadyItem& item, Target target) {
  if (!slots_.free(target.provider)) return blockedBy(Reason::WaitedForProvider);
  const Model& model = table_.models[target.model];
  if (const TimeMs until = quotas_.coolUntil(model.quota); until > now_) {
    if (until - now_ <= table_.policy.patienceMs) return blockedBy(Reason::WaitingForCooldown, until);
    return impossible(until - now_ > kQuotaGoneMs / 2 ? FailureKind::QuotaExhausted : FailureKind::RateLimited);
  }
  if (const TimeMs until = health_.blockedUntil(target.provider, now_); until > 0)
    return blockedBy(Reason::WaitingForBreaker, until);
  const bool throttled = steps_[item.step].tries > 0 && !health_.retriesAllowed(target.provider);
  if (throttled && slots_.inFlight(target.provider) > 0) return blockedBy(Reason::WaitingForRetry);
  Offer offer;
  offer.promptBound = countsPrompts() ? promptBound(item, model) : 0;
  offer.maxTokens = answerLimit(item, model);
  return priced(item, target, offer);
}

/// The widest answer that limits and money allow now; where the generous one does not fit, twice the estimate will do.
Offer Run::priced(const ReadyItem& item, Target target, Offer offer) {
  const Model& model = table_.models[target.model];
  const Policy& policy = table_.policy;
  const StepRecord& record = steps_[item.step];
  const std::uint32_t estimate = answerEstimate(plan().steps[item.step], item.purpose);
  const std::uint32_t least = std::min(estimate, offer.maxTokens);
  if (policy.attempt.any()) {
    // The attempt's own ceilings cut the answer's length, as long as the expected one still fits.
    const Spend prompt = worstCase(target, offer.promptBound, 0);
    const Spend one = worstCase(target, 0, 1'000'000);
    std::int64_t most = offer.maxTokens;
    if (policy.attempt.tokens >= 0) most = std::min(most, policy.attempt.tokens - prompt.tokens);
    if (policy.attempt.usd >= 0 && one.usd > 0)
      most = std::min(most, std::min<MicroUsd>(policy.attempt.usd - prompt.usd - 1, kPlenty) * 1'000'000 / one.usd);
    if (most < static_cast<std::int64_t>(least)) return impossible(FailureKind::BudgetExceeded);
    offer.maxTokens = static_cast<std::uint32_t>(most);
  }
  const std::uint32_t tight =
      std::min(offer.maxTokens, std::max(256u, 2 * estimate) << std::min<unsigned>(record.widened, 8));
  Offer refused;
  for (const std::uint32_t answer : {offer.maxTokens, tight}) {
    offer.maxTokens = answer;
    offer.worst = worstCase(target, offer.promptBound, answer);
    const QuotaFit fit = quotas_.check(model.quota, offer.worst.tokens, now_);
    if (!within(policy.step, record.taken(), offer.worst) || !within(policy.attempt, {}, offer.worst)) {
      refused = impossible(FailureKind::BudgetExceeded);
    } else if (!fit.fits) {
      refused =
          fit.ever ? blockedBy(Reason::WaitingForLimit, fit.until, fit.window) : impossible(FailureKind::TooLarge);
    } else if (!fitsBudget(item.step, offer.worst)) {
      refused = blockedBy(Reason::WaitingForBudget);
    } else {
      offer.goes = true;
      return offer;
    }
  }
  return refused;
}

}  // namespace aetherflow
