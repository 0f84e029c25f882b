#include "core/cache/measure.hpp"

#include <algorithm>

#include "core/cache/asked.hpp"
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

class Meter {
 public:
  explicit Meter(const Pairing& pair) : a_(pair.a), b_(pair.b), pair_(pair) {}

  Measured measure(float letters) {
    const std::size_t extraA = countSide(a_);
    const std::size_t extraB = countSide(b_);
    const ReadSentence& a = *a_.sentence;
    const ReadSentence& b = *b_.sentence;
    out_.shifted = out_.shifted || (openQuantifier(a_) && openQuantifier(b_)) || exchanged(a_, b_) || exchanged(b_, a_);
    set(Sign::Fewer, std::min(extraA, extraB));
    set(Sign::More, std::max(extraA, extraB));
    set(Sign::Words, words_);
    set(Sign::Overlap, words_ == 0 ? 255 : 255 * (words_ - std::min(words_, extraA + extraB)) / words_);
    set(Sign::Soft, soft_ / 2);
    set(Sign::Derived, derived_);
    set(Sign::Surplus, surplus_);
    set(Sign::Function, function_);
    set(Sign::Question, question_);
    set(Sign::Light, light_);
    set(Sign::Rare, rare_);
    set(Sign::Anchors, anchors_ / 2);
    const Asked askedA = askedBy(a);
    const Asked askedB = askedBy(b);
    set(Sign::Asked, apart(askedA, askedB));
    const Asked opposite = asksWhatFollows(a) ? askedB : askedA;
    out_.asksOther =
        asksOther(askedA, askedB) || (asksWhatFollows(a) != asksWhatFollows(b) && opposite > Asked::Instruction);
    set(Sign::Change, change_ + (any(a, isPast) != any(b, isPast) || any(a, isFuture) != any(b, isFuture)));
    set(Sign::Crossed, crossedShare(pair_));
    set(Sign::InPlace, exchangedInPlace());
    set(Sign::Inserted, inserted(a_, b_) + inserted(b_, a_));
    set(Sign::Phrase, phrases(a_) + phrases(b_));
    set(Sign::Modifier, modifiers(a_) + modifiers(b_));
    set(Sign::Letters, letters <= 0 ? 0 : static_cast<std::size_t>(letters * 255.0f));
    return out_;
  }

 private:
  void set(Sign which, std::size_t count) {
    out_.signs[static_cast<std::size_t>(which)] = static_cast<std::uint8_t>(std::min<std::size_t>(count, 255));
  }

  /// "process engineering", "process engineer"; "market", "marketing".
  bool derived(const Side& side, std::size_t i) const {
    if (&side != &a_ || side.open(i)) return false;
    const std::string& word = side.token(i).word;
    const std::string& other = b_.token(static_cast<std::size_t>(side.mate[i])).word;
    return side.match[i] == Match::Derived || text::endsWith(word, "ing") != text::endsWith(other, "ing");
  }

  /// "and" for "or", "each tree" for "the tree".
  static bool exchanged(const Side& side, const Side& other) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (!side.open(i)) continue;
      const std::string& word = side.token(i).word;
      if (isListed(word, "and\net\n") && openWord(other, "or\nou\n")) return true;
      const bool each = i + 1 < side.size() && side.mate[i + 1] > 0 && isListed(word, "each\nevery\nany\nchaque\n");
      if (!each) continue;
      const auto next = static_cast<std::size_t>(side.mate[i + 1]);
      if (isListed(other.token(next - 1).word, "the\na\nan\nthis\nthat\nle\nla\nl\nun\nune\n") &&
          side.token(i + 1).word == other.token(next).word) {
        return true;
      }
    }
    return false;
  }

  static bool openWord(const Side& side, const text::List& words) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.open(i) && isListed(side.token(i).word, words)) return true;
    }
    return false;
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
      soft_ += side.match[i] == Match::Soft || side.match[i] == Match::Derived;
      derived_ += derived(side, i);
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

  /// "in winter", "and its subdirectories", "qui dorment": a word more behind a word of grammar more.
  static std::size_t phrases(const Side& side) {
    std::size_t found = 0;
    for (std::size_t i = 1; i < side.size(); ++i) {
      std::size_t before = i - 1;
      while (before > 0 && isListed(side.token(before).word, "the\na\nan\nits\ntheir\nle\nla\nl\nles\nun\nune\n")) {
        --before;
      }
      found +=
          side.extra(i) && side.open(before) &&
          isListed(side.token(before).word,
                   "in\nat\non\nwith\nby\nof\nfor\nand\nthat\nwhich\nwho\nwhen\nfrom\nduring\nusing\nafter\nbefore\n"
                   "en\na\nau\naux\nsur\navec\npar\nde\nd\ndu\ndes\npour\net\nqui\nquand\nsous\npendant\n");
    }
    return found;
  }

  static std::size_t modifiers(const Side& side) {
    std::size_t found = 0;
    for (std::size_t i = 0; i + 1 < side.size(); ++i) {
      found += side.extra(i) && side.match[i + 1] == Match::Same && side.token(i + 1).counts();
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
  std::size_t derived_ = 0;
  std::size_t rare_ = 0;
  std::size_t anchors_ = 0;
};

}  // namespace

Measured measure(const Pairing& pair, float letters) {
  return Meter(pair).measure(letters);
}

}  // namespace aetherflow
