// Pleasantries: at the head of a sentence, inside it, or as a sentence of their own; and long forms of short words.

#include "core/prompt/phrases.hpp"
#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isSpace;

/// After these a verb asks for work.
constexpr std::uint32_t kAsking = bit(PhraseKind::Please) | bit(PhraseKind::Request) | bit(PhraseKind::Ask) |
                                  bit(PhraseKind::Question) | bit(PhraseKind::Ability) | bit(PhraseKind::Wish);
constexpr std::uint32_t kHeads = kAsking | bit(PhraseKind::Aside) | bit(PhraseKind::Inside) |
                                 bit(PhraseKind::Greeting) | bit(PhraseKind::Opening) | bit(PhraseKind::Role) |
                                 bit(PhraseKind::Condition);
constexpr std::uint32_t kQuestions = bit(PhraseKind::Ask) | bit(PhraseKind::Question) | bit(PhraseKind::Ability);
constexpr std::uint32_t kWholes = bit(PhraseKind::Closing) | bit(PhraseKind::Thanks);
/// More of them in one sentence are no prompt, and would be looked at again and again.
constexpr int kMostHeads = 8;

bool isStop(char c) {
  return c == '.' || c == '!' || c == '?';
}

class Fillers {
 public:
  Fillers(const StripInput& in, std::vector<Cut>& out) : in_(in), s_(in.text), out_(out) {}

  void run() {
    for (const Block& block : in_.blocks) {
      for (std::size_t i = block.sentences; i < block.sentencesEnd; ++i) sentence(block, i);
    }
  }

 private:
  struct Head {
    std::size_t end;        ///< where the sentence begins once its polite head is gone; its end if nothing else is left
    bool question = false;  ///< "could you" was in it: what is left asks nothing
    std::size_t ending = 0;  ///< the ending of the verb that "que tu" asks for begins here…
    std::size_t ended = 0;   ///< …and ends here
  };

  void sentence(const Block& block, std::size_t index) {
    const Sentence& it = in_.sentences[index];
    std::size_t begin = it.begin;
    Head head = headOf(begin, it.end);
    const bool whole = (head.end >= it.end || isClosing(head.end, it.end)) && !in_.protection.pins(it.begin, it.end);
    if (whole && !isMaterial(block)) {
      out_.push_back(sentenceCut(in_, block, index, StripRule::Pleasantry));
      return;
    }
    if (head.end >= it.end) head = {begin};
    if (head.end == begin) {
      begin = afterIntroduction(it);
      head = headOf(begin, it.end);
      if (head.end >= it.end) head = {begin};
    }
    if (head.end > begin)
      out_.push_back({begin, head.end, StripRule::Pleasantry, begin == it.begin && text::isUpper(s_[begin])});
    if (head.ended != 0) out_.push_back({head.ending, head.ended, StripRule::Pleasantry});
    inside(begin == it.begin ? head.end : it.begin, it.end);
    if (head.question) endQuestion(head.end, it.end);
  }

  /// Texts to show or to work on, one a line: below "…:" or a heading a line of thanks may be one of them.
  bool isMaterial(const Block& block) const {
    const bool item = block.kind == BlockKind::Item || block.kind == BlockKind::Numbered;
    return block.section != 0 && (item || block.first);
  }

  /// "Also, I would like you to…", "If it is missing, could you…": where the request begins, or the sentence's begin.
  std::size_t afterIntroduction(const Sentence& it) const {
    const std::string_view word = wordAt(it.begin, it.end);
    const bool link =
        text::isListed(word, "also\nand\nthen\nfinally\nnext\nlastly\nfirst\nsecond\nensuite\nenfin\naussi\net\n");
    std::size_t next = it.begin + word.size();
    if (!link) {
      const bool clause = text::isListed(
          word,
          "to\nin\nif\nwhen\nonce\nbecause\ndue\nsince\nas\nfor\nafter\nbefore\nafin\npour\nsi\nquand\nlorsque\n"
          "comme\ndans\naprès\navant\n");
      const std::size_t comma = s_.substr(0, it.end).find(',', it.begin);
      if (!clause || comma == std::string_view::npos) return it.begin;
      next = comma;
    }
    if (next < it.end && s_[next] == ',') ++next;
    const std::size_t gap = next;
    while (next < it.end && isSpace(s_[next])) ++next;
    return next > gap && matchPhrase(s_.substr(0, it.end), next, kAsking).length != 0 ? next : it.begin;
  }

  Head headOf(std::size_t begin, std::size_t end) const {
    Head head{begin};
    for (int heads = 0; heads < kMostHeads; ++heads) {
      const std::size_t at = head.end;
      const PhraseMatch match = matchPhrase(s_.substr(0, end), at, kHeads);
      if (match.length == 0 || in_.protection.pins(at, at + match.length)) return head;
      std::size_t next = at + match.length;
      const bool comma = next < end && s_[next] == ',';
      if (comma) ++next;
      const std::size_t gap = next;
      while (next < end && isSpace(s_[next])) ++next;
      if (next >= end || onlyMarks(next, end)) {
        // A head with nothing after it: a greeting or "s'il vous plaît." goes, "I want you to" is a broken sentence and stays.
        const bool greeting = match.kind == PhraseKind::Greeting && at == firstText();
        if (greeting || match.kind == PhraseKind::Inside || match.kind == PhraseKind::Please) head.end = end;
        return head;
      }
      if (next == gap || !mayGo(match, {at, next}, comma, {begin, end})) return head;
      head.question = head.question || (kQuestions & bit(match.kind)) != 0;
      if (match.kind == PhraseKind::Wish) {
        const bool few = endingOf(next, end, head);
        if (!few) return head;
      }
      head.end = next;
    }
    return head;
  }

  bool mayGo(const PhraseMatch& match, Span head, bool comma, Span sentence) const {
    const std::size_t next = head.end;
    const std::string_view word = wordAt(next, sentence.end);
    const bool plain = text::isWordByte(s_[next]) && !isPleaseObject(word);
    switch (match.kind) {
      case PhraseKind::Greeting: {
        const std::string lower = text::lowered(word.substr(0, 16));
        return comma && head.begin == firstText() && lower != "world" && lower != "monde";
      }
      case PhraseKind::Please: return plain;
      // What follows must be the verb itself: "I want you to not…", "…to `code`" stay as they are.
      case PhraseKind::Request:
      case PhraseKind::Ask:
      case PhraseKind::Wish:
        return !comma && plain && !in_.protection.touches(next, next + 1) && !carriesOn(next, sentence.end);
      case PhraseKind::Question: return !comma && asksForWork(next, sentence.end);
      case PhraseKind::Ability: return !comma && tellsSomething(s_.substr(next, sentence.end - next));
      case PhraseKind::Opening: return comma || (head.begin != sentence.begin && plain);
      // "As a senior developer, I want to see it" is a story of a user.
      case PhraseKind::Role:
      case PhraseKind::Condition:
        return comma && (isWorkVerb(word) || matchPhrase(s_.substr(0, sentence.end), next, kAsking).length != 0);
      default: return true;
    }
  }

  /// "que tu rédiges", "que vous rédigiez": without them the verb has another ending, which regular verbs let us cut.
  bool endingOf(std::size_t verb, std::size_t end, Head& head) const {
    const std::string_view word = wordAt(verb, end);
    const bool many = text::endsWith(word, "iez");
    if (!many && !text::endsWith(word, "es")) return false;
    const std::string_view rest = s_.substr(verb, end - verb);
    if (text::containsListed(rest, " et \n puis \n ou \n, \n")) return false;
    const std::size_t stem = word.size() - (many ? 3 : 2);
    if (!isWorkVerb(std::string(word.substr(0, stem)) + "er")) return false;
    head.ending = verb + stem + (many ? 0 : 1);
    head.ended = head.ending + 1;
    return true;
  }

  /// "I want you to read it and to sort it": without its head the second half would hang in the air.
  bool carriesOn(std::size_t at, std::size_t end) const {
    const std::string_view rest = s_.substr(at, end - at);
    return text::containsListed(rest, " and to \n, to \n et que \n et qu'\n and that \n");
  }

  /// A verb of work after "could you", also after "also" or "s'il te plaît".
  bool asksForWork(std::size_t at, std::size_t end) const {
    std::string_view word = wordAt(at, end);
    if (matchPhrase(s_, at, bit(PhraseKind::Inside)).length != 0) return true;
    if (text::isListed(word, "also\nthen\naussi\n") && at + word.size() < end) word = wordAt(at + word.size() + 1, end);
    return isWorkVerb(word);
  }

  /// A request is no question any more, unless it leaves a choice.
  void endQuestion(std::size_t begin, std::size_t end) {
    std::size_t mark = end - 1;
    if (s_[mark] != '?' || in_.protection.touches(mark, end)) return;
    while (mark > begin && isSpace(s_[mark - 1])) --mark;  // French puts a blank before it
    if (mark == begin || !text::isWordByte(s_[mark - 1])) return;
    if (!text::containsListed(s_.substr(begin, end - begin), " or \n ou \n")) {
      out_.push_back({mark, end, StripRule::Pleasantry, false, "."});
    }
  }

  /// Polite words after the head, and long forms. English "please" only after a comma or a conjunction: "as you please" means
  /// something.
  void inside(std::size_t from, std::size_t end) {
    constexpr std::uint32_t kFrames = bit(PhraseKind::Frame);
    constexpr std::uint32_t kInside =
        kFrames | bit(PhraseKind::Inside) | bit(PhraseKind::Please) | bit(PhraseKind::Condition);
    const auto beginsAt = [&](std::size_t i) {
      const unsigned before = i == 0 ? unsigned{text::kApart} : text::classesOf(s_[i - 1]);
      return (before >> 1 & text::classesOf(s_[i]) & text::kPolite) != 0;
    };
    for (std::size_t i = from; i < end; ++i) {
      while (i < end && !beginsAt(i)) ++i;
      if (i >= end) return;
      // The sentence's first word was the head's business.
      const PhraseMatch match = matchPhrase(s_.substr(0, end), i, i == from ? kFrames : kInside);
      if (match.length == 0) continue;
      const std::size_t after = i + match.length;
      const bool cut = match.kind == PhraseKind::Frame ? cutFrame(i, after, end, match.instead)
                                                       : cutInside(i, after, end, match.kind);
      if (cut) i = after;
    }
  }

  /// "the blocks are in order to the left" is not one.
  bool cutFrame(std::size_t begin, std::size_t end, std::size_t limit, std::string_view instead) {
    if (in_.protection.touches(begin, end)) return false;
    if (instead == "to" && (end + 1 >= limit || isPleaseObject(wordAt(end + 1, limit)))) return false;
    out_.push_back({begin, end, StripRule::Pleasantry, text::isUpper(s_[begin]), instead});
    return true;
  }

  bool cutInside(std::size_t begin, std::size_t end, std::size_t limit, PhraseKind kind) {
    std::size_t before = begin;
    while (before > 0 && isSpace(s_[before - 1])) --before;
    if (before == 0 || before == begin) return false;
    const bool please = kind == PhraseKind::Please;
    const bool afterComma = s_[before - 1] == ',';
    const bool commaFollows = end < limit && s_[end] == ',';
    std::size_t next = end;
    while (next < limit && isSpace(s_[next])) ++next;
    const bool closes = next >= limit || isStop(s_[next]);  // French puts a blank before ? and !
    if (kind == PhraseKind::Condition && (!afterComma || !closes)) return false;
    if (please && !afterComma && !(afterConjunction(before) && !closes && !commaFollows)) return false;
    if (please && next < limit && isPleaseObject(wordAt(next, limit))) return false;
    Cut cut{begin, next, StripRule::Pleasantry};
    if (closes || commaFollows) cut = {afterComma ? before - 1 : before, end, StripRule::Pleasantry};
    if (cut.end <= cut.begin || in_.protection.pins(cut.begin, cut.end)) return false;
    out_.push_back(cut);
    return true;
  }

  bool afterConjunction(std::size_t end) const {
    std::size_t begin = end;
    while (begin > 0 && end - begin < 5 && text::isWordByte(s_[begin - 1])) --begin;
    return text::isListed(s_.substr(begin, end - begin), "and\nbut\nthen\nalso\nso\n");
  }

  bool isClosing(std::size_t at, std::size_t end) const {
    const PhraseMatch match = matchPhrase(s_.substr(0, end), at, kWholes);
    if (match.length == 0) return false;
    const std::size_t rest = at + match.length;
    if (onlyMarks(rest, end)) return true;
    const std::string_view tail = s_.substr(rest, end - rest);
    const bool reason = matchPhrase(s_.substr(0, end), rest + 1, bit(PhraseKind::Reason)).length != 0;
    return (match.kind == PhraseKind::Thanks || reason) && tail.size() <= 80 &&
           tail.find(':') == std::string_view::npos && !in_.protection.touches(rest, end);
  }

  bool onlyMarks(std::size_t at, std::size_t end) const {
    for (; at < end; ++at) {
      if (!isStop(s_[at]) && s_[at] != ',' && !isSpace(s_[at])) return false;
    }
    return true;
  }

  std::string_view wordAt(std::size_t at, std::size_t end) const {
    std::size_t to = at;
    while (to < end && to - at < 32 && (text::isWordByte(s_[to]) || s_[to] == '-')) ++to;
    return s_.substr(at, to - at);
  }

  std::size_t firstText() const { return in_.blocks.empty() ? 0 : in_.blocks.front().contentBegin; }

  const StripInput& in_;
  std::string_view s_;
  std::vector<Cut>& out_;
};

}  // namespace

void cutFillers(const StripInput& in, std::vector<Cut>& out) {
  Fillers(in, out).run();
}

}  // namespace aetherflow
