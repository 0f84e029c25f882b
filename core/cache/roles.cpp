#include "core/cache/roles.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {}  // namespace

bool relatesAlike(const ReadSentence& sentence) {
  for (const Token& token : sentence.tokens) {
    if (token.info.is(kSymmetric)) return true;
  }
  return false;
}

namespace {

/// "and" or "or" between the two: a list, whose order means nothing; but "this and not that" is not one.
bool listed(const Side& side, std::size_t from, std::size_t to) {
  bool list = false;
  for (std::size_t i = from + 1; i < to; ++i) {
    if (side.token(i).info.is(kNegator)) return false;
    list = list || text::isListed(side.token(i).word, "and\nor\net\nou\n");
  }
  return list;
}

/// Spelt like the participle of a passive.
bool isParticiple(std::string_view word) {
  const std::string_view end = word.substr(word.size() - std::min<std::size_t>(word.size(), 3));
  return text::endsWith(word, "ed") || text::endsWith(word, "en") || text::endsWith(word, "wn") ||
         text::isListed(end, "ght\nade\nilt\nold\neld\nung\nept\nent\naid\n");
}

/// "is taken by Ann": a word, then "by" with a word after it that is no "doing". `who` gets the place of that word.
bool passive(const Side& side, std::size_t& who) {
  for (std::size_t i = 2; i + 1 < side.size(); ++i) {
    if (!text::isListed(side.token(i).word, "by\npar\n") ||
        !(side.token(i - 1).counts() || text::endsWith(side.token(i - 1).word, "ed"))) {
      continue;
    }
    bool be = false;
    // Far from "be" only a participle is one: "is the number of employees by department" is no passive.
    const std::size_t from = isParticiple(side.token(i - 1).word) ? 0 : i - std::min<std::size_t>(i, 3);
    for (std::size_t j = from; j < i; ++j) {
      be = be || text::isListed(side.token(j).word, "is\nare\nwas\nwere\nbe\nbeen\nbeing\nest\nsont\nete\n");
    }
    if (!be) continue;
    for (who = i + 1; who + 1 < side.size() && !side.token(who).counts(); ++who) {
    }
    return side.token(who).counts() && !(who == i + 1 && text::endsWith(side.token(who).word, "ing"));
  }
  return false;
}

/// One side passive: its arguments must stand in the other order. `side` is the passive one.
bool passiveKeepsOrder(const Side& side, const Side& other, std::size_t agent) {
  const std::int32_t place = side.mate[agent];
  if (place < 0) return false;
  // The subject of the passive: the first word that counts. On the active side it must stand after the agent.
  for (std::size_t i = 0; i < agent; ++i) {
    if (!side.token(i).counts() || side.mate[i] < 0) continue;
    return side.mate[i] < place && other.token(static_cast<std::size_t>(place)).counts();
  }
  return false;
}

std::string_view neighbour(const Side& side, std::size_t i, bool left) {
  if (left ? i == 0 : i + 1 == side.size()) return {};
  return side.token(left ? i - 1 : i + 1).key;
}

/// x and y have changed places: each stands where the other stood, by its left or by its right neighbour.
bool exchanged(const Pairing& pair, std::size_t x, std::size_t y) {
  const auto otherX = static_cast<std::size_t>(pair.a.mate[x]);
  const auto otherY = static_cast<std::size_t>(pair.a.mate[y]);
  for (const bool left : {true, false}) {
    const std::string_view atX = neighbour(pair.a, x, left);
    const std::string_view atY = neighbour(pair.a, y, left);
    if (atX != atY && neighbour(pair.b, otherY, left) == atX && neighbour(pair.b, otherX, left) == atY) return true;
  }
  return false;
}

/// Where more was said otherwise than this, a changed order is no sign of exchanged parties.
constexpr std::size_t kFewExtras = 2;

std::size_t extras(const Side& side) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < side.size(); ++i) found += side.extra(i);
  return found;
}

/// "used" against "use": one side may be passive without naming who acts, and then the order must change.
bool voiceChanged(const Pairing& pair) {
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    if (pair.a.match[i] != Match::Same) continue;
    const std::string& other = pair.b.token(static_cast<std::size_t>(pair.a.mate[i])).word;
    if (text::endsWith(pair.a.token(i).word, "ed") != text::endsWith(other, "ed")) return true;
  }
  return false;
}

/// What "than", "from" or "not" governs: the next word that carries a subject; size() when there is none.
std::size_t governed(const Side& side, std::string_view by) {
  std::size_t at = 0;
  while (at < side.size() && side.token(at).word != by) ++at;
  while (at < side.size() && !side.token(at).counts()) ++at;
  return at;
}

/// "better than A" against "better than B", where both sides name both.
bool governsAnother(const Pairing& pair, std::string& detail) {
  for (const std::string_view by : {"than", "from", "not"}) {
    const std::size_t x = governed(pair.a, by);
    const std::size_t y = governed(pair.b, by);
    if (x == pair.a.size() || y == pair.b.size() || pair.a.mate[x] < 0 || pair.b.mate[y] < 0) continue;
    if (static_cast<std::size_t>(pair.a.mate[x]) == y) continue;
    nameBoth(detail, pair.a.token(x).word, pair.b.token(y).word);
    return true;
  }
  return false;
}

/// "into French" against "from French": the preposition is turned before the same word.
bool directionTurned(const Pairing& pair, std::string& detail) {
  const auto towards = [](const std::string& word) {
    return text::isListed(word, "to\ninto\ntowards\nvers\nfor\npour\n");
  };
  const auto away = [](const std::string& word) {
    return text::isListed(word, "from\nout_of\ndepuis\nagainst\ncontre\n");
  };
  for (std::size_t i = 0; i + 1 < pair.a.size(); ++i) {
    const std::int32_t next = pair.a.mate[i + 1];
    if (!pair.a.open(i) || next < 1 || !pair.b.open(static_cast<std::size_t>(next - 1))) continue;
    const std::string& left = pair.a.token(i).word;
    const std::string& right = pair.b.token(static_cast<std::size_t>(next - 1)).word;
    if (!(towards(left) && away(right)) && !(away(left) && towards(right))) continue;
    nameBoth(detail, left, right);
    return true;
  }
  return false;
}

bool isPassive(const Side& side) {
  for (std::size_t i = 0; i < side.size(); ++i) {
    if (text::isListed(side.token(i).word, "is\nare\nwas\nwere\nbe\nbeen\nby\n")) return true;
  }
  return false;
}

/// "which functions call the parser" against "which functions does the parser call".
bool subjectBecameObject(const Pairing& pair, std::string& detail) {
  const auto aided = [](const Side& side) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.open(i) && text::isListed(side.token(i).word, "do\ndoes\ndid\n")) return true;
    }
    return false;
  };
  const auto whole = [](const Side& side) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.open(i) && side.token(i).counts()) return false;
    }
    return true;
  };
  const auto asks = [](const Side& side) {
    return side.size() > 0 && text::isListed(side.token(0).word, "which\nwhat\nwho\nwhom\n") && !isPassive(side);
  };
  if (!asks(pair.a) || !asks(pair.b) || !whole(pair.a) || !whole(pair.b) || aided(pair.a) == aided(pair.b) ||
      crossedShare(pair) == 0)
    return false;
  detail = aided(pair.a) ? "does/-" : "-/does";
  return true;
}

/// 'm' and 'f' for each he and she in turn.
std::string genders(const ReadSentence& sentence) {
  std::string out;
  for (const Token& token : sentence.tokens) {
    if (text::isListed(token.word, "he\nhim\nhis\n")) out += 'm';
    if (text::isListed(token.word, "she\nher\nhers\n")) out += 'f';
  }
  return out;
}

}  // namespace

bool rolesExchanged(const Pairing& pair, std::string& detail) {
  const std::string left = genders(*pair.a.sentence);
  const std::string right = genders(*pair.b.sentence);
  if (left.size() == right.size() && left != right) {
    detail = "he/she";
    return true;
  }
  if (directionTurned(pair, detail)) return true;
  std::size_t agentA = 0;
  std::size_t agentB = 0;
  const bool passiveA = passive(pair.a, agentA);
  const bool passiveB = passive(pair.b, agentB);
  if (passiveA != passiveB) {
    detail = "by " + (passiveA ? pair.a.token(agentA) : pair.b.token(agentB)).word;
    return passiveA ? passiveKeepsOrder(pair.a, pair.b, agentA) : passiveKeepsOrder(pair.b, pair.a, agentB);
  }
  if (relatesAlike(*pair.a.sentence) && relatesAlike(*pair.b.sentence)) return false;
  if (subjectBecameObject(pair, detail)) return true;
  if (extras(pair.a) + extras(pair.b) > kFewExtras || voiceChanged(pair)) return false;
  if (governsAnother(pair, detail)) return true;
  for (std::size_t x = 0; x < pair.a.size(); ++x) {
    if (pair.a.mate[x] < 0 || !pair.a.token(x).counts()) continue;
    for (std::size_t y = x + 1; y < pair.a.size(); ++y) {
      if (pair.a.mate[y] < 0 || !pair.a.token(y).counts() || pair.a.mate[y] > pair.a.mate[x]) continue;
      if (listed(pair.a, x, y) || !exchanged(pair, x, y)) continue;
      nameBoth(detail, pair.a.token(x).word, pair.a.token(y).word);
      return true;
    }
  }
  return false;
}

std::size_t crossedShare(const Pairing& pair) {
  std::size_t crossed = 0;
  std::size_t mates = 0;
  std::int32_t last = -1;
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    if (pair.a.mate[i] < 0 || !pair.a.token(i).counts()) continue;
    ++mates;
    crossed += pair.a.mate[i] < last;
    last = pair.a.mate[i];
  }
  return mates < 2 ? 0 : 255 * crossed / (mates - 1);
}

}  // namespace aetherflow
