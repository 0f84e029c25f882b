#include "core/cache/pairing.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using Test = bool (*)(const Token&, const Token&);

bool equalKeys(const Token& a, const Token& b) {
  return a.key == b.key;
}

bool turns(const Token& negated, const Token& other) {
  return negatedForm(negated.key, other.key) || negatedForm(negated.word, other.word);
}

bool opposites(const Token& a, const Token& b) {
  // Asked for, not said: "show the hidden files".
  if (related(a.info, b.info, Relation::Synonym)) return false;
  if (related(a.info, b.info, Relation::Opposite)) return true;
  // Listed words that merely begin like a negation are none: "display" and "play".
  return (!a.info.known() && turns(a, b)) || (!b.info.known() && turns(b, a));
}

/// What two forms of one word may differ in, after at least four common letters.
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

/// One letter more, less, other, or two exchanged, after a common first letter of words of five letters or more.
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

bool synonyms(const Token& a, const Token& b) {
  return related(a.info, b.info, Relation::Synonym);
}

bool oneStem(const Token& a, const Token& b) {
  if (a.kind == TokenKind::Hard || a.kind == TokenKind::Number || b.kind == TokenKind::Hard ||
      b.kind == TokenKind::Number || !a.counts() || !b.counts()) {
    return false;
  }
  const std::size_t common = commonPrefix(a.key, b.key);
  const std::string_view restA = std::string_view(a.key).substr(common);
  const std::string_view restB = std::string_view(b.key).substr(common);
  if (common >= 4 && isEnding(restA) && isEnding(restB)) return true;
  // Two names a letter apart are two people, and two words that the lists know are no misspellings of each other.
  if (a.kind == TokenKind::Name || b.kind == TokenKind::Name) return false;
  return (!a.info.known() || !b.info.known()) && mistyped(a.key, b.key);
}

void match(Pairing& pair, Match kind, Test test) {
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    for (std::size_t j = 0; pair.a.open(i) && j < pair.b.size(); ++j) {
      if (!pair.b.open(j) || !test(pair.a.token(i), pair.b.token(j))) continue;
      pair.a.match[i] = pair.b.match[j] = kind;
      pair.a.mate[i] = static_cast<std::int32_t>(j);
      pair.b.mate[j] = static_cast<std::int32_t>(i);
    }
  }
}

void join(Pairing& pair, std::size_t i, std::size_t j) {
  pair.a.match[i] = pair.b.match[j] = Match::Same;
  pair.a.mate[i] = static_cast<std::int32_t>(j);
  pair.b.mate[j] = static_cast<std::int32_t>(i);
}

/// The beginnings and the ends that are equal go together, so that of a word said twice the right one stays without a mate.
void matchEnds(Pairing& pair) {
  const std::size_t most = std::min(pair.a.size(), pair.b.size());
  std::size_t begin = 0;
  for (; begin < most && pair.a.token(begin).key == pair.b.token(begin).key; ++begin) join(pair, begin, begin);
  for (std::size_t end = 1; end <= most - begin; ++end) {
    const std::size_t i = pair.a.size() - end;
    const std::size_t j = pair.b.size() - end;
    if (pair.a.token(i).key != pair.b.token(j).key) return;
    join(pair, i, j);
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

Pairing::Pairing(const ReadSentence& first, const ReadSentence& second) {
  prepare(a, first);
  prepare(b, second);
  matchEnds(*this);
  match(*this, Match::Same, equalKeys);
  match(*this, Match::Opposite, opposites);
  match(*this, Match::Soft, synonyms);
  match(*this, Match::Derived, oneStem);
}

}  // namespace aetherflow
