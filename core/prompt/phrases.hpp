#pragma once
// The polite words of English and French prompts, and how to recognise one.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aetherflow {

enum class PhraseKind : std::uint8_t {
  Greeting,  ///< "Hello," opens the whole text
  Please,    ///< before an instruction; "please the customer" is none
  Request,   ///< "I would like you to" before a verb
  Question,  ///< "could you": a request only before a verb that asks for work
  Aside,     ///< "it is important to note that" before a clause
  Closing,   ///< "Thank you in advance." as a sentence of its own
  Thanks,    ///< "I appreciate your help": a closing with a free end
  Reason,    ///< "for your" after a closing: what the thanks are for
  Inside,    ///< "s'il vous plaît": filler wherever it stands
};

struct PhraseMatch {
  std::size_t length = 0;  ///< bytes of the text; 0 = none
  PhraseKind kind = PhraseKind::Please;
};

/// The longest phrase of one of the kinds in `kinds` (bits 1 << PhraseKind) at `at`, ending on a word boundary.
/// Case, ' or ’ and the width of white space do not matter.
PhraseMatch matchPhrase(std::string_view text, std::size_t at, std::uint32_t kinds);

constexpr std::uint32_t bit(PhraseKind kind) {
  return 1u << static_cast<unsigned>(kind);
}

/// "write", "explain"…: after "could you" these ask for work. "access" would be a real question.
bool isWorkVerb(std::string_view word);
/// "the", "your", "everyone": after them "please" is a verb.
bool isPleaseObject(std::string_view word);

}  // namespace aetherflow
