// Words that carry exact meaning: paths, URLs, identifiers, numbers, flags, and negations in English and French.

#include "core/prompt/protect.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow::protect {
namespace {

using text::isAlnum;
using text::isAlpha;
using text::isDigit;
using text::isHigh;
using text::isLower;
using text::isUpper;

/// The word without the marks of a sentence around it.
std::string_view core(std::string_view word) {
  constexpr std::string_view kBefore = "([{\"'*";
  constexpr std::string_view kAfter = ".,;:!?\"'*)]}";
  while (!word.empty() && kBefore.find(word.front()) != std::string_view::npos) word.remove_prefix(1);
  while (!word.empty() && kAfter.find(word.back()) != std::string_view::npos) word.remove_suffix(1);
  return word;
}

/// Index behind the first apostrophe (' or ’), or 0.
std::size_t afterApostrophe(std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') return i + 1;
    if (text::startsWith(word.substr(i), "’")) return i + 3;
  }
  return 0;
}

bool isNegationWord(std::string_view word) {
  if (word.size() > 32) return false;
  constexpr std::string_view kWords =
      "not\nno\nnever\nwithout\nnone\nnor\nneither\nnothing\nnobody\nnowhere\ncannot\nunless\nexcept\navoid\ndont\ncant"
      "\n"
      "ne\npas\nsans\njamais\naucun\naucune\nni\nrien\nnon\npersonne\nsauf\nexcepté\n";
  if (text::isListed(word, kWords)) return true;
  const std::size_t tail = afterApostrophe(word);
  if (tail == 0) return false;
  const std::string_view before = word.substr(0, tail - (word[tail - 1] == '\'' ? 1 : 3));
  // isn't, don’t; n'utilise; qu'aucun, d'aucune.
  return (text::equalNoCase(word.substr(tail), "t") && !before.empty() && text::lower(before.back()) == 'n') ||
         text::equalNoCase(before, "n") || isNegationWord(word.substr(tail));
}

bool isNegation(std::string_view word) {
  // Hyphens join: non-empty, not-yet, est-ce-pas.
  for (std::size_t from = 0; from <= word.size();) {
    std::size_t to = word.find('-', from);
    if (to == std::string_view::npos) to = word.size();
    if (isNegationWord(word.substr(from, to - from))) return true;
    from = to + 1;
  }
  return false;
}

/// The marks of an HTML comment part words as blanks do: 4 for <!--, 3 for -->, else 0.
std::size_t commentMark(std::string_view s, std::size_t at) {
  if (s[at] == '<') return text::startsWith(s.substr(at), "<!--") ? 4 : 0;
  return s[at] == '-' && text::startsWith(s.substr(at), "-->") ? 3 : 0;
}

/// A path, a URL, an identifier, a number, a flag: any digit, any sign inside that prose does not use, or an inner
/// capital.
bool isExact(std::string_view raw, std::string_view word) {
  if (raw[0] == '.' && raw.size() > 1 && raw[1] != '.') return true;  // .env, ./run
  const std::size_t dashes = raw.find_first_not_of('-');
  if (dashes > 0 && dashes < raw.size() && isAlpha(raw[dashes])) return true;  // -x, --flag
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if (isDigit(c)) return true;
    if (std::string_view("/\\_@#$%&=<>+~^|{}[]`").find(c) != std::string_view::npos) return true;
    if (i == 0) continue;
    const bool inner = i + 1 < word.size();
    if (inner && (c == '.' || c == ':') && word[i + 1] != c) return true;
    if (inner && c == '*') return word[i + 1] != '*' || word[i - 1] != '*';
    if (c == '(' && isAlnum(word[i - 1])) return true;  // call()
    if (isUpper(c) && isLower(word[i - 1])) return true;
  }
  return false;
}

}  // namespace

void findTokens(std::string_view s, Span region, std::vector<GuardedSpan>& out) {
  for (std::size_t i = region.begin; i < region.end;) {
    if (text::isSpace(s[i])) {
      ++i;
      continue;
    }
    if (const std::size_t mark = commentMark(s, i); mark != 0) {
      i += mark;
      continue;
    }
    const std::size_t begin = i;
    while (i < region.end && !text::isSpace(s[i]) && (i == begin || commentMark(s, i) == 0)) ++i;
    std::string_view raw = s.substr(begin, i - begin);
    const std::string_view word = core(raw);
    // A ruler (----, ====) is decoration, not a token.
    if (word.empty() || word.find_first_not_of(word[0]) == std::string_view::npos) {
      if (word.empty() || std::string_view("-=_").find(word[0]) != std::string_view::npos) continue;
    }
    // Marks of markup and of the sentence around a plain word stay free; around an exact one they belong to it.
    if (isExact(raw, word)) {
      while (!raw.empty() && std::string_view(".,;:!?").find(raw.back()) != std::string_view::npos)
        raw.remove_suffix(1);
      out.push_back({begin, begin + raw.size(), Guard::Exact});
    } else if (isNegation(word)) {
      out.push_back({begin, begin + raw.size(), Guard::Negation});
    }
  }
}

}  // namespace aetherflow::protect
