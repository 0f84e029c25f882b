#include "core/prompt/blocks.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isBlank;
using text::isDigit;
using text::isSpace;

/// Length of "- ", "* ", "+ ", "• " with the blanks after it, or 0.
std::size_t bulletLength(std::string_view line) {
  std::size_t n = text::startsWith(line, "•") ? 3 : line[0] == '-' || line[0] == '*' || line[0] == '+' ? 1 : 0;
  if (n == 0 || n == line.size() || !isBlank(line[n])) return 0;
  while (n < line.size() && isBlank(line[n])) ++n;
  return n;
}

/// Length of "1. ", "2) ", "a) " with the blanks after it, or 0.
std::size_t numberLength(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && n < 4 && isDigit(line[n])) ++n;
  if (n == 0 && text::isAlpha(line[0])) n = line.size() > 1 && line[1] == ')' ? 1 : 0;
  if (n == 0 || n + 1 >= line.size() || (line[n] != '.' && line[n] != ')') || !isBlank(line[n + 1])) return 0;
  ++n;
  while (n < line.size() && isBlank(line[n])) ++n;
  return n;
}

/// Nothing but one of - = * _, at least three times, blanks allowed between.
bool isRule(std::string_view line) {
  if (std::string_view("-=*_").find(line[0]) == std::string_view::npos) return false;
  std::size_t marks = 0;
  for (const char c : line) {
    if (isBlank(c)) continue;
    if (c != line[0]) return false;
    ++marks;
  }
  return marks >= 3;
}

/// "**Context**" or "**Context:**" alone on its line: a heading by another name.
bool isBoldLine(std::string_view line) {
  if (text::endsWith(line, ":")) line.remove_suffix(1);
  return line.size() > 4 && text::startsWith(line, "**") && line.find("**", 2) == line.size() - 2;
}

class Builder {
 public:
  Builder(std::string_view text, const Protection& protection) : text_(text), protection_(protection) {}

  std::vector<Block> build() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t newline = text_.find('\n', at);
      const std::size_t next = newline == std::string_view::npos ? text_.size() : newline + 1;
      add(at, next);
      at = next;
    }
    return std::move(blocks_);
  }

 private:
  void add(std::size_t begin, std::size_t next) {
    const std::string_view body = text::trimmed(text_.substr(begin, next - begin));
    if (body.empty()) {
      open_ = false;
      return;
    }
    const auto indent = static_cast<std::size_t>(body.data() - text_.data()) - begin;
    const BlockKind kind = kindOf(body, begin, next);
    const bool continues = kind == BlockKind::Prose || kind == BlockKind::Verbatim;
    if (open_ && continues && canGrow(kind)) {
      blocks_.back().end = next;
    } else {
      push(kind, begin, begin + indent + markerLength(kind, body), next);
    }
    open_ = kind != BlockKind::Heading && kind != BlockKind::Rule;
    if (kind == BlockKind::Heading || (kind != BlockKind::Verbatim && body.back() == ':')) {
      ++section_;
      first_ = true;
      open_ = false;
    }
  }

  BlockKind kindOf(std::string_view body, std::size_t begin, std::size_t next) const {
    const std::size_t span = protection_.after(begin);
    if (span < protection_.spans().size()) {
      const GuardedSpan& guarded = protection_.spans()[span];
      if (guarded.guard == Guard::Verbatim && guarded.begin < next) return BlockKind::Verbatim;
    }
    if (isRule(body)) return BlockKind::Rule;
    if (body[0] == '#' || isBoldLine(body)) return BlockKind::Heading;
    if (bulletLength(body) != 0) return BlockKind::Item;
    return numberLength(body) != 0 ? BlockKind::Numbered : BlockKind::Prose;
  }

  static std::size_t markerLength(BlockKind kind, std::string_view body) {
    if (kind == BlockKind::Item) return bulletLength(body);
    return kind == BlockKind::Numbered ? numberLength(body) : 0;
  }

  /// Lines after an item are its continuation; prose and verbatim lines do not mix.
  bool canGrow(BlockKind kind) const {
    const BlockKind back = blocks_.back().kind;
    return kind == BlockKind::Verbatim ? back == kind : back != BlockKind::Verbatim;
  }

  void push(BlockKind kind, std::size_t begin, std::size_t contentBegin, std::size_t end) {
    blocks_.push_back({kind, begin, contentBegin, end, section_, first_ && section_ != 0, 0, 0});
    first_ = false;
  }

  std::string_view text_;
  const Protection& protection_;
  std::vector<Block> blocks_;
  std::size_t section_ = 0;
  bool open_ = false;
  bool first_ = false;
};

/// Length of . ! ? … at `at`, or 0.
std::size_t stopLength(std::string_view s, std::size_t at) {
  if (s[at] == '.' || s[at] == '!' || s[at] == '?') return 1;
  return text::startsWith(s.substr(at), "…") ? 3 : 0;
}

/// "e.g. The" would end a sentence by its looks: the abbreviations that stand before capitals.
bool isAbbreviation(std::string_view s, std::size_t stop) {
  std::size_t begin = stop;
  while (begin > 0 && stop - begin < 5 && (text::isWordByte(s[begin - 1]) || s[begin - 1] == '.')) --begin;
  return text::isListed(s.substr(begin, stop - begin), "e.g\ni.e\netc\nvs\nmr\nmrs\ndr\ncf\nex\np.ex\nno\nfig\n");
}

bool beginsSentence(std::string_view s, std::size_t at) {
  return !text::isLower(s[at]);
}

}  // namespace

std::vector<Block> blocksOf(std::string_view text, const Protection& protection) {
  return Builder(text, protection).build();
}

void findSentences(std::string_view s, Block& block, std::vector<Sentence>& out) {
  block.sentences = out.size();
  std::size_t from = block.contentBegin;
  const auto push = [&](std::size_t end) {
    while (end > from && isSpace(s[end - 1])) --end;
    while (from < end && isSpace(s[from])) ++from;
    if (end > from) out.push_back({from, end});
  };
  for (std::size_t i = from; i < block.end;) {
    while (i < block.end && (text::classesOf(s[i]) & text::kStop) == 0) ++i;
    const std::size_t stop = i < block.end ? stopLength(s, i) : 0;
    if (stop == 0) {
      ++i;
      continue;
    }
    std::size_t end = i + stop;
    while (end < block.end && stopLength(s, end) != 0) end += stopLength(s, end);
    while (end < block.end && std::string_view("\"')]*").find(s[end]) != std::string_view::npos) ++end;
    std::size_t next = end;
    while (next < block.end && isSpace(s[next])) ++next;
    if (next > end && next < block.end && beginsSentence(s, next) && !isAbbreviation(s, i)) {
      push(end);
      from = next;
    }
    i = next > i ? next : i + 1;
  }
  push(block.end);
  block.sentencesEnd = out.size();
}

}  // namespace aetherflow
