#pragma once
// The polite words of English and French prompts, and how to recognise one.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aetherflow {

enum class PhraseKind : std::uint8_t {
  Greeting,   ///< "Hello," opens the whole text
  Request,    ///< "I would like you to" before a verb
  Ask,        ///< "could you please" before a verb: a request in the form of a question
  Question,   ///< "could you": a request only before a verb that asks for work
  Ability,    ///< "can you": may be said of anybody; a request only before a verb that tells somebody something
  Wish,       ///< "je voudrais que tu" before a subjunctive
  Aside,      ///< "it is important to note that" before a clause
  Opening,    ///< "basically" before a comma, or between a request and its verb
  Role,       ///< "as an expert engineer" before a comma and a request
  Closing,    ///< "Thank you in advance." as a sentence of its own
  Thanks,     ///< "I appreciate your help": a closing with a free end
  Reason,     ///< "for your" after a closing: what the thanks are for
  Please,     ///< before an instruction; "please the customer" is not one
  Inside,     ///< "s'il vous plaît": filler wherever it stands
  Condition,  ///< "if you don't mind": at the end of a sentence, or before a comma and a request
  Frame,      ///< "due to the fact that": has a shorter form of the same meaning
};

struct PhraseMatch {
  std::size_t length = 0;  ///< bytes of the text; 0 = none
  PhraseKind kind = PhraseKind::Please;
  std::string_view instead = {};  ///< of a Frame, in lower case; static storage
};

/// The longest phrase of one of the kinds in `kinds` (bits 1 << PhraseKind) at `at`, ending on a word boundary.
/// Case, ' or ’ and the width of white space do not matter.
PhraseMatch matchPhrase(std::string_view text, std::size_t at, std::uint32_t kinds);

constexpr std::uint32_t bit(PhraseKind kind) {
  return 1u << static_cast<unsigned>(kind);
}

/// "write", "explain"…: after "could you" these ask for work. "access" would be a real question.
bool isWorkVerb(std::string_view word);
/// "explain", "give me"…: after "can you" these ask for it. "Can you add a column to a table in use?" is a real question.
bool tellsSomething(std::string_view text);
/// "the", "your", "everyone": after them "please" is a verb.
bool isPleaseObject(std::string_view word);

}  // namespace aetherflow
