#pragma once
// Lays the words of two prompts side by side: what is the same, what is said otherwise, what was exchanged.

#include <cstdint>
#include <string>
#include <vector>

#include "core/cache/sentence.hpp"

namespace aetherflow {

/// How a token found its mate on the other side.
enum class Match : std::uint8_t {
  None,
  Same,      ///< equal keys
  Soft,      ///< synonym
  Derived,   ///< another word of the stem, or one letter mistyped
  Opposite,  ///< an antonym, or the word with a negative prefix: turns the meaning round
};

struct Side {
  const ReadSentence* sentence = nullptr;
  std::vector<std::int32_t> mate;  ///< index on the other side, -1: none
  std::vector<Match> match;

  const Token& token(std::size_t i) const { return sentence->tokens[i]; }
  std::size_t size() const { return sentence->tokens.size(); }
  bool open(std::size_t i) const { return match[i] == Match::None; }
  /// Stands on this side only and carries a subject; negators are counted by the guard of polarity.
  bool extra(std::size_t i) const { return open(i) && token(i).weighs() && !token(i).info.is(kNegator); }
};

/// Borrows both sentences. Equal beginnings and ends go together; between them matching is
/// greedy from the left: equal keys first, then opposites, synonyms, words of one
/// stem. O(tokens²) comparisons of short keys.
struct Pairing {
  Pairing(const ReadSentence& a, const ReadSentence& b);

  Side a;
  Side b;
};

/// "unhappy" and "happy", "asynchronous" and "synchronous" by their spelling; `a`, `b`: stems or words, lower case.
bool negatedForm(std::string_view a, std::string_view b);

}  // namespace aetherflow
