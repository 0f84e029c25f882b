#include "core/cache/pairing.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using Test = bool (*)(const Token&, const Token&);

bool isFirst(const Token& token) {
  return text::isListed(token.word, "first\npremier\npremiere\n");
}

/// "first" and "one" are both 1, and no equals.
bool equalKeys(const Token& a, const Token& b) {
  return a.key == b.key && !(isFirst(a) != isFirst(b) && a.counts() != b.counts());
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

/// Two neighbouring letters exchanged: "form" and "from".
bool transposed(std::string_view a, std::string_view b) {
  const std::size_t at = commonPrefix(a, b);
  return a.size() == b.size() && at + 1 < b.size() && a[at] == b[at + 1] && a[at + 1] == b[at] &&
         a.substr(at + 2) == b.substr(at + 2);
}

/// One letter more, less, other, or two exchanged, after a common first letter of words of five letters or more. Of two words that
/// nobody knows ("marta", "marty"; "kilobit", "kilobyte") no letter is taken for another, and short ones may be names.
bool mistyped(std::string_view a, std::string_view b, bool known) {
  if (a.size() < b.size()) std::swap(a, b);
  if (b.size() < (known ? 5u : 7u) || a.size() > b.size() + 1) return false;
  const std::size_t at = commonPrefix(a, b);
  if (at == 0 || at == b.size()) return at != 0 && a.size() != b.size();
  const std::string_view restA = a.substr(at + 1);
  if (a.size() > b.size()) return restA == b.substr(at);
  return (known && restA == b.substr(at + 1)) || transposed(a, b);
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
  if (a.info.known() && b.info.known()) return false;
  return mistyped(a.key, b.key, a.info.known() || b.info.known());
}

/// "teh" for "the", "taht" for "that": a word that nobody knows, whose letters are those of a short one that is known.
bool shortTypo(const Token& a, const Token& b) {
  const bool plainWords = a.kind <= TokenKind::Content && b.kind <= TokenKind::Content;
  return plainWords && a.info.known() != b.info.known() && a.word.size() >= 3 && transposed(a.word, b.word);
}

/// What French words of one stem may differ in, behind at least five common letters: "démarrage", "démarrer".
bool isFrenchEnding(std::string_view s) {
  if (text::endsWith(s, "s")) s.remove_suffix(1);
  return s.empty() ||
         text::isListed(s, "e\ner\nent\nez\nage\nement\nation\nant\nante\neur\nee\non\nait\naient\na\nra\nera\n");
}

bool oneFrenchStem(const Token& a, const Token& b) {
  if (a.kind != TokenKind::Content || b.kind != TokenKind::Content) return false;
  const std::size_t common = commonPrefix(a.word, b.word);
  return common >= 5 && isFrenchEnding(std::string_view(a.word).substr(common)) &&
         isFrenchEnding(std::string_view(b.word).substr(common));
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

bool equalWords(const Token& a, const Token& b) {
  return a.counts() && b.counts() && equalKeys(a, b);
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
  for (; begin < most && equalKeys(pair.a.token(begin), pair.b.token(begin)); ++begin) join(pair, begin, begin);
  for (std::size_t end = 1; end <= most - begin; ++end) {
    const std::size_t i = pair.a.size() - end;
    const std::size_t j = pair.b.size() - end;
    if (!equalKeys(pair.a.token(i), pair.b.token(j))) return;
    join(pair, i, j);
  }
}

/// "data base" for "database": two words of one side written as one on the other.
void matchSplit(Side& whole, Side& split) {
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (std::size_t j = 0; whole.open(i) && j + 1 < split.size(); ++j) {
      const std::string& left = split.token(j).word;
      const std::string& right = split.token(j + 1).word;
      if (!split.open(j) || !split.open(j + 1) || left.size() < 2 || right.size() < 2) continue;
      if (whole.token(i).word != left + right) continue;
      whole.match[i] = split.match[j] = split.match[j + 1] = Match::Same;
      whole.mate[i] = static_cast<std::int32_t>(j);
      split.mate[j] = split.mate[j + 1] = static_cast<std::int32_t>(i);
    }
  }
}

/// Of articles and the like, which are said more than once, those go together that stand beside the same word.
void matchBeside(Pairing& pair) {
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    for (std::size_t j = 0; pair.a.open(i) && j < pair.b.size(); ++j) {
      if (!pair.b.open(j) || !equalKeys(pair.a.token(i), pair.b.token(j))) continue;
      const bool left = i > 0 && j > 0 && pair.a.mate[i - 1] == static_cast<std::int32_t>(j - 1);
      const bool right =
          i + 1 < pair.a.size() && j + 1 < pair.b.size() && pair.a.mate[i + 1] == static_cast<std::int32_t>(j + 1);
      if (left || right) join(pair, i, j);
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

Pairing::Pairing(const ReadSentence& first, const ReadSentence& second) {
  prepare(a, first);
  prepare(b, second);
  matchEnds(*this);
  match(*this, Match::Same, equalWords);
  matchBeside(*this);
  match(*this, Match::Same, equalKeys);
  match(*this, Match::Opposite, opposites);
  match(*this, Match::Soft, synonyms);
  match(*this, Match::Derived, oneStem);
  if (first.language == Language::French) match(*this, Match::Derived, oneFrenchStem);
  matchSplit(a, b);
  matchSplit(b, a);
  match(*this, Match::Derived, shortTypo);
}

}  // namespace aetherflow
