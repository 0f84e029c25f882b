#include "core/run/pricing.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

constexpr std::uint32_t kUnknownAnswer = 400;  ///< tokens expected of a step that says 0
constexpr std::uint32_t kPromptFrame = 120;    ///< tokens of the templates around a step's own text
constexpr std::int64_t kHourMs = 3'600'000;

MicroUsd atPeakPrice(const Provider& provider, MicroUsd usd) {
  return (usd * provider.peakPercent + 99) / 100;
}

}  // namespace

std::uint64_t ownPromptTokens(const Step& step) {
  std::uint64_t tokens =
      kPromptFrame + estimateTokens(step.description) + estimateTokens(step.context) + estimateTokens(step.system);
  for (const std::string& line : step.validationCriteria) tokens += estimateTokens(line);
  for (const std::string& value : step.values) tokens += estimateTokens(value);
  return tokens;
}

std::uint32_t answerEstimate(const Step& step, const Phase& phase) {
  if (phase.expectedTokens > 0) return phase.expectedTokens;
  return step.estimatedTokens > 0 ? step.estimatedTokens : kUnknownAnswer;
}

std::uint32_t answerLimit(const Step& step, const Phase& phase, const Model& model, std::uint32_t widened) {
  if (phase.mostTokens > 0) return model.withThought(phase.mostTokens);
  const std::uint64_t estimate = answerEstimate(step, phase);
  if (step.maxTokens > 0) return model.withThought(step.maxTokens);
  const std::uint64_t wide = std::max<std::uint64_t>(2048, 4 * estimate) << std::min<std::uint32_t>(widened, 16);
  return model.withThought(wide);
}

std::uint32_t promptBound(std::uint32_t estimate, const TokenFactor& factor) {
  const std::uint32_t corrected = factor.corrected(estimate);
  return corrected + corrected / 5 * 3 + 64;
}

bool atPeak(const Provider& provider, std::int64_t wallMs) {
  if (provider.peakPercent == 100 || wallMs < 0) return false;
  const std::int64_t hours = wallMs / kHourMs;
  const std::int64_t day = (hours / 24 + 3) % 7 + 1;  // 1970 began on a Thursday
  return ((provider.peakDays >> day) & 1) != 0 && ((provider.peakHours >> (hours % 24)) & 1) != 0;
}

Spend worstCase(const Table& table, Target target, std::uint32_t promptTokens, std::uint32_t answerTokens,
                std::int64_t wallMs) {
  const Price& price = table.models[target.model].price;
  const Provider& provider = table.providers[target.provider];
  Spend worst;
  // Some charge more for writing to the cache than for reading uncached tokens.
  const std::int64_t in = std::max({price.inPerMtok, price.cachedPerMtok, price.writtenPerMtok});
  worst.usd = costOf({promptTokens, 0, answerTokens, 0}, in, in, price.outPerMtok);
  if (atPeak(provider, wallMs) || (wallMs >= 0 && atPeak(provider, wallMs + table.totalTimeoutMs)))
    worst.usd = atPeakPrice(provider, worst.usd);
  worst.tokens = static_cast<std::int64_t>(promptTokens) + answerTokens;
  return worst;
}

MicroUsd costOfCall(const Table& table, Target target, const TokenCounts& tokens, bool peak) {
  const Price& price = table.models[target.model].price;
  const MicroUsd plain = costOf(tokens, price.inPerMtok, price.cachedPerMtok, price.outPerMtok, price.writtenPerMtok);
  return peak ? atPeakPrice(table.providers[target.provider], plain) : plain;
}

}  // namespace aetherflow
