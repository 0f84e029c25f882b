#include "core/cache/literals.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

bool has(std::string_view s, char c) {
  return s.find(c) != std::string_view::npos;
}

/// A quotation longer than this is a pasted text, which the words are compared for.
constexpr std::size_t kLongestQuote = 200;

/// The place of the quote that closes the one at `from`; npos where it opens none: an apostrophe, an inch.
std::size_t closing(std::string_view s, std::size_t from) {
  const char mark = s[from];
  if (mark != '"' && mark != '`' && mark != '\'') return std::string_view::npos;
  if (mark == '\'' && from > 0 && text::isWordByte(s[from - 1])) return std::string_view::npos;
  for (std::size_t i = from + 1; i < s.size() && i <= from + kLongestQuote; ++i) {
    if (s[i] != mark) continue;
    if (mark == '\'' && i + 1 < s.size() && text::isWordByte(s[i + 1])) continue;
    return i > from + 1 ? i : std::string_view::npos;
  }
  return std::string_view::npos;
}

std::string_view trimmed(std::string_view s) {
  while (!s.empty() && text::isSpace(s.front())) s.remove_prefix(1);
  while (!s.empty() && text::isSpace(s.back())) s.remove_suffix(1);
  return s;
}

/// "-v", "--force", "*.txt", "a+b", "<<", "^ab$". Not "C++", "C#", "R&D", "and/or", "(optional)".
bool isCode(std::string_view s) {
  if (s.size() > 1 && s[0] == '-' && (text::isAlpha(s[1]) || s[1] == '-')) return s.find_first_not_of('-') < s.size();
  std::size_t letters = 0;
  while (letters < s.size() && text::isAlpha(s[letters])) ++letters;
  if (letters > 0 && s.substr(letters).find_first_not_of("+#*") == std::string_view::npos) return false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool doubled = i + 1 < s.size() && (s[i] == '&' || s[i] == '!') && (s[i + 1] == s[i] || s[i + 1] == '=');
    if (doubled || has("*?[]{}|\\^+=<>~", s[i])) return true;
  }
  return s.size() > 1 && s.back() == '$';
}

/// Between blanks, without the marks of the sentence around it: "mirrors?", but "colou?r" and, inside a sentence, "*.tx?".
std::string_view bare(std::string_view s, bool last) {
  while (!s.empty() && has(".,;:", s.back())) s.remove_suffix(1);
  std::string_view open = s;
  while (open.size() > 1 && has("?!.,;:", open.back())) open.remove_suffix(1);
  if (last || !isCode(open)) s = open;
  if (s.size() > 2 && s.front() == '(' && s.back() == ')') s = s.substr(1, s.size() - 2);
  return s;
}

/// Where `what` stands in `s` as words of its own; npos: nowhere.
std::size_t placeOf(std::string_view s, std::string_view what) {
  for (std::size_t at = s.find(what); at != std::string_view::npos; at = s.find(what, at + 1)) {
    const bool left = at == 0 || !text::isWordByte(s[at - 1]) || !text::isWordByte(what.front());
    const std::size_t end = at + what.size();
    const bool right = end == s.size() || !text::isWordByte(s[end]) || !text::isWordByte(what.back());
    if (left && right) return at;
  }
  return std::string_view::npos;
}

std::size_t placeIn(const Literals& other, std::string_view literal) {
  for (const Literal& one : other) {
    if (other.of(one) == literal) return one.at;
  }
  return placeOf(other.rest, literal);
}

/// Words in quotation marks: the guards read them as words, which may be inflected.
bool isProse(std::string_view quoted) {
  if (!has(quoted, ' ')) return false;
  for (const char c : quoted) {
    if (!text::isAlpha(c) && !text::isHigh(c) && !has(" ',-.?!", c)) return false;
  }
  return true;
}

std::string_view missing(const Literals& side, const Literals& other) {
  for (const Literal& literal : side) {
    const std::string_view text = side.of(literal);
    if (!(literal.quoted && isProse(text)) && placeIn(other, text) == std::string_view::npos) return text;
  }
  return {};
}

/// The word before a literal, articles left out: what it is there for. "" at the beginning.
std::string_view before(const Literals& side, std::size_t at) {
  std::string_view head = std::string_view(side.rest).substr(0, at);
  for (;;) {
    while (!head.empty() && !text::isWordByte(head.back())) head.remove_suffix(1);
    std::size_t from = head.size();
    while (from > 0 && text::isWordByte(head[from - 1])) --from;
    const std::string_view word = head.substr(from);
    if (word.empty() || !text::isListed(word, "the\na\nan\nle\nla\nl\nun\nune\n")) return word;
    head = head.substr(0, from);
  }
}

}  // namespace

void nameBoth(std::string& detail, std::string_view left, std::string_view right) {
  detail.assign(left);
  detail.append("/").append(right);
}

Literals literalsOf(std::string_view s) {
  Literals out;
  out.text = out.rest = s;
  const auto take = [&](std::string_view what, std::size_t from, std::size_t end, bool quoted) {
    if (!what.empty()) {
      const auto at = static_cast<std::uint32_t>(what.data() - s.data());
      if (out.count < kMaxLiterals) out.items[out.count] = {at, static_cast<std::uint32_t>(what.size()), quoted};
      ++out.count;
    }
    for (; from < end; ++from) out.rest[from] = ' ';
  };
  const std::size_t last = s.find_last_not_of(" \t\r\n");
  for (std::size_t i = 0; i < s.size();) {
    if (text::isSpace(s[i])) {
      ++i;
      continue;
    }
    const std::size_t close = closing(s, i);
    if (close != std::string_view::npos) {
      take(trimmed(s.substr(i + 1, close - i - 1)), i, close + 1, true);
      i = close + 1;
      continue;
    }
    std::size_t end = i + 1;
    while (end < s.size() && !text::isSpace(s[end]) && closing(s, end) == std::string_view::npos) ++end;
    const std::string_view chunk = bare(s.substr(i, end - i), end > last);
    if (isCode(chunk)) take(chunk, i, end, false);
    i = end;
  }
  return out;
}

std::string withOneQuote(std::string plainText) {
  for (std::size_t i = 0; i < plainText.size(); ++i) {
    if (plainText[i] != '\'') continue;
    const std::size_t close = closing(plainText, i);
    if (close == std::string::npos) continue;
    plainText[i] = plainText[close] = '"';
    i = close;
  }
  return plainText;
}

bool literalsDiffer(const Literals& a, const Literals& b, std::string& detail) {
  const std::string_view left = missing(a, b);
  const std::string_view right = missing(b, a);
  if (left.empty() || right.empty()) return false;
  nameBoth(detail, left, right);
  return true;
}

bool literalsExchanged(const Literals& a, const Literals& b, std::string& detail) {
  for (const Literal& x : a) {
    for (const Literal& y : a) {
      if (x.at >= y.at) continue;
      const std::string_view left = a.of(x);
      const std::string_view right = a.of(y);
      const std::size_t placeX = placeIn(b, left);
      const std::size_t placeY = placeIn(b, right);
      if (left == right || placeX == std::string::npos || placeY == std::string::npos || placeX < placeY) continue;
      // Each stands where the other stood: a sentence turned round leaves the words before them as they are.
      const std::string_view heads[] = {before(a, x.at), before(a, y.at), before(b, placeX), before(b, placeY)};
      const bool taken =
          heads[1] == heads[2] && text::isListed(heads[1], "with\nto\ninto\nby\nfor\nbefore\nafter\npar\nen\nvers\n");
      if (text::isListed(heads[1], "and\nor\net\nou\nvs\nversus\n") ||
          !(taken || (heads[0] == heads[3] && heads[1] == heads[2])))
        continue;
      nameBoth(detail, left, right);
      return true;
    }
  }
  return false;
}

}  // namespace aetherflow
