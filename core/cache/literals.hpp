#pragma once
// Code, patterns and quotations in a prompt. They are what the prompt is about and are compared letter by letter: the words of
// sentence.hpp fold case and drop marks, so "*.txt" and "?.txt", "-v" and "-V" are equal there.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// "left/right": what was found on either side, for people.
void nameBoth(std::string& detail, std::string_view left, std::string_view right);

/// A piece of the text, without its quotes.
struct Literal {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
  bool quoted = false;
};

/// Most literals of a text; with more of them it is a pasted program, and its language becomes Unknown, which escalates.
inline constexpr std::size_t kMaxLiterals = 16;

/// What was written literally, in order, and the text with blanks in its place.
struct Literals {
  std::string text;
  std::string rest;
  Literal items[kMaxLiterals];
  std::size_t count = 0;  ///< of all, those beyond kMaxLiterals too

  const Literal* begin() const { return items; }
  const Literal* end() const { return items + (count < kMaxLiterals ? count : kMaxLiterals); }

  std::string_view of(const Literal& literal) const { return std::string_view(text).substr(literal.at, literal.size); }
};

/// Quotations in "…", `…` or '…' first, then words between blanks that hold marks of code: options (-v), globs, regular
/// expressions, operators. `plainText`: see plain() in lexicon.hpp. O(bytes).
Literals literalsOf(std::string_view plainText);

/// The text with '…' turned into "…", where the marks are quotes and no apostrophes.
std::string withOneQuote(std::string plainText);

/// Each side has a literal that the other has not, quoted or in plain words; `detail` gets the two.
bool literalsDiffer(const Literals& a, const Literals& b, std::string& detail);

/// Both sides have the same two quotations, the other way round, and no list ("a" and "b") makes their order meaningless.
bool literalsExchanged(const Literals& a, const Literals& b, std::string& detail);

}  // namespace aetherflow
