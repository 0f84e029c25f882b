#include "core/cache/asked.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isListed;

using Tokens = std::vector<Token>;

/// Words of the beginning that are looked at.
constexpr std::size_t kHead = 8;

bool isWay(const Token& token) {
  return isListed(token.word,
                  "way\nways\ngood_way\nbest_way\nright_way\nproper_way\nmoyen\nfacon\nmaniere\ndemarche\n");
}
bool isCount(const Token& token) {
  return isListed(token.word,
                  "how_many\nnumber_of\ntotal_number_of\ncount_of\ncount\nnombre\nnombre_de\ncompter\ncompte\n");
}
bool isBe(const Token& token) {
  return isListed(token.word, "is\nare\nest\nsont\n");
}

Asked byWord(std::string_view word, std::string_view next) {
  if (word == "how") {
    return isListed(next, "do\nto\ncan\ncould\nshould\nwould\none\n") ? Asked::Instruction : Asked::How;
  }
  if (word == "comment") return Asked::Instruction;
  if (word == "how_many" || word == "combien") return Asked::Count;
  if (text::startsWith(word, "how_")) return Asked::Measure;
  if (isListed(word, "what\nwhich\nque\nquoi\nqu\nquel\nquelle\nquels\nquelles\n")) return Asked::What;
  if (isListed(word, "why\npourquoi\n")) return Asked::Why;
  if (isListed(word, "when\nquand\n")) return Asked::When;
  if (isListed(word, "where\nou\n")) return Asked::Where;
  return isListed(word, "who\nwhom\nwhose\nqui\n") ? Asked::Who : Asked::Thing;
}

/// "What is a race condition": nothing but a noun of up to three words after "what is".
bool defines(const Tokens& tokens, std::size_t what) {
  if (what > 2 || what + 2 >= tokens.size() || !isBe(tokens[what + 1])) return false;
  std::size_t words = 0;
  for (std::size_t i = what + 2; i < tokens.size(); ++i) {
    if (!tokens[i].counts() && !(words == 0 && isListed(tokens[i].word, "a\nan\nthe\nun\nune\nle\nla\nl\n")))
      return false;
    words += tokens[i].counts();
  }
  return words > 0 && words <= 3;
}

/// Without a question word.
Asked byFirst(const Tokens& tokens) {
  std::size_t first = 0;
  while (first + 1 < tokens.size() && isListed(tokens[first].word, "please\nkindly\nhello\nhi\nhey\nbonjour\n"))
    ++first;
  if (tokens.size() < first + 2) return Asked::Thing;
  const Token& token = tokens[first];
  // "Can you show …" is a request.
  const bool request = isListed(tokens[first + 1].word, "you\nsomeone\nanyone\nsomebody\nwe\ntu\nvous\non\nme\n");
  if (request || token.info.is(kAsk)) {
    for (std::size_t i = first; i < tokens.size() && i < first + 4; ++i) {
      if (tokens[i].info.is(kAsk) && !tokens[i].counts()) return Asked::What;
      if (isListed(tokens[i].word, "explain\ndescribe\nexplique\nexpliquer\ndecris\n")) return Asked::Definition;
    }
    return Asked::Thing;
  }
  if (isListed(token.word, "explain\ndescribe\ndefine\nexplique\ndecris\ndefinis\n")) return Asked::Definition;
  return isListed(token.word,
                  "is\nare\nam\nwas\nwere\ndo\ndoes\ndid\ncan\ncould\nshould\nwould\nwill\nhas\nhave\nmay\n"
                  "est\npeut\npeux\ndois\ndoit\n")
             ? Asked::Whether
             : Asked::Thing;
}

}  // namespace

bool asksWhatFollows(const ReadSentence& sentence) {
  const Tokens& tokens = sentence.tokens;
  bool what = false;
  for (std::size_t i = 0; i < std::min(tokens.size(), kHead); ++i) {
    what = what || isListed(tokens[i].word, "what\nque\nqu\nce\n");
    if (what && isListed(tokens[i].word, "happen\nhappens\nhappening\npasse\narrive\nproduit\n")) return true;
  }
  return false;
}

Asked askedBy(const ReadSentence& sentence) {
  const Tokens& tokens = sentence.tokens;
  const std::size_t head = std::min(tokens.size(), kHead);
  std::size_t what = head;
  for (std::size_t i = 0; i < head; ++i) {
    if (isCount(tokens[i]) && i < 6) return Asked::Count;
    if (isWay(tokens[i])) return Asked::Instruction;
    if (!tokens[i].info.is(kQuestion) || what < head) continue;
    const Asked asked = byWord(tokens[i].word, i + 1 < tokens.size() ? std::string_view(tokens[i + 1].word) : "");
    if (asked == Asked::What) what = i;
    if (asked > Asked::What) return asked;
  }
  if (what == head) return byFirst(tokens);
  return defines(tokens, what) ? Asked::Definition : Asked::What;
}

std::size_t apart(Asked a, Asked b) {
  if (a == b) return 0;
  if (a > b) std::swap(a, b);
  if (b >= Asked::Count) return 2;
  if (a == Asked::Thing && b <= Asked::Measure) return 1;
  if (a == Asked::What) return 1;
  return a == Asked::Instruction && b == Asked::How ? 1 : 2;
}

bool asksOther(Asked a, Asked b) {
  if (a > b) std::swap(a, b);
  return apart(a, b) == 2 && (a > Asked::What || (a == Asked::What && b == Asked::Count));
}

}  // namespace aetherflow
