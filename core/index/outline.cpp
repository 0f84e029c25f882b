#include "core/index/outline.hpp"

#include <algorithm>

#include "core/index/markdown.hpp"
#include "core/index/marks.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kMostTitle = 200;

/// At most so many bytes, cut between code points.
std::string shortened(std::string title) {
  if (title.size() <= kMostTitle) return title;
  std::size_t end = kMostTitle;
  while (end > 0 && (title[end] & 0xc0) == 0x80) --end;
  title.resize(end);
  return title;
}

std::vector<SectionMark> markdownMarks(const LineTable& lines) {
  std::vector<SectionMark> marks;
  for (const MarkdownBlock& block : scanMarkdown(lines)) {
    // A heading in a quote or a list item is a part of that, not of the document's structure.
    if (block.kind != MarkdownKind::Heading || block.nested) continue;
    marks.push_back({block.level, block.first, block.last, plainTitle(block.text)});
  }
  return marks;
}

std::uint32_t numberIn(std::string_view text) {
  std::uint32_t number = 0;
  if (text.empty() || text.size() > 9) return 0;
  for (const char c : text) {
    if (!text::isDigit(c)) return 0;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

/// Marks that a host passed in. What lies outside the file or out of order is left out.
std::vector<SectionMark> givenMarks(std::string_view given, std::size_t lines) {
  std::vector<SectionMark> marks;
  while (!given.empty()) {
    const std::size_t end = std::min(given.find('\n'), given.size());
    std::string_view line = given.substr(0, end);
    given.remove_prefix(std::min(end + 1, given.size()));
    std::uint32_t numbers[3];
    for (std::uint32_t& number : numbers) {
      const std::size_t tab = std::min(line.find('\t'), line.size());
      number = numberIn(line.substr(0, tab));
      line.remove_prefix(std::min(tab + 1, line.size()));
    }
    const auto [level, first, last] = numbers;
    if (level < 1 || level > 60 || first < 1 || last < first || last > lines || line.empty()) continue;
    if (!marks.empty() && first - 1 <= marks.back().first) continue;
    marks.push_back({static_cast<std::uint8_t>(level), first - 1, first - 1, std::string(line)});
  }
  return marks;
}

std::vector<SectionMark> marksOf(FileKind kind, std::string_view text, const LineTable& lines, std::string_view given,
                                 OutlineKind& made) {
  made = OutlineKind::Parsed;
  if (!given.empty()) return givenMarks(given, lines.count());
  switch (kind) {
    case FileKind::Markdown: return markdownMarks(lines);
    case FileKind::Json: return jsonMarks(text, lines);
    case FileKind::Text: return {};
    case FileKind::Code: break;
  }
  made = OutlineKind::Guessed;
  return indentationMarks(lines);
}

bool isBlankText(std::string_view text) {
  return std::all_of(text.begin(), text.end(), text::isSpace);
}

/// Each mark's own text reaches to the next mark; levels make the tree.
class Builder {
 public:
  Builder(std::string_view text, const LineTable& lines, Outline& out) : text_(text), lines_(lines), out_(out) {}

  void build(std::vector<SectionMark>& marks) {
    const auto count = static_cast<std::uint32_t>(lines_.count());
    const std::uint32_t preamble = marks.empty() ? count : marks[0].first;
    if (marks.empty() || !isBlankText(text_.substr(0, lines_.begin(preamble)))) add(0, 0, preamble, 0, {});
    for (std::size_t i = 0; i < marks.size(); ++i) {
      SectionMark& mark = marks[i];
      const std::uint32_t end = i + 1 < marks.size() ? marks[i + 1].first : count;
      add(mark.level, mark.first, end, mark.heading + 1, shortened(std::move(mark.title)));
    }
    while (!path_.empty()) leave(count - 1);
  }

 private:
  void add(std::uint8_t level, std::uint32_t first, std::uint32_t end, std::uint32_t body, std::string title) {
    while (!path_.empty() && out_.nodes[path_.back()].level >= level && level > 0) leave(first - 1);
    OutlineNode node;
    // The file's own node has no children: what stands above the first heading is not what follows it.
    node.parent = path_.empty() ? kNoNode : path_.back();
    node.level = level;
    node.first = first;
    node.last = end - 1;
    node.reach = end - 1;
    node.from = lines_.begin(first);
    node.to = lines_.begin(end);
    node.body = level == 0 ? node.from : std::min(lines_.begin(std::min<std::uint32_t>(body, end)), node.to);
    node.title = std::move(title);
    out_.nodes.push_back(std::move(node));
    if (level > 0) path_.push_back(static_cast<std::uint32_t>(out_.nodes.size() - 1));
  }
  void leave(std::uint32_t last) {
    out_.nodes[path_.back()].reach = last;
    path_.pop_back();
  }

  std::string_view text_;
  const LineTable& lines_;
  Outline& out_;
  std::vector<std::uint32_t> path_;
};

}  // namespace

FileKind fileKindOf(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.find('/', dot) != std::string_view::npos) return FileKind::Text;
  const std::string_view end = path.substr(dot + 1);
  if (text::isListed(end, "md\nmarkdown\nmdx\nmdown\n")) return FileKind::Markdown;
  if (text::isListed(end, "json\n")) return FileKind::Json;
  return text::isListed(end,
                        "js\nmjs\ncjs\njsx\nts\nmts\ncts\ntsx\npy\npyi\ngo\nrs\njava\nkt\nc\nh\ncc\ncpp\nhpp\ncs\n"
                        "rb\nphp\nswift\nscala\nlua\nsh\n")
             ? FileKind::Code
             : FileKind::Text;
}

Outline outlineOf(FileKind kind, std::string_view text, std::string_view given) {
  Outline out;
  out.kind = kind;
  const LineTable lines(text);
  out.lines = static_cast<std::uint32_t>(lines.count());
  std::vector<SectionMark> marks = marksOf(kind, text, lines, given, out.made);
  Builder(text, lines, out).build(marks);
  return out;
}

}  // namespace aetherflow
