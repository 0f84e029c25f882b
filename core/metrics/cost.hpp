#pragma once
// Tokens to money. Integers only: sums do not depend on their order.

#include <cstdint>

#include "core/base/ids.hpp"

namespace aetherflow {

/// Tokens of one call as the provider counts them: `in` includes `cached` and `written` (to its prompt
/// cache, at a price of its own), `out` includes `reasoning`.
struct TokenCounts {
  std::uint32_t in = 0, cached = 0, out = 0, reasoning = 0, written = 0;
};

/// Micro-USD, rounded up once per call so that no call is free by rounding.
/// Prices in micro-USD per million tokens. Exact up to 9·10⁶ tokens at 1,000,000 USD/Mtok: no overflow in 64 bits.
constexpr MicroUsd costOf(const TokenCounts& tokens, std::int64_t inPerMtok, std::int64_t cachedPerMtok,
                          std::int64_t outPerMtok, std::int64_t writtenPerMtok = 0) {
  const std::int64_t cached = tokens.cached < tokens.in ? tokens.cached : tokens.in;
  const std::int64_t rest = static_cast<std::int64_t>(tokens.in) - cached;
  const std::int64_t written = tokens.written < rest ? tokens.written : rest;
  const std::int64_t pico = (rest - written) * inPerMtok + written * writtenPerMtok + cached * cachedPerMtok +
                            static_cast<std::int64_t>(tokens.out) * outPerMtok;
  return (pico + 999'999) / 1'000'000;
}

}  // namespace aetherflow
