#include "core/cache/measure.hpp"

#include <algorithm>

#include "core/cache/roles.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isListed;

bool isPast(const Token& token) {
  return isListed(token.word, "was\nwere\ndid\nhad\nused_to\nuse_to\netait\netaient\n");
}
bool isFuture(const Token& token) {
  return isListed(token.word, "will\nsera\ngoing_to\n");
}

using Test = bool (*)(const Token&);
bool any(const ReadSentence& sentence, Test test) {
  return std::any_of(sentence.tokens.begin(), sentence.tokens.end(), test);
}

// --- what is asked for ---

enum class Asked : std::uint8_t { Thing, What, Instruction, How, Measure, Why, When, Where, Who, Count, Whether };

Asked askedBy(std::string_view word, std::string_view next) {
  if (word == "how" || word == "comment") {
    const bool instruction = isListed(next, "do\nto\ncan\ncould\nshould\nwould\none\nfaire\npuis\npeut\n");
    return instruction ? Asked::Instruction : word == "how" ? Asked::How : Asked::Instruction;
  }
  if (word == "how_many") return Asked::Count;
  if (text::startsWith(word, "how_") || word == "combien") return word == "combien" ? Asked::Count : Asked::Measure;
  if (isListed(word, "what\nwhich\nque\nquoi\nqu\nquel\nquelle\nquels\nquelles\n")) return Asked::What;
  if (isListed(word, "why\npourquoi\n")) return Asked::Why;
  if (isListed(word, "when\nquand\n")) return Asked::When;
  if (isListed(word, "where\nou\n")) return Asked::Where;
  if (isListed(word, "who\nwhom\nwhose\nqui\n")) return Asked::Who;
  return Asked::Thing;
}

/// By the first word that asks; else by the first word: "is …?", "can …?".
Asked askedBy(const ReadSentence& sentence) {
  const std::vector<Token>& tokens = sentence.tokens;
  bool what = false;
  for (std::size_t i = 0; i < tokens.size() && i < 8; ++i) {
    if (i < 6 && isListed(tokens[i].word, "number_of\ntotal_number_of\ncount_of\ncount\nnombre\ncompter\ncompte\n")) {
      return Asked::Count;
    }
    if (!tokens[i].info.is(kQuestion)) continue;
    const Asked asked = askedBy(tokens[i].word, i + 1 < tokens.size() ? std::string_view(tokens[i + 1].word) : "");
    what = what || asked == Asked::What;
    if (asked > Asked::What) return what ? Asked::What : asked;
  }
  if (what) return Asked::What;
  if (tokens.size() < 2) return Asked::Thing;
  // "Can you show …" is a request; "is there a way to …" asks how.
  const bool request = isListed(tokens[1].word, "you\nsomeone\nanyone\nsomebody\nwe\ntu\nvous\non\n");
  for (std::size_t i = 1; i < tokens.size() && i < 6; ++i) {
    if (isListed(tokens[i].word, "way\nways\nmoyen\n")) return Asked::Instruction;
  }
  return !request && isListed(tokens[0].word,
                              "is\nare\nam\nwas\nwere\ndo\ndoes\ndid\ncan\ncould\nshould\nwould\nwill\nhas\nhave\nmay\n"
                              "est\npeut\npeux\ndois\ndoit\n")
             ? Asked::Whether
             : Asked::Thing;
}

/// 0 the same; 1 may be the same ("what is the way to", "how do I"; "what time", "when"); 2 something else.
std::size_t apart(Asked a, Asked b) {
  if (a == b) return 0;
  if (a > b) std::swap(a, b);
  if (b >= Asked::Count) return 2;
  if (a == Asked::What || (a == Asked::Thing && b <= Asked::Measure)) return 1;
  return b <= Asked::How ? 1 : 2;
}

/// "who" for "when", "are" for "why are". A request without a question word may ask for anything.
bool asksOther(Asked a, Asked b) {
  if (a > b) std::swap(a, b);
  return apart(a, b) == 2 && (a > Asked::What || (a == Asked::What && b == Asked::Count));
}

// --- counting ---

class Meter {
 public:
  explicit Meter(const Pairing& pair) : a_(pair.a), b_(pair.b), pair_(pair) {}

  Measured measure(float letters) {
    const std::size_t extraA = countSide(a_);
    const std::size_t extraB = countSide(b_);
    const ReadSentence& a = *a_.sentence;
    const ReadSentence& b = *b_.sentence;
    out_.shifted = out_.shifted || (openQuantifier(a_) && openQuantifier(b_));
    set(Sign::Fewer, std::min(extraA, extraB));
    set(Sign::More, std::max(extraA, extraB));
    set(Sign::Words, words_);
    set(Sign::Overlap, words_ == 0 ? 255 : 255 * (words_ - std::min(words_, extraA + extraB)) / words_);
    set(Sign::Soft, soft_ / 2);
    set(Sign::Surplus, surplus_);
    set(Sign::Function, function_);
    set(Sign::Question, question_);
    set(Sign::Light, light_);
    set(Sign::Rare, rare_);
    set(Sign::Anchors, anchors_ / 2);
    const Asked askedA = askedBy(a);
    const Asked askedB = askedBy(b);
    set(Sign::Asked, apart(askedA, askedB));
    out_.asksOther = asksOther(askedA, askedB);
    set(Sign::Change, change_ + (any(a, isPast) != any(b, isPast) || any(a, isFuture) != any(b, isFuture)));
    set(Sign::Crossed, crossedShare(pair_));
    set(Sign::InPlace, exchangedInPlace());
    set(Sign::Inserted, inserted(a_, b_) + inserted(b_, a_));
    set(Sign::Letters, letters <= 0 ? 0 : static_cast<std::size_t>(letters * 255.0f));
    return out_;
  }

 private:
  void set(Sign which, std::size_t count) {
    out_.signs[static_cast<std::size_t>(which)] = static_cast<std::uint8_t>(std::min<std::size_t>(count, 255));
  }

  /// "all" for "some".
  static const Token* openQuantifier(const Side& side) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.open(i) &&
          isListed(side.token(i).word,
                   "all\nany\nevery\neach\nsome\nmost\nfew\nmany\nseveral\nboth\nhalf\nonly\ntous\ntoutes\nchaque\n"
                   "certains\ncertaines\nquelques\nplusieurs\n")) {
        return &side.token(i);
      }
    }
    return nullptr;
  }

  std::size_t countSide(const Side& side) {
    std::size_t extra = 0;
    for (std::size_t i = 0; i < side.size(); ++i) {
      const Token& token = side.token(i);
      const bool special = token.kind > TokenKind::Content;
      words_ += token.counts();
      soft_ += side.match[i] == Match::Soft;
      anchors_ += side.match[i] == Match::Same && token.counts() && (special || !token.info.known());
      if (!side.open(i)) continue;
      extra += side.extra(i);
      rare_ += side.extra(i) && !special && !token.info.known();
      light_ += token.counts() && !token.weighs();
      surplus_ += special;
      question_ += token.info.is(kQuestion);
      change_ += token.info.is(kChange);
      out_.shifted = out_.shifted || token.info.is(kShift);
      function_ += !token.counts();
    }
    return extra;
  }

  /// Where the token before `i` is laid on the other side, one further; -2 when it has no mate, 0 at the beginning.
  static std::int32_t placeAfter(const Side& side, std::size_t i) {
    if (i == 0) return 0;
    return side.mate[i - 1] < 0 ? -2 : side.mate[i - 1] + 1;
  }
  /// Where the token at `i` is laid; -2 when it has no mate, the other side's length at the end.
  static std::int32_t placeBefore(const Side& side, const Side& other, std::size_t i) {
    if (i == side.size()) return static_cast<std::int32_t>(other.size());
    return side.mate[i] < 0 ? -2 : side.mate[i];
  }

  /// Runs of words without a mate that stand between the same two neighbours on either side: "the [living room] floor"
  /// and "the [kitchen] floor".
  std::size_t exchangedInPlace() {
    std::size_t found = 0;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      if (!a_.open(i) || (i > 0 && a_.open(i - 1))) continue;
      std::size_t end = i;
      std::size_t wordsA = 0;
      for (; end < a_.size() && a_.open(end); ++end) wordsA += a_.extra(end);
      const std::int32_t from = placeAfter(a_, i);
      const std::int32_t to = placeBefore(a_, b_, end);
      std::size_t wordsB = 0;
      std::int32_t at = from;
      for (; at >= 0 && at < to && b_.open(static_cast<std::size_t>(at)); ++at) {
        wordsB += b_.extra(static_cast<std::size_t>(at));
      }
      if (from < 0 || from >= to || at != to) continue;
      ++found;
      out_.wordsInPlace += std::min(wordsA, wordsB);
      out_.extraInPlace += wordsA + wordsB;
    }
    return found;
  }

  static std::size_t inserted(const Side& side, const Side& other) {
    std::size_t found = 0;
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (!side.extra(i)) continue;
      const std::int32_t after = placeAfter(side, i);
      found += after >= 0 && placeBefore(side, other, i + 1) == after;
    }
    return found;
  }

  const Side& a_;
  const Side& b_;
  const Pairing& pair_;
  Measured out_;
  std::size_t words_ = 0;
  std::size_t soft_ = 0;
  std::size_t surplus_ = 0;
  std::size_t question_ = 0;
  std::size_t change_ = 0;
  std::size_t function_ = 0;
  std::size_t light_ = 0;
  std::size_t rare_ = 0;
  std::size_t anchors_ = 0;
};

}  // namespace

Measured measure(const Pairing& pair, float letters) {
  return Meter(pair).measure(letters);
}

}  // namespace aetherflow
