#include "core/cache/guards.hpp"

#include <algorithm>

#include "core/cache/pairing.hpp"
#include "core/cache/roles.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::string_view kNames =
    "exact.fresh\nveto.language\nveto.hard\nveto.name\nveto.polarity\nveto.role\nescalate.language\n"
    "escalate.surplus\nescalate.substitution\nescalate.qualifier\nescalate.change\nclear\n";

bool isHard(const Token& token) {
  return token.kind == TokenKind::Hard || token.kind == TokenKind::Number;
}
bool isName(const Token& token) {
  return token.kind == TokenKind::Name;
}
/// "one", "un": an article or pronoun as often as a number. It conflicts with a number, and is no surplus.
bool isWeakNumber(const Token& token) {
  return token.kind == TokenKind::Function && token.info.is(kNumberWord);
}
bool isPast(const Token& token) {
  return text::isListed(token.word, "was\nwere\ndid\nhad\nused_to\nuse_to\netait\netaient\n");
}
bool isFuture(const Token& token) {
  return text::isListed(token.word, "will\nsera\ngoing_to\n");
}

using Test = bool (*)(const Token&);

/// The first token without a mate for which the test holds; nullptr: none.
const Token* openToken(const Side& side, Test test) {
  for (std::size_t i = 0; i < side.size(); ++i) {
    if (side.open(i) && test(side.token(i))) return &side.token(i);
  }
  return nullptr;
}

bool any(const ReadSentence& sentence, Test test) {
  return std::any_of(sentence.tokens.begin(), sentence.tokens.end(), test);
}

class Comparison {
 public:
  Comparison(const Lexicon& lexicon, const ReadSentence& stored, const ReadSentence& asked)
      : pair_(lexicon, stored, asked), a_(pair_.a), b_(pair_.b) {}

  Finding find(float letters) {
    count(letters);
    const Language left = a_.sentence->language;
    const Language right = b_.sentence->language;
    const bool unknown = left == Language::Unknown || right == Language::Unknown;
    if (left != right && !unknown) say(CacheGuard::Language, "en", "fr");
    conflict(CacheGuard::Hard, isHard, isHard);
    conflict(CacheGuard::Hard, isHard, isWeakNumber);
    conflict(CacheGuard::Hard, isWeakNumber, isHard);
    conflict(CacheGuard::Name, isName, isName);
    polarity();
    std::string detail;
    if (rolesExchanged(pair_, detail)) say(CacheGuard::Role, detail, "");
    if (unknown) say(CacheGuard::Unknown, "", "");
    if (sign(Sign::Surplus) > 0) sayOpen(CacheGuard::Surplus);
    if (sign(Sign::Fewer) > 0) sayOpen(CacheGuard::Substitution);
    if (sign(Sign::More) > 0) sayOpen(CacheGuard::Qualifier);
    if (sign(Sign::Change) > 0 || sign(Sign::Question) > 0) say(CacheGuard::Change, "", "");
    const std::uint8_t words = sign(Sign::Fewer);
    const bool minimalPair = words > 0 && words <= 2 && sign(Sign::More) <= words + 1 && wordsInPlace_ >= words;
    const bool qualified = words == 0 && sign(Sign::More) == 1 && sign(Sign::Inserted) == 1;
    finding_.closed = unknown || minimalPair || qualified || shifted_ || renamed();
    return std::move(finding_);
  }

 private:
  std::uint8_t& sign(Sign sign) { return finding_.signs[static_cast<std::size_t>(sign)]; }
  void set(Sign which, std::size_t count) {
    sign(which) = static_cast<std::uint8_t>(std::min<std::size_t>(count, 255));
  }

  void say(CacheGuard guard, std::string_view left, std::string_view right) {
    if (finding_.guard != CacheGuard::Clear) return;
    finding_.guard = guard;
    finding_.detail = left;
    if (!right.empty()) finding_.detail.append("/").append(right);
  }

  void sayOpen(CacheGuard guard) {
    const auto counting = [](const Token& token) { return token.counts(); };
    const Token* left = openToken(a_, counting);
    const Token* right = openToken(b_, counting);
    say(guard, left ? left->word : "", right ? right->word : "");
  }

  void conflict(CacheGuard guard, Test left, Test right) {
    const Token* inA = openToken(a_, left);
    const Token* inB = openToken(b_, right);
    if (inA && inB) say(guard, inA->word, inB->word);
  }

  /// Negators that stand on one side only, and opposites, each turn the meaning round: an even number leaves it.
  void polarity() {
    std::size_t turns = 0;
    std::string_view left, right;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      const bool opposite = a_.match[i] == Match::Opposite;
      if (!opposite && !(a_.open(i) && negates(a_, i))) continue;
      ++turns;
      left = a_.token(i).word;
      if (opposite) right = b_.token(static_cast<std::size_t>(a_.mate[i])).word;
    }
    for (std::size_t i = 0; i < b_.size(); ++i) {
      if (!b_.open(i) || !negates(b_, i)) continue;
      ++turns;
      right = b_.token(i).word;
    }
    if (turns % 2 == 1) say(CacheGuard::Polarity, left.empty() ? "-" : left, right.empty() ? "-" : right);
  }

  /// Not in "why or why not", "or not", and not in "not only".
  static bool negates(const Side& side, std::size_t i) {
    if (!side.token(i).info.is(kNegator)) return false;
    if (side.token(i).word != "not" || i == 0) return true;
    const std::string& before = side.token(i - 1).word;
    return before != "why" && before != "or" && !(i + 1 < side.size() && side.token(i + 1).word == "only");
  }

  /// "his family" for "Erica's family": a name where a pronoun stood may be another person's.
  bool renamed() const {
    const Test gendered = [](const Token& token) {
      return text::isListed(token.word, "he\nhim\nhis\nshe\nher\nhers\n");
    };
    return (openToken(a_, gendered) && openToken(b_, isName)) || (openToken(b_, gendered) && openToken(a_, isName));
  }

  void count(float letters) {
    const std::size_t extraA = countSide(a_);
    const std::size_t extraB = countSide(b_);
    set(Sign::Fewer, std::min(extraA, extraB));
    set(Sign::More, std::max(extraA, extraB));
    set(Sign::Words, words_);
    set(Sign::Overlap, words_ == 0 ? 255 : 255 * (words_ - std::min(words_, extraA + extraB)) / words_);
    set(Sign::Soft, soft_ / 2);
    set(Sign::Surplus, surplus_);
    set(Sign::Function, function_);
    set(Sign::Question, question_);
    const bool tense = any(*a_.sentence, isPast) != any(*b_.sentence, isPast) ||
                       any(*a_.sentence, isFuture) != any(*b_.sentence, isFuture);
    set(Sign::Change, change_ + tense);
    set(Sign::Crossed, crossedShare(pair_));
    set(Sign::InPlace, exchangedInPlace());
    set(Sign::Inserted, inserted(a_) + inserted(b_));
    set(Sign::Letters, letters <= 0 ? 0 : static_cast<std::size_t>(letters * 255.0f));
  }

  std::size_t countSide(const Side& side) {
    std::size_t extra = 0;
    for (std::size_t i = 0; i < side.size(); ++i) {
      const Token& token = side.token(i);
      extra += side.extra(i);
      words_ += token.counts();
      soft_ += side.match[i] == Match::Soft;
      if (!side.open(i)) continue;
      surplus_ += isHard(token) || isName(token);
      question_ += token.info.is(kQuestion);
      change_ += token.info.is(kChange);
      shifted_ = shifted_ || token.info.is(kShift);
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
      wordsInPlace_ += std::min(wordsA, wordsB);
    }
    return found;
  }

  std::size_t inserted(const Side& side) const {
    const Side& other = &side == &a_ ? b_ : a_;
    std::size_t found = 0;
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (!side.extra(i)) continue;
      const std::int32_t after = placeAfter(side, i);
      found += after >= 0 && placeBefore(side, other, i + 1) == after;
    }
    return found;
  }

  Pairing pair_;
  Side& a_;
  Side& b_;
  Finding finding_;
  bool shifted_ = false;
  std::size_t wordsInPlace_ = 0;
  std::size_t words_ = 0;
  std::size_t soft_ = 0;
  std::size_t surplus_ = 0;
  std::size_t question_ = 0;
  std::size_t change_ = 0;
  std::size_t function_ = 0;
};

}  // namespace

std::string_view name(CacheGuard guard) {
  std::string_view rest = kNames;
  for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(guard); ++i) rest.remove_prefix(rest.find('\n') + 1);
  return rest.substr(0, rest.find('\n'));
}

std::string Finding::why() const {
  std::string out(name(guard));
  if (!detail.empty()) out.append(": ").append(detail);
  return out;
}

bool onlyExact(const ReadSentence& sentence, std::string& detail) {
  for (std::size_t i = 0; i < sentence.tokens.size(); ++i) {
    const Token& token = sentence.tokens[i];
    if (!token.info.is(kFresh) && !(token.info.is(kAct) && token.sentenceStart)) continue;
    detail = token.word;
    return true;
  }
  return false;
}

Finding compare(const Lexicon& lexicon, const ReadSentence& stored, const ReadSentence& asked, float letters) {
  return Comparison(lexicon, stored, asked).find(letters);
}

}  // namespace aetherflow
