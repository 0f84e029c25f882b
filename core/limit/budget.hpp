#pragma once
// Money and tokens of a run: reserved at worst case before a call, settled with the actual cost.

#include <cstdint>

#include "core/base/ids.hpp"

namespace aetherflow {

/// A ceiling; −1: none.
struct Ceiling {
  MicroUsd usd = -1;
  std::int64_t tokens = -1;
  bool any() const { return usd >= 0 || tokens >= 0; }
};

/// An amount of both.
struct Spend {
  MicroUsd usd = 0;
  std::int64_t tokens = 0;
  Spend& operator+=(const Spend& more) {
    usd += more.usd;
    tokens += more.tokens;
    return *this;
  }
  Spend& operator-=(const Spend& less) {
    usd -= less.usd;
    tokens -= less.tokens;
    return *this;
  }
};

/// Whether `spent` and `more` together stay under the ceiling.
constexpr bool within(const Ceiling& ceiling, const Spend& spent, const Spend& more) {
  return (ceiling.usd < 0 || spent.usd + more.usd <= ceiling.usd) &&
         (ceiling.tokens < 0 || spent.tokens + more.tokens <= ceiling.tokens);
}

}  // namespace aetherflow
