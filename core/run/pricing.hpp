#pragma once
// What a call may use and what it used, as functions of the table and the time: token bounds, worst case, cost.

#include "core/limit/budget.hpp"
#include "core/metrics/cost.hpp"
#include "core/prompt/tokens.hpp"
#include "core/route/table.hpp"
#include "core/run/phases.hpp"

namespace aetherflow {

/// Estimated tokens of what a step's prompt is certain to contain: its own texts and the templates around them.
std::uint64_t ownPromptTokens(const Step& step);

/// Answer tokens expected of a call.
std::uint32_t answerEstimate(const Step& step, const Phase& phase);
/// Most answer tokens of a call. Generous, because a truncated answer is worthless: four times the estimate, at least 2,048,
/// or what the step says; never above the model's own. Doubled for each time that the step's answer was cut.
std::uint32_t answerLimit(const Step& step, const Phase& phase, const Model& model, std::uint32_t widened);
/// An upper bound on a prompt's tokens: the estimate corrected for the model, plus 60 % for data that estimates poorly.
std::uint32_t promptBound(std::uint32_t estimate, const TokenFactor& factor);

/// Whether a provider's peak price applies. `wallMs`: ms since 1970, −1 unknown.
bool atPeak(const Provider& provider, std::int64_t wallMs);
/// The most that a call which leaves at `wallMs` can cost; it may begin to be billed at any moment of its time-out.
Spend worstCase(const Table& table, Target target, std::uint32_t promptTokens, std::uint32_t answerTokens,
                std::int64_t wallMs);
/// What a call cost. `peak`: at the provider's peak price.
MicroUsd costOfCall(const Table& table, Target target, const TokenCounts& tokens, bool peak);

}  // namespace aetherflow
