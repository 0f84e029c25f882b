#pragma once
// Takes out of an instruction what costs tokens and says nothing. Never telegraphic: dropping articles or stop words
// makes models answer longer and worse (facts 9.1), so every remaining sentence stays a sentence.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

enum class StripRule : std::uint8_t {
  Pleasantry,           ///< "Could you please", "merci d'avance": only as filler, never where the word means something
  RepeatedInstruction,  ///< a sentence that stands earlier in the same section, in the preamble, or is marked as a
                        ///< reminder
  RedundantExample,     ///< an example equal to an earlier one but for case, spacing and punctuation
  MarkupNoise,          ///< decorative rulers, HTML comments, emphasis marks around words
  BlankRun,             ///< trailing blanks, more than one blank line
  DuplicatedContext,    ///< a paragraph of 80 bytes or more that stands again
  JsonSpace,            ///< white space between JSON tokens; only assemble() applies it, to context files
};
inline constexpr int kStripRules = 7;

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
