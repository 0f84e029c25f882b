// Pleasantries: at the head of a sentence, inside it, or as a sentence of their own.

#include "core/prompt/phrases.hpp"
#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isSpace;

constexpr std::uint32_t kHeads = bit(PhraseKind::Please) | bit(PhraseKind::Request) | bit(PhraseKind::Question) |
                                 bit(PhraseKind::Aside) | bit(PhraseKind::Inside) | bit(PhraseKind::Greeting);
constexpr std::uint32_t kWholes = bit(PhraseKind::Closing) | bit(PhraseKind::Thanks);

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
  void sentence(const Block& block, std::size_t index) {
    const Sentence& it = in_.sentences[index];
    const std::size_t head = headEnd(it);
    const bool whole = head >= it.end || isClosing(head, it.end);
    if (whole && !in_.protection.touches(it.begin, it.end)) {
      out_.push_back(sentenceCut(in_, block, index, StripRule::Pleasantry));
      return;
    }
    if (head > it.begin) out_.push_back({it.begin, head, StripRule::Pleasantry, text::isUpper(s_[it.begin])});
    inside(head, it.end);
  }

  /// Where the sentence begins once its polite head is gone. The sentence's end if nothing else is left.
  std::size_t headEnd(const Sentence& it) const {
    std::size_t at = it.begin;
    for (;;) {
      const PhraseMatch match = matchPhrase(s_.substr(0, it.end), at, kHeads);
      if (match.length == 0 || in_.protection.touches(at, at + match.length)) return at;
      std::size_t next = at + match.length;
      const bool comma = next < it.end && s_[next] == ',';
      if (comma) ++next;
      const std::size_t gap = next;
      while (next < it.end && isSpace(s_[next])) ++next;
      if (next >= it.end || onlyMarks(next, it.end))
        return match.kind == PhraseKind::Please ? it.end : wholeOr(at, match, it);
      if (next == gap || !mayGo(match, at, next, comma, it)) return at;
      at = next;
    }
  }

  /// A head with nothing behind it: a greeting or "s'il vous plaît." goes, "I want you to" is a broken sentence and stays.
  std::size_t wholeOr(std::size_t at, const PhraseMatch& match, const Sentence& it) const {
    const bool greeting = match.kind == PhraseKind::Greeting && at == firstText();
    return greeting || match.kind == PhraseKind::Inside ? it.end : at;
  }

  bool mayGo(const PhraseMatch& match, std::size_t at, std::size_t next, bool comma, const Sentence& it) const {
    const std::string_view word = wordAt(next, it.end);
    switch (match.kind) {
      case PhraseKind::Greeting: {
        const std::string lower = text::lowered(word.substr(0, 16));
        return comma && at == firstText() && lower != "world" && lower != "monde";
      }
      case PhraseKind::Please: return text::isWordByte(s_[next]) && !isPleaseObject(word);
      // What follows must be the verb itself: "I want you to not…", "…to `code`" stay as they are.
      case PhraseKind::Request:
        return !comma && text::isWordByte(s_[next]) && !in_.protection.touches(next, next + 1) &&
               !carriesOn(next, it.end);
      case PhraseKind::Question: return !comma && asksForWork(next, it.end);
      default: return true;
    }
  }

  /// "I want you to read it and to sort it": without its head the second half would hang in the air.
  bool carriesOn(std::size_t at, std::size_t end) const {
    const std::string_view rest = s_.substr(at, end - at);
    return text::containsListed(rest, " and to \n, to \n et que \n et qu'\n and that \n");
  }

  /// A verb of work behind "could you", also behind "also" or "s'il te plaît".
  bool asksForWork(std::size_t at, std::size_t end) const {
    std::string_view word = wordAt(at, end);
    if (matchPhrase(s_, at, bit(PhraseKind::Inside)).length != 0) return true;
    if (text::isListed(word, "also\nthen\naussi\n") && at + word.size() < end) word = wordAt(at + word.size() + 1, end);
    return isWorkVerb(word);
  }

  /// Polite words after the head. English "please" only behind a comma or a conjunction: "as you please" means something.
  void inside(std::size_t from, std::size_t end) {
    constexpr std::uint32_t kInside = bit(PhraseKind::Inside) | bit(PhraseKind::Please);
    const auto beginsAt = [&](std::size_t i) {
      return (text::classesOf(s_[i - 1]) >> 1 & text::classesOf(s_[i]) & text::kPolite) != 0;
    };
    // The sentence's first word was the head's business.
    for (std::size_t i = from + 1; i < end; ++i) {
      while (i < end && !beginsAt(i)) ++i;
      if (i >= end) return;
      const PhraseMatch match = matchPhrase(s_.substr(0, end), i, kInside);
      if (match.length == 0) continue;
      const std::size_t after = i + match.length;
      if (cutInside(i, after, end, match.kind == PhraseKind::Please)) i = after;
    }
  }

  bool cutInside(std::size_t begin, std::size_t end, std::size_t limit, bool please) {
    std::size_t before = begin;
    while (before > 0 && isSpace(s_[before - 1])) --before;
    if (before == 0 || before == begin) return false;
    const bool afterComma = s_[before - 1] == ',';
    const bool commaFollows = end < limit && s_[end] == ',';
    std::size_t next = end;
    while (next < limit && isSpace(s_[next])) ++next;
    const bool closes = next >= limit || isStop(s_[next]);  // French puts a blank before ? and !
    if (please && !afterComma && !(afterConjunction(before) && !closes && !commaFollows)) return false;
    if (please && next < limit && isPleaseObject(wordAt(next, limit))) return false;
    Cut cut{begin, next, StripRule::Pleasantry};
    if (closes || commaFollows) cut = {afterComma ? before - 1 : before, end, StripRule::Pleasantry};
    if (cut.end <= cut.begin || in_.protection.touches(cut.begin, cut.end)) return false;
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
           tail.find(':') == std::string_view::npos;
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
