#include "core/cache/changes.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isListed;

/// Quantities that exclude each other; "all", "every" and "each" are one.
enum Quantity : std::uint8_t { NoQuantity, All, Any, One, Both, Either, Half, Most, First, Last, Quantities };

constexpr text::List kArticles =
    "the\na\nan\nits\ntheir\nhis\nher\nour\nthis\nthat\nthese\nthose\nle\nla\nl\nles\nun\nune\ndes\nses\nleurs\n";

bool followsArticle(const Side& side, std::size_t i) {
  return i > 0 && (isListed(side.token(i - 1).word, kArticles) ||
                   isListed(side.token(i - 1).word, "which\nwhat\nno\nany\neach\nevery\nquel\nquelle\n"));
}

Quantity quantityOf(const Side& side, std::size_t i) {
  // Each word behind the letter of its quantity, from 'a' for All.
  constexpr std::string_view kWords =
      "aall\naevery\naeach\naeverything\naeveryone\naentire\nawhole\natous\natoutes\natout\natoute\nachaque\n"
      "bany\nbimporte\ncseul\ncseule\nca_single\ndboth\neeither\nfhalf\nfmoitie\n"
      "gplupart\ngmajority\nhfirst\nhpremier\nhpremiere\n"
      "ilast\nidernier\niderniere\n";
  const std::string& word = side.token(i).word;
  for (std::string_view rest = kWords; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
    const std::size_t size = rest.find('\n') - 1;
    if (rest.substr(1, size) == word) return static_cast<Quantity>(rest[0] - 'a' + All);
  }
  // "Which one", "the one that": a pronoun. At the end, or before a word of grammar, too.
  if (word != "one" || followsArticle(side, i) || i + 1 == side.size()) return NoQuantity;
  return side.token(i + 1).counts() || side.token(i + 1).word == "of" ? One : NoQuantity;
}

/// The last token of each quantity, and how often it is said.
struct Said {
  std::size_t at[Quantities] = {};
  std::size_t times[Quantities] = {};

  explicit Said(const Side& side) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      const Quantity quantity = quantityOf(side, i);
      at[quantity] = i;
      ++times[quantity];
    }
  }
  bool only(int quantity, const Said& other) const { return times[quantity] > other.times[quantity]; }
};

/// Quantities of which one is not the other: rows of a table, a bit for each column. "All songs of the last year" and "the last
/// song" are no such pair: what is first or last need not be what is counted.
bool excludes(int a, int b) {
  constexpr unsigned kExcludes[Quantities] = {0,
                                              1u << Any | 1u << One | 1u << Either | 1u << Half | 1u << Most,
                                              1u << All | 1u << Both | 1u << Half | 1u << First | 1u << Last,
                                              1u << All | 1u << Both | 1u << Half | 1u << First | 1u << Last,
                                              1u << Any | 1u << One | 1u << Either | 1u << Half,
                                              1u << All | 1u << Both,
                                              1u << All | 1u << Any | 1u << One | 1u << Both | 1u << Most,
                                              1u << All | 1u << Half,
                                              1u << Any | 1u << One | 1u << Last,
                                              1u << Any | 1u << One | 1u << First};
  return (kExcludes[a] >> b & 1) != 0;
}

constexpr text::List kStrong = "up\ndown\noff\nout\naway\nback\nover\napart\naside\nforth\n";
/// These are prepositions as often as particles.
constexpr text::List kMedium = "through\nalong\naround\nbehind\nahead\n";
constexpr text::List kWeak = "in\non\nfor\nat\nto\nwith\nby\nfrom\ninto\nonto\nafter\nunder\nof\n";

/// The verb before a particle, and the particle itself: "set up" as two words or, listed, as one.
struct Phrasal {
  std::string_view verb;
  std::string_view particle;
  bool open = false;  ///< the particle has no mate
};

Phrasal phrasalAt(const Side& side, std::size_t i) {
  const std::string& word = side.token(i).word;
  const std::size_t gap = word.find('_');
  if (gap != std::string::npos) {
    const std::string_view rest = std::string_view(word).substr(gap + 1);
    return {std::string_view(word).substr(0, gap), rest, side.match[i] != Match::Same};
  }
  if (i + 1 >= side.size()) return {side.token(i).key, {}, false};
  return {side.token(i).key, side.token(i + 1).word, side.open(i + 1)};
}

/// "break", "broke"; "set", "set_up".
bool oneVerb(std::string_view a, std::string_view b) {
  const std::size_t least = std::min<std::size_t>(2, std::min(a.size(), b.size()));
  return least > 0 && a.substr(0, least) == b.substr(0, least);
}

/// "in" and "into" say the same here.
std::string_view base(std::string_view particle) {
  return particle == "into" || particle == "onto" ? particle.substr(0, 2) : particle;
}

/// 3: a particle; 2: a preposition as often; 1: a preposition; 0: another word.
int particleness(std::string_view word) {
  return isListed(word, kStrong) ? 3 : isListed(word, kMedium) ? 2 : isListed(word, kWeak) ? 1 : 0;
}

/// The quantity without a mate that is said right before the token, articles between them or not; 'a' for one article alone.
char determiner(const Side& side, std::size_t i) {
  bool indefinite = false;
  while (i > 0) {
    --i;
    const std::string& word = side.token(i).word;
    const Quantity quantity = quantityOf(side, i);
    if (side.open(i) && isListed(word, "a\nan\nun\nune\n")) indefinite = true;
    if (!side.open(i) && !isListed(word, kArticles)) return ' ';
    const bool behindArticle = i > 0 && isListed(side.token(i - 1).word, kArticles);
    if (quantity == All) return '*';
    if ((quantity == First || quantity == Last) && behindArticle) return quantity == First ? '1' : '$';
    if (isListed(word, "more_than\nless_than\nat_least\nat_most\nfewer_than\nplus_de\nmoins_de\nau_moins\nau_plus\n"))
      return '>';
    if (!isListed(word, kArticles)) break;
  }
  return indefinite ? 'a' : ' ';
}

}  // namespace

bool quantityChanged(const Pairing& pair, std::string& detail) {
  const Said a(pair.a);
  const Said b(pair.b);
  for (int i = NoQuantity + 1; i < Quantities; ++i) {
    for (int j = NoQuantity + 1; j < Quantities; ++j) {
      if (!a.only(i, b) || !b.only(j, a) || !excludes(i, j)) continue;
      nameBoth(detail, pair.a.token(a.at[i]).word, pair.b.token(b.at[j]).word);
      return true;
    }
  }
  return false;
}

bool quantityAdded(const Pairing& pair, std::string& detail) {
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    if (pair.a.mate[i] < 0 || !pair.a.token(i).counts()) continue;
    const auto j = static_cast<std::size_t>(pair.a.mate[i]);
    const char left = determiner(pair.a, i);
    const char right = determiner(pair.b, j);
    if (left == right) continue;
    const bool bounds = left == '>' || right == '>';
    const bool ends = left == '1' || right == '1' || left == '$' || right == '$';
    const bool allOrOne = (left == '*' && right == 'a') || (left == 'a' && right == '*');
    if (!ends && !allOrOne && !(bounds && pair.a.token(i).kind == TokenKind::Number)) continue;
    detail = pair.a.token(i).word;
    return true;
  }
  return false;
}

bool requestAdded(const Pairing& pair, std::string& detail) {
  for (const Side* side : {&pair.a, &pair.b}) {
    for (std::size_t i = 0; i + 1 < side->size(); ++i) {
      if (!side->open(i) || !isListed(side->token(i).word, "and\nthen\net\npuis\n")) continue;
      std::size_t next = i + 1;
      while (next + 1 < side->size() && isListed(side->token(next).word, kArticles)) ++next;
      if (!side->extra(next) || side->token(next).info.is(kAsk)) continue;
      nameBoth(detail, side->token(i).word, side->token(next).word);
      return true;
    }
  }
  return false;
}

bool actAsked(const Pairing& pair, std::string& detail) {
  const auto asks = [](const Side& side) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.open(i) && !side.token(i).counts() && side.token(i).info.is(kAsk)) return true;
    }
    return false;
  };
  for (const Side* side : {&pair.a, &pair.b}) {
    std::size_t head = 0;
    while (head + 1 < side->size() && !side->token(head).counts()) ++head;
    // What is written is what is shown.
    const bool makes =
        head < side->size() &&
        isListed(side->token(head).word,
                 "write\ncompose\ncreate\ndraft\nmake\nsuggest\nrecommend\nname\nsummarize\nwhat\necris\nredige\n");
    if (head >= side->size() || !side->extra(head) || makes || !asks(side == &pair.a ? pair.b : pair.a)) continue;
    detail = side->token(head).word;
    return true;
  }
  return false;
}

bool particleChanged(const Pairing& pair, std::string& detail) {
  for (std::size_t i = 0; i < pair.a.size(); ++i) {
    for (std::size_t j = 0; j < pair.b.size(); ++j) {
      const Phrasal left = phrasalAt(pair.a, i);
      const Phrasal right = phrasalAt(pair.b, j);
      if (!left.open || !right.open || base(left.particle) == base(right.particle)) continue;
      if (!oneVerb(left.verb, right.verb)) continue;
      const int a = particleness(left.particle);
      const int b = particleness(right.particle);
      if (std::min(a, b) == 0 || (std::max(a, b) < 3 && std::min(a, b) < 2)) continue;
      nameBoth(detail, left.particle, right.particle);
      return true;
    }
  }
  return false;
}

}  // namespace aetherflow
