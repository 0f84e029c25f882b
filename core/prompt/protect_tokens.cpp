// Words that carry exact meaning: paths, URLs, identifiers, numbers, flags, and negations in English and French.

#include "core/prompt/protect.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow::protect {
namespace {

using text::classesOf;
using text::isAlnum;
using text::isAlpha;
using text::isLower;
using text::isUpper;

/// The word without the marks of a sentence around it.
std::string_view core(std::string_view word) {
  while (!word.empty() && (classesOf(word.front()) & text::kBefore) != 0) word.remove_prefix(1);
  while (!word.empty() && (classesOf(word.back()) & text::kAfter) != 0) word.remove_suffix(1);
  return word;
}

/// Index after the first apostrophe (' or ’), or 0.
std::size_t afterApostrophe(std::string_view word) {
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') return i + 1;
    if (text::startsWith(word.substr(i), "’")) return i + 3;
  }
  return 0;
}

/// Where each negation stands in one literal, by a hash without collisions that the compiler finds: nearly every word
/// of a text is looked up here.
struct Negations {
  static constexpr std::string_view kWords =
      "not\nno\nnever\nwithout\nnone\nnor\nneither\nnothing\nnobody\nnowhere\ncannot\nunless\nexcept\navoid\ndont\ncant"
      "\n"
      "ne\npas\nsans\njamais\naucun\naucune\nni\nrien\nnon\npersonne\nsauf\nexcepté\n";
  static constexpr unsigned kSlots = 128;

  constexpr Negations() {
    while (!fill()) ++factor;
  }
  /// False if two words meet.
  constexpr bool fill() {
    for (auto& slot : slots) slot = kWords.size() - 1;
    for (std::size_t at = 0; at < kWords.size();) {
      const std::size_t end = kWords.find('\n', at);
      auto& slot = slots[slotOf(kWords.substr(at, end - at))];
      if (slot != kWords.size() - 1) return false;
      slot = static_cast<unsigned char>(at);
      at = end + 1;
    }
    return true;
  }
  /// Neither case of a letter has its sixth bit in the sum.
  constexpr unsigned slotOf(std::string_view word) const {
    const unsigned letters = (word.front() & 31u) * factor + (word[word.size() / 2] & 31u);
    return (letters * 5 + (word.back() & 31u) * 9 + static_cast<unsigned>(word.size())) % kSlots;
  }
  bool has(std::string_view word) const {
    if (word.empty()) return false;
    const std::string_view entry = kWords.substr(slots[slotOf(word)]);
    return entry.size() > word.size() && entry[word.size()] == '\n' &&
           text::equalNoCase(word, entry.substr(0, word.size()));
  }

  unsigned factor = 1;
  unsigned char slots[kSlots] = {};
};
static_assert(Negations::kWords.size() < 256);
constexpr Negations kNegations;

bool isNegationWord(std::string_view word) {
  if (word.size() > 32) return false;
  if (kNegations.has(word)) return true;
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

/// A path, a URL, an identifier, a number, a flag: any digit, any sign inside that prose does not use, or an inner capital.
bool isExact(std::string_view raw, std::string_view word) {
  if (raw[0] == '.' && raw.size() > 1 && raw[1] != '.') return true;  // .env, ./run
  const std::size_t dashes = raw.find_first_not_of('-');
  if (dashes > 0 && dashes < raw.size() && isAlpha(raw[dashes])) return true;  // -x, --flag
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if ((classesOf(c) & text::kSign) != 0) return true;
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
    unsigned classes = classesOf(s[i]);
    if ((classes & text::kSpace) != 0) {
      ++i;
      continue;
    }
    if (const std::size_t mark = commentMark(s, i); mark != 0) {
      i += mark;
      continue;
    }
    const std::size_t begin = i;
    classes &= ~unsigned{text::kUpper};  // only inside a word it makes one exact
    for (++i; i < region.end; ++i) {
      const unsigned next = classesOf(s[i]);
      if ((next & text::kSpace) != 0 || ((next & text::kJoin) != 0 && commentMark(s, i) != 0)) break;
      classes |= next;
    }
    std::string_view raw = s.substr(begin, i - begin);
    // Most words are letters and at most a mark after them.
    constexpr unsigned kUnclear = text::kUpper | text::kSign | text::kInner | text::kJoin | text::kApostrophe;
    if ((classes & kUnclear) == 0) {
      if (kNegations.has((classes & (text::kBefore | text::kAfter)) != 0 ? core(raw) : raw)) {
        out.push_back({begin, i, Guard::Negation});
      }
      continue;
    }
    const std::string_view word = core(raw);
    // A ruler (----, ====) is decoration, not a token.
    if (word.empty()) continue;
    if ((word[0] == '-' || word[0] == '=' || word[0] == '_') && word.find_first_not_of(word[0]) == word.npos) continue;
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
