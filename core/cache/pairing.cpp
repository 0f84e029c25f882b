#include "core/cache/pairing.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using Test = bool (*)(const Lexicon&, Language, const Token&, const Token&);

bool equalKeys(const Lexicon&, Language, const Token& a, const Token& b) {
  return a.key == b.key;
}

bool opposites(const Lexicon& lexicon, Language language, const Token& a, const Token& b) {
  if (a.info.is(kOpposite) && b.info.is(kOpposite) && lexicon.opposite(language, a.word, b.word)) return true;
  return negatedForm(a.key, b.key) || negatedForm(b.key, a.key);
}

bool sameGroup(WordInfo a, WordInfo b) {
  const auto in = [&](std::uint32_t group) { return group != 0 && (group == b.group() || group == b.otherGroup()); };
  return in(a.group()) || in(a.otherGroup());
}

/// What two forms of one word may differ in, behind at least four common letters.
bool isEnding(std::string_view s) {
  return s.empty() ||
         text::isListed(
             s, "ion\nation\ntion\nal\nly\nli\nment\nness\nity\niti\nive\nable\nance\nence\ni\nic\nful\nan\nn\n");
}

std::size_t commonPrefix(std::string_view a, std::string_view b) {
  std::size_t n = 0;
  while (n < a.size() && n < b.size() && a[n] == b[n]) ++n;
  return n;
}

/// One letter more, less, other, or two exchanged, behind a common first letter of words of five letters or more.
bool mistyped(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  if (b.size() < 5 || a.size() > b.size() + 1) return false;
  const std::size_t at = commonPrefix(a, b);
  if (at == 0 || at == b.size()) return at != 0 && a.size() != b.size();
  const std::string_view restA = a.substr(at + 1);
  if (a.size() > b.size()) return restA == b.substr(at);
  return restA == b.substr(at + 1) ||
         (at + 1 < b.size() && a[at] == b[at + 1] && a[at + 1] == b[at] && a.substr(at + 2) == b.substr(at + 2));
}

bool soft(const Lexicon&, Language, const Token& a, const Token& b) {
  if (sameGroup(a.info, b.info)) return true;
  if (a.kind == TokenKind::Hard || a.kind == TokenKind::Number || b.kind == TokenKind::Hard ||
      b.kind == TokenKind::Number || !a.counts() || !b.counts()) {
    return false;
  }
  const std::size_t common = commonPrefix(a.key, b.key);
  const std::string_view restA = std::string_view(a.key).substr(common);
  const std::string_view restB = std::string_view(b.key).substr(common);
  if (common >= 4 && isEnding(restA) && isEnding(restB)) return true;
  // Two words that the lists know are no misspellings of each other.
  return (a.info.packed == 0 || b.info.packed == 0) && mistyped(a.key, b.key);
}

void match(const Lexicon& lexicon, Pairing& pair, Match kind, Test test) {
  const Language language = pair.a.sentence->language;
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    for (std::size_t j = 0; pair.a.open(i) && j < pair.b.size(); ++j) {
      if (!pair.b.open(j) || !test(lexicon, language, pair.a.token(i), pair.b.token(j))) continue;
      pair.a.match[i] = pair.b.match[j] = kind;
      pair.a.mate[i] = static_cast<std::int32_t>(j);
      pair.b.mate[j] = static_cast<std::int32_t>(i);
    }
  }
}

void prepare(Side& side, const ReadSentence& sentence) {
  side.sentence = &sentence;
  side.mate.assign(sentence.tokens.size(), -1);
  side.match.assign(sentence.tokens.size(), Match::None);
}

}  // namespace

bool negatedForm(std::string_view a, std::string_view b) {
  for (const std::string_view prefix : {"un", "in", "im", "ir", "il", "dis", "non", "a", "de"}) {
    if (text::startsWith(a, prefix) && a.substr(prefix.size()) == b) return b.size() >= (prefix.size() == 1 ? 6 : 3);
  }
  // "careless" against "careful"
  return text::endsWith(a, "less") && text::endsWith(b, "ful") &&
         a.substr(0, a.size() - 4) == b.substr(0, b.size() - 3);
}

Pairing::Pairing(const Lexicon& lexicon, const ReadSentence& first, const ReadSentence& second) {
  prepare(a, first);
  prepare(b, second);
  match(lexicon, *this, Match::Same, equalKeys);
  match(lexicon, *this, Match::Opposite, opposites);
  match(lexicon, *this, Match::Soft, soft);
}

}  // namespace aetherflow
