#pragma once
// A prompt as the guards see it: words with their roles, and hard tokens that may not differ.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/cache/lexicon.hpp"
#include "core/cache/literals.hpp"

namespace aetherflow {

enum class TokenKind : std::uint8_t {
  Function,  ///< on the language's stop list
  Content,   ///< any other word
  Name,      ///< capital inside a sentence, or in the gazetteer
  Number,    ///< key: canonical digits, so that 1,000 and "thousand" are equal
  Hard,      ///< unit, version, date, id, path, flag, URL, quoted, camelCase, snake_case, ALL-CAPS
};

struct Token {
  std::string word;  ///< lower case, without accents
  std::string key;   ///< what is compared: the stem, the canonical number, the identifier
  WordInfo info;
  TokenKind kind = TokenKind::Content;
  bool sentenceStart = false;

  bool counts() const { return kind != TokenKind::Function; }
  /// Counts, and its absence would change what is asked.
  bool weighs() const { return counts() && !(kind == TokenKind::Content && info.is(kLight)); }
};

struct ReadSentence {
  Language language = Language::Unknown;
  std::vector<Token> tokens;
  Literals literals;
};

/// Most tokens of a sentence that are looked at. The rest goes unread and the language becomes Unknown, which
/// escalates: guards that have seen half of a prompt must not vouch for it.
inline constexpr std::size_t kMaxTokens = 400;

/// Cuts and classifies. The language is that of most stop words, Unknown where no word or no language wins.
/// O(bytes), some 10 µs for a sentence of 15 words.
ReadSentence readSentence(const Lexicon& lexicon, std::string_view utf8);

}  // namespace aetherflow
