#pragma once
// Takes out of an instruction what costs tokens and says nothing. Never telegraphic: dropping articles or stop words
// makes models answer longer and worse (facts 9.1), so every remaining sentence stays a sentence.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

enum class StripRule : std::uint8_t {
#define STRIP_RULE(id, text) id,
#include "core/base/row.def"
  Count
};
inline constexpr int kStripRules = static_cast<int>(StripRule::Count);

/// As reports write it, e.g. "repeated_instruction"; static storage.
std::string_view name(StripRule rule);

/// What one rule removed. `tokens` is the estimate of the removed pieces alone.
struct Removal {
  StripRule rule;
  std::uint32_t count;
  std::uint32_t bytes;
  std::uint32_t tokens;
};

struct Stripped {
  std::string text;
  std::vector<Removal> removals;  ///< rules that removed something, in the order of StripRule
  std::uint32_t tokensBefore = 0;
  std::uint32_t tokensAfter = 0;
};

/// Deterministic and idempotent: strip(strip(x).text) removes nothing. Code, quotations, paths, URLs, identifiers,
/// numbers and negations keep their bytes; a repetition goes only if an earlier copy holds the same ones. Where a rule
/// removed the head of a sentence, the new first letter becomes a capital. Never fails; O(bytes).
Stripped strip(std::string_view text);

}  // namespace aetherflow
