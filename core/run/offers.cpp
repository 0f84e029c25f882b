// May this step go to that model now? Places, cool-downs, health, limits and money, in this order.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {
namespace {

/// No attempt costs a million USD, and a million times that still fits 64 bits.
constexpr MicroUsd kPlenty = 1'000'000'000'000;

Offer blockedBy(Reason why, TimeMs until = kNever, Window window = Window::Count) {
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

bool Machine::countsPrompts() const {
  return quotas_.countsTokens() || purse_.limits();
}

/// An upper bound on the prompt's tokens, as far as its files are known: `weighed` adds them, `prompted` corrects it.
std::uint32_t Machine::promptBoundOf(StepIndex index, ModelIndex model) {
  StepRecord& record = steps_[index];
  if (record.promptTokens == 0) {
    const Step& step = plan().steps[index];
    std::uint64_t tokens = ownPromptTokens(step) + estimateTokens(plan().description) + estimateTokens(step.schema) +
                           record.fileTokens + record.documentTokens;
    for (const Dependency& dependency : step.dependencies) {
      if (dependency.step == kNone) continue;
      const CallId output = steps_[dependency.step].output;
      if (output != kNone) tokens += calls_[output].tokens.out;
    }
    const bool takesAnswer = phase(record.phase).role != PromptRole::Work;
    if (takesAnswer && record.output != kNone) tokens += 2ull * calls_[record.output].tokens.out;
    record.promptTokens = static_cast<std::uint32_t>(std::min<std::uint64_t>(tokens, 1u << 30));
  }
  return promptBound(record.promptTokens, factors_[model]);
}

/// Whether the shared limits were full when last asked, and how long that answer is valid.
bool Machine::blockedByOthers(QuotaIndex quota, Offer& offer) const {
  const SharedBlock& block = quotas_.sharedBlock(quota);
  if (block.until <= now_) return false;
  const bool window = block.why == Refusal::Window, breaker = block.why == Refusal::Breaker;
  const Reason why = window ? Reason::WaitingForLimit : breaker ? Reason::WaitingForBreaker : Reason::WaitingForOthers;
  offer = blockedBy(why, block.until, window ? block.window : Window::Count);
  return true;
}

Offer Machine::offer(const ReadyItem& item, Target target) {
  if (!slots_.free(target.provider)) return blockedBy(Reason::WaitedForProvider);
  const Model& model = table_.models[target.model];
  if (gone_[target.model] != FailureKind::Count) return impossible(gone_[target.model]);
  if (const TimeMs until = quotas_.coolUntil(model.quota); until > now_) {
    if (until - now_ <= table_.policy.patienceMs) return blockedBy(Reason::WaitingForCooldown, until);
    return impossible(until - now_ > kQuotaGoneMs / 2 ? FailureKind::QuotaExhausted : FailureKind::RateLimited);
  }
  if (const TimeMs until = health_.blockedUntil(target.provider, now_); until > 0)
    return blockedBy(Reason::WaitingForBreaker, until);
  const bool throttled = steps_[item.step].tries > 0 && !health_.retriesAllowed(target.provider);
  if (throttled && slots_.inFlight(target.provider) > 0) return blockedBy(Reason::WaitingForRetry);
  if (!quotas_.mayProbe(model.quota)) return blockedBy(Reason::WaitingForRetry);
  Offer offer;
  if (blockedByOthers(model.quota, offer)) return offer;
  offer.promptBound = countsPrompts() ? promptBoundOf(item.step, target.model) : 0;
  offer.maxTokens = answerLimit(plan().steps[item.step], phase(item.purpose), model, steps_[item.step].widened);
  if (model.context > 0) {
    // Some hosts silently truncate what does not fit the window.
    promptBoundOf(item.step, target.model);
    const std::uint32_t prompt = factors_[target.model].corrected(steps_[item.step].promptTokens);
    const std::uint32_t least = answerEstimate(plan().steps[item.step], phase(item.purpose));
    if (std::uint64_t{prompt} + std::min(least, offer.maxTokens) > model.context)
      return impossible(FailureKind::TooLarge);
    offer.maxTokens = std::min(offer.maxTokens, model.context - prompt);
  }
  return priced(item, target, offer);
}

/// Most answer tokens that `rest` pays for in addition to the prompt, up to the offer's own limit; negative: not even the prompt.
/// -1 in `rest`: no ceiling.
std::int64_t Machine::affordable(Target target, const Offer& offer, const Spend& rest) const {
  const Spend prompt = worstCase(table_, target, offer.promptBound, 0, wallMs());
  const Spend one = worstCase(table_, target, 0, 1'000'000, wallMs());
  std::int64_t most = offer.maxTokens;
  if (rest.tokens >= 0) most = std::min(most, rest.tokens - prompt.tokens);
  if (rest.usd >= 0 && one.usd > 0)
    most = std::min(most, std::min<MicroUsd>(rest.usd - prompt.usd - 1, kPlenty) * 1'000'000 / one.usd);
  return most;
}

/// The longest answer that limits and money allow now; where the generous limit does not fit, twice the estimate is enough.
Offer Machine::priced(const ReadyItem& item, Target target, Offer offer) {
  const Model& model = table_.models[target.model];
  const Ceiling& attempt = purse_.attempt();
  const StepRecord& record = steps_[item.step];
  const std::uint32_t estimate = answerEstimate(plan().steps[item.step], phase(item.purpose));
  const std::uint32_t least = std::min(estimate, offer.maxTokens);
  if (attempt.any()) {
    // The attempt's own ceilings cut the answer's length, as long as the expected one still fits.
    const std::int64_t most = affordable(target, offer, {attempt.usd, attempt.tokens});
    if (most < static_cast<std::int64_t>(least)) return impossible(FailureKind::BudgetExceeded);
    offer.maxTokens = static_cast<std::uint32_t>(most);
  }
  const std::uint32_t tight = std::min(offer.maxTokens, model.withThought(std::uint64_t{std::max(256u, 2 * estimate)}
                                                                          << std::min<unsigned>(record.widened, 8)));
  // When money is short, whatever it buys is enough, down to the expected answer.
  const Spend rest = purse_.rest(record.money, plan().steps[item.step].optional);
  const std::int64_t last = record.frugal ? affordable(target, offer, rest) : 0;
  const std::uint32_t wanted = std::min(tight, least << std::min<unsigned>(record.widened, 8));
  const std::uint32_t shrunk = last < static_cast<std::int64_t>(wanted) ? tight : static_cast<std::uint32_t>(last);
  Offer refused;
  for (const std::uint32_t answer : {offer.maxTokens, tight, std::min(tight, shrunk)}) {
    offer.maxTokens = answer;
    offer.worst = worstCase(table_, target, offer.promptBound, answer, wallMs());
    const QuotaFit fit = quotas_.check(model.quota, offer.worst.tokens, now_);
    if (!purse_.fitsStep(record.money, offer.worst) || !purse_.fitsAttempt(offer.worst)) {
      refused = impossible(FailureKind::BudgetExceeded);
    } else if (!fit.fits) {
      refused =
          fit.ever ? blockedBy(Reason::WaitingForLimit, fit.until, fit.window) : impossible(FailureKind::TooLarge);
    } else if (!fitsRun(item.step, offer.worst)) {
      refused = blockedBy(Reason::WaitingForBudget);
    } else {
      offer.goes = true;
      return offer;
    }
  }
  return refused;
}

}  // namespace aetherflow
