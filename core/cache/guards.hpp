#pragma once
// What a cosine cannot see: two prompts one word apart whose answers are not the same. Vetoes are final; what is
// merely suspicious escalates, and is counted for the probability (decision.hpp).
//
//   text ─▶ cacheable? ─▶ pair: language ─▶ hard tokens ─▶ names ─▶ kinds ─▶ polarity ─▶ roles ─▶ substitution, …
//            exact.fresh         └───────────────────── veto.* ───────────────────────┘         └─ escalate.* ─┘

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/cache/sentence.hpp"

namespace aetherflow {

/// In the order in which they are asked; the first one that speaks names the verdict.
enum class CacheGuard : std::uint8_t {
  Fresh,         ///< exact.fresh: the answer belongs to a moment, a person or an act; exact matches only
  Language,      ///< veto.language: the two are in different languages
  Hard,          ///< veto.hard: a number, unit, identifier or quotation differs
  Name,          ///< veto.name: a name or place differs
  Kind,          ///< veto.kind: one thing for another of its kind: colours, animals, formats, commands
  Polarity,      ///< veto.polarity: an odd number of negations and opposites between the two
  Role,          ///< veto.role: who does what to whom, or from and to, are exchanged
  Unknown,       ///< escalate.language: of no language that the guards know
  Surplus,       ///< escalate.surplus: a hard token or name on one side only
  Substitution,  ///< escalate.substitution: a word for another that is no known synonym
  Qualifier,     ///< escalate.qualifier: a word more on one side
  Change,        ///< escalate.change: quantifier, modality, tense or kind of question
  Clear,         ///< clear: nothing to say
};

/// "veto.polarity" and so on; static storage.
std::string_view name(CacheGuard guard);
constexpr bool vetoes(CacheGuard guard) {
  return guard >= CacheGuard::Language && guard <= CacheGuard::Role;
}

/// What the model of decision.hpp weighs, besides the cosine. Counts are capped at 255, shares in 1/255.
enum class Sign : std::uint8_t {
  Overlap,   ///< share of the words of both that have a mate
  Fewer,     ///< words that weigh, without a mate, on the side that has fewer of them
  More,      ///< the same, on the other side
  Soft,      ///< mates that are synonyms, words of one stem or misspellings
  Surplus,   ///< hard tokens and names without a mate
  Question,  ///< words for what is asked without a mate
  Change,    ///< quantifiers, modalities and tenses without a mate
  Crossed,   ///< share of the mates whose order differs
  Words,     ///< words of both that carry a subject
  Function,  ///< articles, pronouns and the like without a mate
  InPlace,   ///< runs of words exchanged for others between the same neighbours
  Inserted,  ///< words put between two neighbours that otherwise stand together
  Letters,   ///< likeness of the spelling (lexical.hpp)
  Light,     ///< words without a mate that seldom change an answer
  Rare,      ///< words without a mate that the lists do not know: another subject, often
  Anchors,   ///< words with an equal mate that the lists do not know, hard tokens and names: the same subject, often
  Derived,   ///< mates that are other words of one stem: "engineer", "engineering"
  Asked,     ///< what is asked for: 0 the same, 1 may be the same, 2 something else
  Phrase,    ///< words without a mate behind a preposition without one: "in winter", "by author"
  Modifier,  ///< words without a mate right before a word with one: "silk shirt"
  Count
};
using Signs = std::array<std::uint8_t, static_cast<std::size_t>(Sign::Count)>;

struct Finding {
  CacheGuard guard = CacheGuard::Clear;
  std::string detail;  ///< "enable/disable": what was found on either side; for people
  Signs signs{};
  /// Escalated so far that no probability of ours may serve it; another tier might (a cross-encoder, a cheap model's
  /// yes or no): a minimal pair, that is one or two words exchanged for others, or one put in or in place of none, with
  /// everything around them equal; something else is asked ("who", "when"); "and" for "or", "all" for "some"; a
  /// negation on one side and an opposite; a name where a pronoun stood; "used to", "only" or the like on one side; a
  /// language that the guards cannot read.
  bool closed = false;

  /// "veto.polarity: enable/disable"
  std::string why() const;
};

/// Exact only? `detail` gets the word that says so.
bool onlyExact(const ReadSentence& sentence, std::string& detail);

/// Compares a stored prompt with a new one: symmetric in its verdict. `letters` in [0, 1]. O(tokens²), some 10 µs.
Finding compare(const ReadSentence& stored, const ReadSentence& asked, float letters);

}  // namespace aetherflow
