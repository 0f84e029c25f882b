// Repetitions. The same words in another section may be another instruction ("Backend: add tests. Frontend: add
// tests."), so a sentence is redundant only where the earlier copy already speaks.

#include <string>

#include "core/base/text_index.hpp"
#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isSpace;

constexpr std::size_t kContextBytes = 80;
/// Headings under which a repetition is meant as one.
constexpr std::string_view kRecaps =
    "remind\nimportant\nnote\nremember\nsummary\nconclusion\nfinal\nrappel\nrésumé\ngénéral\ngeneral\n";

/// "As a reminder, …" repeats on purpose: the bytes of such an opening, or 0.
std::size_t reminderLength(std::string_view sentence) {
  constexpr std::string_view kOpenings =
      "as a reminder, \njust a reminder: \nreminder: \nremember: \nremember that \nremember, \nagain, \nonce again, \n"
      "to reiterate, \nto repeat, \npour rappel, \nrappel : \nje rappelle que \nencore une fois, \nje répète : \n";
  const std::size_t length = text::listedPrefix(sentence, kOpenings, true);
  return length < sentence.size() ? length : 0;
}

/// "Then sort it again." belongs where it stands.
bool isSequential(std::string_view s) {
  constexpr std::string_view kOpenings =
      "then \nthen,\nnext \nnext,\nafterwards\nfinally\nafter that\nensuite\npuis \nenfin\naprès\n";
  return text::listedPrefix(s, kOpenings, true) != 0 ||
         text::containsListed(s, " again\nonce more\nrepeat\n encore\nà nouveau\nde nouveau\n");
}

std::size_t wordCount(std::string_view s) {
  std::size_t words = 0;
  for (std::size_t i = 0; i < s.size(); ++i) words += !isSpace(s[i]) && (i == 0 || isSpace(s[i - 1])) ? 1 : 0;
  return words;
}

class Repeats {
 public:
  Repeats(const StripInput& in, std::vector<Cut>& out) : in_(in), out_(out) {}

  void run() {
    for (std::size_t b = 0; b < in_.blocks.size(); ++b) {
      const Block& block = in_.blocks[b];
      if (block.section != section_) enter(b);
      if (block.kind != BlockKind::Prose && block.kind != BlockKind::Item) continue;
      if (example(b) || context(b)) continue;
      for (std::size_t i = 0; i < in_.sentences[b].size(); ++i) sentence(b, i);
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
    if (examples_.emplace(keyOf(block.contentBegin, contentEnd, true), 0).second) return false;
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
    if (paragraphs_.emplace(keyOf(block.contentBegin, end, false), 0).second || (block.first && !recap_)) return false;
    out_.push_back({block.begin, block.end, StripRule::DuplicatedContext});
    return true;
  }

  void sentence(std::size_t b, std::size_t index) {
    const Block& block = in_.blocks[b];
    const Sentence& it = in_.sentences[b][index];
    const std::string_view whole = in_.text.substr(it.begin, it.end - it.begin);
    const bool item = block.kind == BlockKind::Item;
    const bool alone = in_.sentences[b].size() == 1;
    const bool ends = whole.back() == '.' || whole.back() == '!' || whole.back() == '?';
    if (!ends && !(item && alone)) return;
    if (whole.size() < 20 || wordCount(whole) < (item ? 6u : 4u)) return;
    if (in_.protection.breaks(it.begin, it.end) || isSequential(whole)) return;
    const std::size_t opening = reminderLength(whole);
    const auto section = static_cast<std::uint32_t>(block.section) << 1;
    const auto [found, fresh] =
        sentences_.emplace(keyOf(it.begin + opening, it.end, false), section | (section == 0 ? kPreamble : 0));
    if (fresh) return;
    const std::uint32_t preamble = found->second & kPreamble;
    const bool spoken = preamble != 0 || (found->second ^ preamble) == section || recap_ || opening != 0;
    found->second = section | preamble;
    if (!spoken || (alone && block.first && !recap_)) return;
    out_.push_back(sentenceCut(in_, b, index, StripRule::RepeatedInstruction));
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
  TextIndex examples_, paragraphs_;  // as sets
  TextIndex sentences_;              // twice the latest section, plus kPreamble if the first stood in the preamble
};

}  // namespace

void cutRepeats(const StripInput& in, std::vector<Cut>& out) {
  Repeats(in, out).run();
}

}  // namespace aetherflow
