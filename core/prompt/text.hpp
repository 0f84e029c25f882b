#pragma once
// Byte classes of UTF-8 text, without locale: the same answer in every build.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow::text {

constexpr bool isDigit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool isLower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool isUpper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool isAlpha(char c) {
  return isLower(c) || isUpper(c);
}
constexpr bool isAlnum(char c) {
  return isAlpha(c) || isDigit(c);
}
constexpr bool isBlank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool isSpace(char c) {
  return isBlank(c) || c == '\n' || c == '\r';
}
/// Any byte of a multi-byte sequence.
constexpr bool isHigh(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
/// Part of a word in any script: multi-byte sequences count as letters.
constexpr bool isWordByte(char c) {
  return isAlnum(c) || isHigh(c) || c == '_';
}
constexpr char lower(char c) {
  return isUpper(c) ? static_cast<char>(c + 32) : c;
}

/// What the scanners of prompts look for, one byte class a bit: one lookup instead of a chain of comparisons.
enum : std::uint16_t {
  kSpace = 1,
  kUpper = 2,
  kSign = 4,         ///< a digit, or a sign that prose does not use inside words
  kInner = 8,        ///< . : * ( may stand around a word; inside one they make it exact
  kBefore = 16,      ///< marks that may stand before a word
  kAfter = 32,       ///< marks that may stand after a word
  kApostrophe = 64,  ///< ' and the first byte of ’
  kJoin = 128,       ///< - and < may begin the marks of a comment
  kStop = 256,       ///< . ! ? and the first byte of …
  kQuote = 512,      ///< first bytes of all marks that quote
  kPolite = 1024,    ///< first letters of the phrases inside sentences
  kApart = 2048,     ///< no part of a word and no hyphen; the next bit to kPolite, so that both are one test
};
struct ByteClasses {
  constexpr ByteClasses() {
    add(kSpace, " \t\r\n");
    add(kUpper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    add(kSign, "0123456789/\\_@#$%&=<>+~^|{}[]`");
    add(kInner, ".:*(");
    add(kBefore, "([{\"'*");
    add(kAfter, ".,;:!?\"'*)]}");
    add(kApostrophe, "'\xe2");
    add(kJoin, "-<");
    add(kStop, ".!?\xe2");
    add(kQuote, "`\"'{\xc2\xe2");
    add(kPolite, "aAdDeEiIkKmMpPsSvVwW");
    for (int c = 0; c < 128; ++c) {
      if (!isWordByte(static_cast<char>(c)) && c != '-') of[c] |= kApart;
    }
  }
  constexpr void add(std::uint16_t bit, std::string_view bytes) {
    for (const char c : bytes) of[static_cast<unsigned char>(c)] |= bit;
  }
  std::uint16_t of[256] = {};
};
inline constexpr ByteClasses kByteClasses;
constexpr unsigned classesOf(char c) {
  return kByteClasses.of[static_cast<unsigned char>(c)];
}

/// One code point and its length in bytes. A byte that starts no valid sequence is itself, length 1.
struct CodePoint {
  std::uint32_t value;
  std::uint32_t bytes;
};
CodePoint decode(std::string_view utf8, std::size_t at);

/// Lower case of ASCII and of Latin-1 letters (é, Ç): what English and French need, nothing by locale.
std::string lowered(std::string_view utf8);
void appendLowered(std::string& out, std::string_view utf8);

/// Without blanks and line ends at either side.
std::string_view trimmed(std::string_view s);
bool startsWith(std::string_view s, std::string_view prefix);
bool endsWith(std::string_view s, std::string_view suffix);
bool equalNoCase(std::string_view s, std::string_view lowerCase);

/// Lists of words are one literal with a line end after each entry: arrays of string_view would be built on the stack
/// by code, several times the size of the words, and WebAssembly pays for every byte. What entries begin with is known
/// beforehand: most texts are refused by their first two bytes.
struct List {
  // Not explicit: a literal is a list.
  consteval List(const char* literal) : entries(literal) {
    for (std::size_t at = 0; at < entries.size(); at = entries.find('\n', at) + 1) {
      firsts |= 1u << (entries[at] & 31);
      seconds |= entries[at + 1] == '\n' ? ~0u : 1u << (entries[at + 1] & 31);
    }
  }
  constexpr bool mayBegin(std::string_view s) const {
    return !s.empty() && (firsts >> (s[0] & 31) & 1) != 0 && (s.size() == 1 || (seconds >> (s[1] & 31) & 1) != 0);
  }

  std::string_view entries;
  std::uint32_t firsts = 0;  ///< by the five bits that both cases of a letter share
  std::uint32_t seconds = 0;
};
/// True if `s` is one of the entries; ASCII letters without case.
bool isListed(std::string_view s, const List& list);
/// Length of the first entry with which `s` begins, or 0. `anyCase`: ASCII letters without case.
std::size_t listedPrefix(std::string_view s, const List& list, bool anyCase);
/// True if `s` contains one of the entries; ASCII letters without case.
bool containsListed(std::string_view s, const List& list);

}  // namespace aetherflow::text
