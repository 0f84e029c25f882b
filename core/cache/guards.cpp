#include "core/cache/guards.hpp"

#include "core/cache/asked.hpp"
#include "core/cache/changes.hpp"
#include "core/cache/measure.hpp"
#include "core/cache/pairing.hpp"
#include "core/cache/roles.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::string_view kNames =
    "exact.fresh\nveto.language\nveto.hard\nveto.name\nveto.kind\nveto.polarity\nveto.role\nescalate.language\n"
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

using Test = bool (*)(const Token&);

/// The first token without a mate for which the test holds; nullptr: none.
const Token* openToken(const Side& side, Test test) {
  for (std::size_t i = 0; i < side.size(); ++i) {
    if (side.open(i) && test(side.token(i))) return &side.token(i);
  }
  return nullptr;
}

class Comparison {
 public:
  Comparison(const ReadSentence& stored, const ReadSentence& asked) : pair_(stored, asked), a_(pair_.a), b_(pair_.b) {}

  Finding find(float letters) {
    const Measured measured = measure(pair_, letters);
    finding_.signs = measured.signs;
    const Language left = a_.sentence->language;
    const Language right = b_.sentence->language;
    const bool unknown = left == Language::Unknown || right == Language::Unknown;
    if (left != right && !unknown) say(CacheGuard::Language, "en", "fr");
    std::string detail;
    if (literalsDiffer(a_.sentence->literals, b_.sentence->literals, detail)) say(CacheGuard::Hard, detail, "");
    conflict(CacheGuard::Hard, isHard, isHard);
    conflict(CacheGuard::Hard, isHard, isWeakNumber);
    conflict(CacheGuard::Hard, isWeakNumber, isHard);
    conflict(CacheGuard::Name, isName, isName);
    kinds();
    polarity();
    if (rolesExchanged(pair_, detail)) say(CacheGuard::Role, detail, "");
    if (literalsTurned(detail)) say(CacheGuard::Role, detail, "");
    if (unknown) say(CacheGuard::Unknown, "", "");
    if (sign(Sign::Surplus) > 0) sayOpen(CacheGuard::Surplus);
    if (sign(Sign::Fewer) > 0) sayOpen(CacheGuard::Substitution);
    if (sign(Sign::More) > 0) sayOpen(CacheGuard::Qualifier);
    const bool changed = quantityChanged(pair_, detail) || quantityAdded(pair_, detail) ||
                         particleChanged(pair_, detail) || requestAdded(pair_, detail) || actAsked(pair_, detail);
    if (changed) say(CacheGuard::Change, detail, "");
    if (sign(Sign::Change) > 0 || sign(Sign::Asked) > 1) say(CacheGuard::Change, "", "");
    const std::uint8_t words = sign(Sign::Fewer);
    const bool minimalPair = words > 0 && words <= 2 && sign(Sign::More) <= words + 1 && measured.wordsInPlace >= words;
    finding_.closed =
        unknown || minimalPair || changed || measured.shifted || measured.asksOther || evened_ || renamed();
    return std::move(finding_);
  }

 private:
  std::uint8_t& sign(Sign sign) { return finding_.signs[static_cast<std::size_t>(sign)]; }
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

  static bool says(const Side& side, const std::string& key) {
    for (std::size_t i = 0; i < side.size(); ++i) {
      if (side.token(i).key == key) return true;
    }
    return false;
  }

  /// Quotations have changed places, and nothing says that their order is free.
  bool literalsTurned(std::string& detail) const {
    return !(relatesAlike(*a_.sentence) && relatesAlike(*b_.sentence)) &&
           literalsExchanged(a_.sentence->literals, b_.sentence->literals, detail);
  }

  /// Red on one side, blue on the other; not where a side says both.
  void kinds() {
    for (std::size_t i = 0; i < a_.size(); ++i) {
      if (!a_.extra(i) || says(b_, a_.token(i).key)) continue;
      for (std::size_t j = 0; j < b_.size(); ++j) {
        if (!b_.extra(j) || says(a_, b_.token(j).key) || !related(a_.token(i).info, b_.token(j).info, Relation::Kind))
          continue;
        return say(CacheGuard::Kind, a_.token(i).word, b_.token(j).word);
      }
    }
  }

  /// Negators that stand on one side only, and opposites, each turn the meaning round. An even number leaves it, if one
  /// of them is a negator or a degree: "less impatient" is "more patient", but "close before noon" is not "open after noon".
  void polarity() {
    std::size_t turns = 0;
    bool cancels = false;
    bool negated = false;
    bool opposed = false;
    std::string_view left, right;
    for (std::size_t i = 0; i < a_.size(); ++i) {
      const bool opposite = a_.match[i] == Match::Opposite;
      if (!opposite && !(a_.open(i) && negates(a_, i))) continue;
      ++turns;
      left = a_.token(i).word;
      (opposite ? opposed : negated) = true;
      cancels = cancels || !opposite || text::isListed(left, "more\nless\nmost\nleast\nplus\nmoins\n");
      if (opposite) right = b_.token(static_cast<std::size_t>(a_.mate[i])).word;
    }
    for (std::size_t i = 0; i < b_.size(); ++i) {
      if (!b_.open(i) || !negates(b_, i)) continue;
      ++turns;
      cancels = negated = true;
      right = b_.token(i).word;
    }
    evened_ = turns > 0 && turns % 2 == 0 && negated && opposed;
    if (turns == 0 || (turns % 2 == 0 && cancels)) return;
    say(CacheGuard::Polarity, left.empty() ? "-" : left, right.empty() ? "-" : right);
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

  Pairing pair_;
  Side& a_;
  Side& b_;
  Finding finding_;
  bool evened_ = false;  ///< "not open" for "closed": the same, if they speak of the same
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
  // "How do I reset my password" asks for instructions, which are the same for everyone.
  const bool instructs = askedBy(sentence) == Asked::Instruction;
  for (std::size_t i = 0; i < sentence.tokens.size(); ++i) {
    const Token& token = sentence.tokens[i];
    if (instructs && text::startsWith(token.word, "my_")) continue;
    if (instructs && (text::startsWith(token.word, "mon_") || text::startsWith(token.word, "ma_"))) continue;
    if (!token.info.is(kFresh) && !(token.info.is(kAct) && token.sentenceStart)) continue;
    detail = token.word;
    return true;
  }
  return false;
}

Finding compare(const ReadSentence& stored, const ReadSentence& asked, float letters) {
  return Comparison(stored, asked).find(letters);
}

}  // namespace aetherflow
