#pragma once
// What is known about single words of English and French: the data behind the guards, made from words/*.txt.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/text_index.hpp"

namespace aetherflow {

enum class Language : std::uint8_t { English, French, Unknown };

/// Bits of WordInfo. A word may carry several.
enum WordFlag : std::uint32_t {
  kStop = 1u << 0,        ///< carries no subject of its own: articles, pronouns, "how", "please"
  kNegator = 1u << 1,     ///< turns a sentence round
  kOpposite = 1u << 2,    ///< has at least one opposite
  kNumberWord = 1u << 3,  ///< "ten", "third"
  kUnit = 1u << 4,        ///< behind a number part of the quantity
  kChange = 1u << 5,      ///< quantifier, modality, tense, "and" against "or"
  kQuestion = 1u << 6,    ///< asks for a kind of answer
  kFresh = 1u << 7,       ///< the answer of yesterday may be wrong today, or is about this person
  kAct = 1u << 8,         ///< at the head of a prompt: asks for something to be done, not told
  kSymmetric = 1u << 9,   ///< exchanging what it relates changes nothing
  kName = 1u << 10,       ///< names and places, which people type without capitals
  kShift = 1u << 12,      ///< a change that moves the whole meaning: "used to", "only", "simultaneously"
  kPhrase = 1u << 11,     ///< first word of an entry of two or three words
};

/// Flags and up to two groups of synonyms (1–511; 0: none) of one word.
struct WordInfo {
  std::uint32_t packed = 0;

  bool is(std::uint32_t flags) const { return (packed & flags) != 0; }
  std::uint32_t group() const { return (packed >> 13) & 511; }
  std::uint32_t otherGroup() const { return packed >> 22; }
};

/// The words are data of the host (words/*.txt, packed by generate.mjs: 5 KB compressed), not of the module: a page
/// that never looks anything up by meaning does not load them. Without its words a language is Unknown. Reading both
/// costs half a millisecond and 200 KB: keep the lexicon with the cache. Words are looked up in lower case and without
/// accents: `lowered(plain(text))`.
class Lexicon {
 public:
  /// `packed`: as generate.mjs made it; trusted. Read once for each language.
  void read(Language language, std::string_view packed);

  WordInfo find(Language language, const std::string& word) const;
  /// True when the two words are listed as opposites, in either order.
  bool opposite(Language language, std::string_view a, std::string_view b) const;
  /// The digits of a number word, "" for any other word.
  std::string numberOf(Language language, const std::string& word) const;

 private:
  TextIndex words_[2];
};

/// Letters of Latin-1 and œ without their accents, case kept; ’ becomes ', typographic quotes become ", no-break spaces
/// become blanks. Other scripts pass through.
std::string plain(std::string_view utf8);
/// ASCII in lower case: enough behind `plain`.
std::string lowered(std::string_view plainText);

}  // namespace aetherflow
