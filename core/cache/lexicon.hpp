#pragma once
// What is known about single words of English and French: the data behind the guards, made from words/*.txt.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/stem.hpp"
#include "core/base/text_index.hpp"

namespace aetherflow {

/// Flags of WordInfo. A word may carry several.
enum WordFlag : std::uint32_t {
  kStop = 1u << 0,        ///< carries no subject of its own: articles, pronouns, "how", "please"
  kNegator = 1u << 1,     ///< turns a sentence round
  kAsk = 1u << 2,         ///< at the head of a prompt it only asks for the answer: "list", "show"
  kNumberWord = 1u << 3,  ///< "ten", "third"
  kUnit = 1u << 4,        ///< after a number part of the quantity
  kChange = 1u << 5,      ///< quantifier, modality, tense, "and" against "or"
  kQuestion = 1u << 6,    ///< asks for a kind of answer
  kFresh = 1u << 7,       ///< the answer of yesterday may be wrong today, or is about this person
  kAct = 1u << 8,         ///< at the head of a prompt: asks for something to be done, not told
  kSymmetric = 1u << 9,   ///< exchanging what it relates changes nothing
  kName = 1u << 10,       ///< names and places, which people type without capitals
  kPhrase = 1u << 11,     ///< first word of an entry of several words
  kShift = 1u << 12,      ///< a change that moves the whole meaning: "used to", "only", "simultaneously"
  kType = 1u << 14,       ///< after "which" and "what" it names what is asked for: "which city is …"
  kLight = 1u << 13,      ///< seldom changes the answer: "actually", "available", "steps"
};

/// How a word relates to others, two bits on top of the number of the relation; 0: no code.
enum class Relation : std::uint16_t {
  Form,      ///< another spelling, inflection or abbreviation of one word
  Synonym,   ///< a group of synonyms
  Opposite,  ///< one pole; the other pole of the same opposite differs in the last bit
  Kind,      ///< a set of things of one kind, none of which stands for another
};

struct WordInfo {
  std::uint32_t flags = 0;
  std::array<std::uint16_t, 10> codes{};  ///< 0 after the last

  bool is(std::uint32_t flag) const { return (flags & flag) != 0; }
  bool known() const { return flags != 0 || codes[0] != 0; }
};

/// Do the two share a relation: the same group, or for Opposite the two poles of one?
bool related(const WordInfo& a, const WordInfo& b, Relation relation);

/// The words are data of the host (words/*.txt, packed by generate.mjs: 34 KB compressed), not of the module: a page
/// that never looks anything up by meaning does not load them. Without its words a language is Unknown. Reading both
/// costs some milliseconds and about 1 MB: keep the lexicon with the cache. Words are looked up in lower case and
/// without accents: `lowered(plain(text))`.
class Lexicon {
 public:
  /// `packed`: as generate.mjs made it; trusted. Read once for each language.
  void read(Language language, std::string_view packed);

  /// What is listed of the word; its relations may come from another inflection of it. `_` joins the words of a phrase.
  WordInfo find(Language language, const std::string& word) const;
  /// The word for which `info` is another form, "" when there is none.
  std::string_view baseOf(Language language, const WordInfo& info) const;
  /// The digits of a number word, "" for any other word.
  std::string numberOf(Language language, const std::string& word) const;

 private:
  struct Words {
    TextIndex places;   ///< of words in `infos`
    TextIndex stems;    ///< the same, by the stem; phrases by the stem of their first word
    TextIndex numbers;  ///< number words → value
    std::vector<WordInfo> infos;
    std::vector<std::string> bases;  ///< by the number of the form; [0] is empty

    WordInfo& slot(TextIndex& index, const std::string& text);
  };
  void note(Language language, const std::string& word, std::uint32_t flags, std::uint16_t code);

  Words words_[2];
};

/// Letters of Latin-1 and œ without their accents, case kept; ’ becomes ', typographic quotes become ", no-break spaces
/// become blanks. Other scripts pass through.
std::string plain(std::string_view utf8);
/// ASCII in lower case: enough after `plain`.
std::string lowered(std::string_view plainText);

}  // namespace aetherflow
