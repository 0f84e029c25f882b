// Repetitions. The same words in another section may be another instruction ("Backend: add tests. Frontend: add
// tests."), so a sentence is redundant only where the earlier copy already speaks.

#include <string>

#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isSpace;

constexpr std::size_t kContextBytes = 80;
/// Headings under which a repetition is meant as one.
constexpr text::List kRecaps =
    "remind\nimportant\nnote\nremember\nsummary\nconclusion\nfinal\nrappel\nrésumé\ngénéral\ngeneral\n";

/// "As a reminder, …" repeats on purpose: the bytes of such an opening, or 0.
std::size_t reminderLength(std::string_view sentence) {
  constexpr text::List kOpenings =
      "as a reminder, \njust a reminder: \nreminder: \nremember: \nremember that \nremember, \nagain, \nonce again, \n"
      "to reiterate, \nto repeat, \npour rappel, \nrappel : \nje rappelle que \nencore une fois, \nje répète : \n";
  const std::size_t length = text::listedPrefix(sentence, kOpenings, true);
  return length < sentence.size() ? length : 0;
}

/// "Then sort it again." belongs where it stands.
bool isSequential(std::string_view s) {
  constexpr text::List kOpenings =
      "then \nthen,\nnext \nnext,\nafterwards\nfinally\nafter that\nensuite\npuis \nenfin\naprès\n";
  return text::listedPrefix(s, kOpenings, true) != 0 ||
         text::containsListed(s, " again\nonce more\nrepeat\n encore\nà nouveau\nde nouveau\n");
}

bool hasWords(std::string_view s, std::size_t count) {
  for (std::size_t i = 0; i < s.size() && count != 0; ++i)
    count -= !isSpace(s[i]) && (i == 0 || isSpace(s[i - 1])) ? 1 : 0;
  return count == 0;
}

/// What two repetitions have in common at least: lower case, white space and, for loose keys, marks as blanks.
struct Folds {
  constexpr explicit Folds(bool loose) {
    for (int i = 0; i < 256; ++i) {
      const char c = static_cast<char>(i);
      // Both cases of a Latin-1 letter end in bytes that differ in this bit alone.
      const int folded = text::isHigh(c) ? i | 0x20 : text::lower(c);
      of[i] = static_cast<unsigned char>(isSpace(c) || (loose && !text::isWordByte(c)) ? ' ' : folded);
    }
  }
  unsigned char of[256] = {};
};
constexpr Folds kFolds[] = {Folds(false), Folds(true)};

class Repeats {
 public:
  Repeats(const StripInput& in, std::vector<Cut>& out) : in_(in), out_(out) {
    const std::size_t texts = in.blocks.size() * 2 + in.sentences.size();
    std::size_t slots = 8;
    while (slots <= texts * 2) slots *= 2;
    seen_.resize(slots);
  }

  void run() {
    for (std::size_t b = 0; b < in_.blocks.size(); ++b) {
      const Block& block = in_.blocks[b];
      if (block.section != section_) enter(b);
      if (block.kind != BlockKind::Prose && block.kind != BlockKind::Item) continue;
      if (example(b) || context(b)) continue;
      for (std::size_t i = block.sentences; i < block.sentencesEnd; ++i) sentence(block, i);
    }
  }

 private:
  void enter(std::size_t block) {
    section_ = in_.blocks[block].section;
    const std::string_view header = in_.textOf(in_.blocks[block - 1]);
    recap_ = header.size() < 200 && text::containsListed(header, kRecaps);
  }

  /// What makes two texts the same. Case and spacing do not count outside exact spans; beside a negation every byte
  /// does. `loose` drops punctuation too.
  std::string keyOf(std::size_t begin, std::size_t end, bool loose) const {
    std::string key;
    if (in_.protection.negates(begin, end)) {
      key = '!';
      key.append(in_.text, begin, end - begin);
      return key;
    }
    key = loose ? '~' : '=';
    const std::vector<GuardedSpan>& spans = in_.protection.spans();
    std::size_t span = in_.protection.after(begin);
    for (std::size_t i = begin; i < end;) {
      if (span < spans.size() && i >= spans[span].begin) {
        key.append(in_.text, i, spans[span].end - i);
        i = spans[span++].end;
        continue;
      }
      const char c = in_.text[i];
      const std::size_t next = i + (c == '\xc3' && i + 1 < end ? 2 : 1);
      const bool mark = !text::isWordByte(c) && !isSpace(c);
      if (isSpace(c) || (loose && mark)) {
        if (key.back() != ' ') key += ' ';
      } else {
        text::appendLowered(key, in_.text.substr(i, next - i));
      }
      i = next;
    }
    while (key.back() == ' ') key.pop_back();
    return key;
  }

  enum Kind : unsigned { Paragraph, Example, Words, kShared = 4 };

  /// A text that stood before.
  struct Seen {
    std::uint32_t hash;
    std::uint32_t note;  ///< of a sentence: twice the latest section, plus kPreamble if the first stood in the preamble
    std::size_t begin;
    std::size_t end;  ///< 0 = a free slot
    unsigned kind;
    bool stays;           ///< a sentence known not to be sequential
    bool shared = false;  ///< others have this sketch
  };

  /// Equal keys have equal hashes. A key itself is written only when hashes are equal: that is nearly always a repetition.
  std::uint32_t hashOf(std::size_t begin, std::size_t end, bool loose) const {
    const unsigned char* folds = kFolds[loose ? 1 : 0].of;
    const std::vector<GuardedSpan>& spans = in_.protection.spans();
    std::uint32_t hash = 0;
    bool blank = false;
    const auto mix = [&](std::size_t to, const unsigned char* fold) {
      for (; begin < to; ++begin) {
        const auto byte = static_cast<unsigned char>(in_.text[begin]);
        const unsigned c = fold != nullptr ? fold[byte] : byte < 0x80 ? byte : byte | 0x20;
        if (c == ' ') {
          blank = true;
          continue;
        }
        if (blank) hash = (hash ^ ' ') * 0x9e3779b1u;
        blank = false;
        hash = ((hash << 5) | (hash >> 27)) ^ c;
      }
    };
    if (in_.protection.negates(begin, end)) mix(end, nullptr);
    std::size_t span = in_.protection.after(begin);
    while (begin < end) {
      const bool guarded = span < spans.size() && spans[span].begin < end;
      mix(guarded ? spans[span].begin : end, folds);
      if (guarded) mix(spans[span++].end, nullptr);
    }
    hash *= 0x9e3779b1u;
    return hash ^ (hash >> 15);
  }

  /// Of the last letters and digits alone: a sketch that nearly every text answers for itself.
  std::uint32_t sketchOf(std::size_t begin, std::size_t end) const {
    std::uint32_t hash = 0;
    for (int letters = 0; end > begin && letters < 16;) {
      const unsigned char c = kFolds[1].of[static_cast<unsigned char>(in_.text[--end])];
      if (c == ' ') continue;
      hash = hash * 33 ^ c;
      ++letters;
    }
    hash *= 0x9e3779b1u;
    return hash ^ (hash >> 15);
  }

  /// The slot with this hash, or a free one, then filled; `key`: the slot with this key.
  Seen& slotOf(const Seen& text, bool key, bool& fresh) {
    for (std::size_t at = text.hash;; ++at) {
      Seen& slot = seen_[at & (seen_.size() - 1)];
      fresh = slot.end == 0;
      if (fresh) slot = text;
      if (fresh || (slot.hash == text.hash && slot.kind == text.kind &&
                    (!key || keyOf(slot.begin, slot.end, (text.kind & Example) != 0) ==
                                 keyOf(text.begin, text.end, (text.kind & Example) != 0)))) {
        return slot;
      }
    }
  }

  /// The slot of the text that stood before with the same key, or one made for it. Texts with one sketch have slots of
  /// their own, by their hashes.
  Seen& seen(std::size_t begin, std::size_t end, unsigned kind, bool& fresh) {
    Seen& first = slotOf({sketchOf(begin, end), 0, begin, end, kind, false}, false, fresh);
    if (fresh) return first;
    if (!first.shared) {
      first.shared = true;
      const std::uint32_t hash = hashOf(first.begin, first.end, kind == Example);
      slotOf({hash, first.note, first.begin, first.end, kind | kShared, first.stays}, true, fresh);
    }
    return slotOf({hashOf(begin, end, kind == Example), 0, begin, end, kind | kShared, false}, true, fresh);
  }

  bool example(std::size_t b) {
    const Block& block = in_.blocks[b];
    const std::string_view content = in_.text.substr(block.contentBegin, block.end - block.contentBegin);
    if (!isExample(content)) return false;
    std::size_t end = block.end;
    // "Example:" alone heads the block after it.
    if (text::trimmed(content).back() == ':') {
      if (b + 1 == in_.blocks.size()) return false;
      end = in_.blocks[b + 1].end;
    }
    if (in_.protection.breaks(block.begin, end)) return false;
    const std::size_t contentEnd = trimmedEnd(block.contentBegin, end);
    bool fresh;
    seen(block.contentBegin, contentEnd, Example, fresh);
    if (fresh) return false;
    out_.push_back({block.begin, end, StripRule::RedundantExample});
    return true;
  }

  static bool isExample(std::string_view content) {
    while (!content.empty() && content.front() == '*') content.remove_prefix(1);
    const std::size_t label =
        text::listedPrefix(content, "example\nexemple\nfor example\nfor instance\npar exemple\ne.g.\n", true);
    return label != 0 && content.size() > label && !text::isWordByte(content[label]);
  }

  bool context(std::size_t b) {
    const Block& block = in_.blocks[b];
    const std::size_t end = trimmedEnd(block.contentBegin, block.end);
    if (end - block.contentBegin < kContextBytes || in_.text[end - 1] == ':') return false;
    if (in_.protection.breaks(block.begin, block.end)) return false;
    bool fresh;
    seen(block.contentBegin, end, Paragraph, fresh);
    if (fresh || (block.first && !recap_)) return false;
    out_.push_back({block.begin, block.end, StripRule::DuplicatedContext});
    return true;
  }

  void sentence(const Block& block, std::size_t index) {
    const Sentence& it = in_.sentences[index];
    const std::string_view whole = in_.text.substr(it.begin, it.end - it.begin);
    const bool item = block.kind == BlockKind::Item;
    const bool alone = block.sentencesEnd - block.sentences == 1;
    const bool ends = whole.back() == '.' || whole.back() == '!' || whole.back() == '?';
    if (!ends && !(item && alone)) return;
    if (whole.size() < 20 || !hasWords(whole, item ? 6 : 4)) return;
    if (in_.protection.breaks(it.begin, it.end)) return;
    const std::size_t opening = reminderLength(whole);
    if (opening != 0 && isSequential(whole)) return;
    const auto section = static_cast<std::uint32_t>(block.section) << 1;
    bool fresh;
    Seen& found = seen(it.begin + opening, it.end, Words, fresh);
    // What belongs where it stands counts for nothing. That is asked of the few that stand twice.
    if (!fresh && !found.stays && isSequential(in_.text.substr(found.begin, found.end - found.begin))) {
      found.begin = it.begin + opening;
      found.end = it.end;
      fresh = true;
    } else if (!fresh && opening == 0 && isSequential(whole)) {
      return;
    }
    found.stays = !fresh || opening != 0;
    const std::uint32_t preamble = fresh ? (section == 0 ? kPreamble : 0) : found.note & kPreamble;
    const bool spoken = preamble != 0 || (found.note ^ preamble) == section || recap_ || opening != 0;
    found.note = section | preamble;
    if (fresh) return;
    if (!spoken || (alone && block.first && !recap_)) return;
    out_.push_back(sentenceCut(in_, block, index, StripRule::RepeatedInstruction));
  }

  std::size_t trimmedEnd(std::size_t begin, std::size_t end) const {
    while (end > begin && isSpace(in_.text[end - 1])) --end;
    return end;
  }

  const StripInput& in_;
  std::vector<Cut>& out_;
  std::size_t section_ = 0;
  bool recap_ = false;
  static constexpr std::uint32_t kPreamble = 1;
  std::vector<Seen> seen_;  // open addressing: two slots for every text there can be
};

}  // namespace

void cutRepeats(const StripInput& in, std::vector<Cut>& out) {
  Repeats(in, out).run();
}

}  // namespace aetherflow
