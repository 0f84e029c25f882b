#include "core/index/markdown.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isBlank;
using text::isDigit;

/// A quote or a list item that is open.
struct Container {
  bool item = false;
  bool filled = false;    ///< something lies in it
  std::size_t width = 0;  ///< of an item: columns from the margin to its content
};

enum class Leaf : std::uint8_t { None, Paragraph, Fence, Html, Indented };

/// Length of a run of `mark` at the head, blanks between allowed: a thematic break has three of them and nothing else.
bool isThematicBreak(std::string_view line) {
  const char mark = line.empty() ? '\0' : line[0];
  if (mark != '*' && mark != '-' && mark != '_') return false;
  std::size_t count = 0;
  for (const char c : line) {
    if (c == mark)
      ++count;
    else if (!isBlank(c))
      return false;
  }
  return count >= 3;
}

std::size_t runOf(char mark, std::string_view line) {
  std::size_t count = 0;
  while (count < line.size() && line[count] == mark) ++count;
  return count;
}

std::string_view withoutBlanks(std::string_view line) {
  while (!line.empty() && isBlank(line.front())) line.remove_prefix(1);
  while (!line.empty() && isBlank(line.back())) line.remove_suffix(1);
  return line;
}

/// The text of an ATX heading without its closing marks.
std::string_view atxText(std::string_view text) {
  text = withoutBlanks(text);
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] == '#') --end;
  if (end == 0) return {};
  if (end < text.size() && isBlank(text[end - 1])) text = withoutBlanks(text.substr(0, end));
  return text;
}

class Scanner {
 public:
  Scanner(const LineTable& lines, bool frontMatter) : lines_(lines), frontMatter_(frontMatter) {}

  std::vector<MarkdownBlock> scan() {
    std::size_t line = frontMatter_ ? skipFrontMatter() : 0;
    for (; line < lines_.count(); ++line) read(static_cast<std::uint32_t>(line));
    closeLeaf(static_cast<std::uint32_t>(line));
    return std::move(blocks_);
  }

 private:
  std::size_t skipFrontMatter();
  void read(std::uint32_t line);
  bool keepContainers();
  bool keepsItem(Container& item);
  void openContainers();
  bool openQuote();
  bool openItem();
  bool openLeaf();
  bool openAtx();
  bool openFence();
  bool openHtml();
  bool openSetext();
  bool inLeaf();
  void addText();
  void closeUnmatched();
  void closeLeaf(std::uint32_t line);
  void fill() {
    if (!open_.empty()) open_.back().filled = true;
  }
  void push(MarkdownKind kind, std::uint32_t first, std::uint32_t last, int level = 0, std::string_view text = {}) {
    blocks_.push_back({kind, static_cast<std::uint8_t>(level), !open_.empty(), first, last, std::string(text)});
  }
  /// A paragraph that this line continues, by itself or lazily.
  bool afterParagraph() const { return leaf_ == Leaf::Paragraph; }
  bool matchedAll() const { return matched_ == open_.size(); }

  const LineTable& lines_;
  const bool frontMatter_;
  std::vector<MarkdownBlock> blocks_;
  std::vector<Container> open_;
  std::uint32_t line_ = 0;
  std::size_t matched_ = 0;  ///< containers that the line at hand continues
  bool keeps_ = false;       ///< the leaf goes on too
  LineCursor cursor_;
  Leaf leaf_ = Leaf::None;
  std::uint32_t leafFirst_ = 0;
  std::string paragraph_;
  char fenceMark_ = '`';
  std::size_t fenceLength_ = 0;
  int htmlKind_ = 0;
};

std::size_t Scanner::skipFrontMatter() {
  const std::string_view mark = withoutBlanks(lines_.line(0));
  if (mark != "---" && mark != "+++") return 0;
  for (std::size_t line = 1; line < lines_.count(); ++line) {
    const std::string_view text = withoutBlanks(lines_.line(line));
    if (text != mark && !(mark == "---" && text == "...")) continue;
    push(MarkdownKind::FrontMatter, 0, static_cast<std::uint32_t>(line));
    return line + 1;
  }
  return 0;
}

void Scanner::read(std::uint32_t line) {
  line_ = line;
  cursor_.open(lines_.line(line));
  keeps_ = keepContainers();
  if (keeps_ && leaf_ != Leaf::None && leaf_ != Leaf::Paragraph && inLeaf()) return;
  openContainers();
}

/// Whether all containers, and the paragraph in them, may continue this line.
bool Scanner::keepContainers() {
  for (matched_ = 0; matched_ < open_.size(); ++matched_) {
    Container& container = open_[matched_];
    cursor_.look();
    if (container.item) {
      if (!keepsItem(container)) return false;
      continue;
    }
    if (cursor_.indent > 3 || cursor_.nextByte() != '>') return false;
    cursor_.skipToNext();
    cursor_.skip(1, false);
    if (isBlank(cursor_.peek())) cursor_.skip(1, true);
  }
  return true;
}

bool Scanner::keepsItem(Container& item) {
  if (cursor_.blank) {
    if (!item.filled) return false;
    cursor_.skipToNext();
    return true;
  }
  if (cursor_.indent < item.width) return false;
  cursor_.skip(item.width, true);
  return true;
}

/// The line belongs to the fence, HTML block or indented code that is open. False: that has ended before it.
bool Scanner::inLeaf() {
  cursor_.look();
  if (leaf_ == Leaf::Fence) {
    const std::string_view text = cursor_.fromNext();
    const std::size_t run = runOf(fenceMark_, text);
    if (cursor_.indent < 4 && run >= fenceLength_ && withoutBlanks(text.substr(run)).empty()) closeLeaf(line_ + 1);
    return true;
  }
  if (leaf_ == Leaf::Html) {
    if (cursor_.blank && htmlKind_ > 5) {
      closeLeaf(line_);
      return false;
    }
    if (htmlKind_ <= 5 && htmlBlockEnds(htmlKind_, cursor_.rest())) closeLeaf(line_ + 1);
    return true;
  }
  if (cursor_.indent >= 4 || cursor_.blank) return true;
  closeLeaf(line_);
  return false;
}

void Scanner::openContainers() {
  for (;;) {
    cursor_.look();
    if (cursor_.blank) break;
    // Indented text is code, or continues a paragraph; in no case does it begin anything else.
    if (cursor_.indent > 3) {
      if (afterParagraph()) break;
      closeUnmatched();
      fill();
      leaf_ = Leaf::Indented;
      leafFirst_ = line_;
      return;
    }
    if (openQuote() || openItem()) continue;
    if (openLeaf()) return;
    break;
  }
  addText();
}

bool Scanner::openQuote() {
  if (cursor_.nextByte() != '>' || matched_ >= kMostContainers) return false;
  closeUnmatched();
  fill();
  cursor_.skipToNext();
  cursor_.skip(1, false);
  if (isBlank(cursor_.peek())) cursor_.skip(1, true);
  open_.push_back({false, false, 0});
  matched_ = open_.size();
  keeps_ = true;
  return true;
}

bool Scanner::openItem() {
  const std::string_view text = cursor_.fromNext();
  std::size_t digits = 0;
  while (digits < text.size() && isDigit(text[digits])) ++digits;
  const char mark = digits < text.size() ? text[digits] : '\0';
  const bool ordered = digits > 0 && digits < 10 && (mark == '.' || mark == ')');
  if (!ordered && (digits > 0 || (mark != '*' && mark != '+' && mark != '-'))) return false;
  const std::string_view rest = text.substr(digits + 1);
  if ((!rest.empty() && !isBlank(rest[0])) || isThematicBreak(text) || matched_ >= kMostContainers) return false;
  const bool blank = withoutBlanks(rest).empty();
  const bool interrupts = keeps_ && afterParagraph();
  if (interrupts && (blank || (ordered && text.substr(0, digits) != "1"))) return false;
  closeUnmatched();
  fill();
  const std::size_t margin = cursor_.indent;
  cursor_.skipToNext();
  cursor_.skip(digits + 1, false);
  const LineCursor behind = cursor_;
  std::size_t spaces = 0;
  while (spaces < 5 && isBlank(cursor_.peek())) {
    cursor_.skip(1, true);
    ++spaces;
  }
  if (spaces >= 5 || spaces < 1 || blank) {
    cursor_ = behind;
    if (isBlank(cursor_.peek())) cursor_.skip(1, true);
    spaces = 1;
  }
  open_.push_back({true, false, margin + digits + 1 + spaces});
  matched_ = open_.size();
  keeps_ = true;
  return true;
}

bool Scanner::openLeaf() {
  if (openAtx() || openFence() || openHtml() || openSetext()) return true;
  if (!isThematicBreak(cursor_.fromNext())) return false;
  closeUnmatched();
  closeLeaf(line_);
  fill();
  return true;
}

bool Scanner::openAtx() {
  const std::string_view text = cursor_.fromNext();
  const std::size_t level = runOf('#', text);
  if (level < 1 || level > 6 || (level < text.size() && !isBlank(text[level]))) return false;
  closeUnmatched();
  closeLeaf(line_);
  fill();
  push(MarkdownKind::Heading, line_, line_, static_cast<int>(level), atxText(text.substr(level)));
  return true;
}

bool Scanner::openFence() {
  const std::string_view text = cursor_.fromNext();
  const char mark = text[0];
  if (mark != '`' && mark != '~') return false;
  const std::size_t length = runOf(mark, text);
  if (length < 3) return false;
  if (mark == '`' && text.substr(length).find('`') != std::string_view::npos) return false;
  closeUnmatched();
  closeLeaf(line_);
  fill();
  leaf_ = Leaf::Fence;
  leafFirst_ = line_;
  fenceMark_ = mark;
  fenceLength_ = length;
  return true;
}

bool Scanner::openHtml() {
  if (cursor_.nextByte() != '<') return false;
  const int kind = htmlBlockStart(cursor_.fromNext());
  // A tag of any other name does not interrupt a paragraph.
  if (kind == 0 || (kind == 7 && afterParagraph())) return false;
  closeUnmatched();
  closeLeaf(line_);
  fill();
  leaf_ = Leaf::Html;
  leafFirst_ = line_;
  htmlKind_ = kind;
  if (kind <= 5 && htmlBlockEnds(kind, cursor_.fromNext())) closeLeaf(line_ + 1);
  return true;
}

bool Scanner::openSetext() {
  const std::string_view text = cursor_.fromNext();
  if (!keeps_ || leaf_ != Leaf::Paragraph || (text[0] != '=' && text[0] != '-')) return false;
  if (!withoutBlanks(text.substr(runOf(text[0], text))).empty()) return false;
  // Definitions of links are no text: a paragraph of nothing else has no heading.
  const std::size_t definitions = paragraph_[0] == '[' ? linkDefinitions(paragraph_) : 0;
  std::uint32_t first = leafFirst_;
  for (std::size_t i = 0; i < definitions; ++i) first += paragraph_[i] == '\n';
  paragraph_.erase(0, definitions);
  leafFirst_ = first;
  if (text::trimmed(paragraph_).empty()) {
    leaf_ = Leaf::None;
    return false;
  }
  push(MarkdownKind::Heading, first, line_, text[0] == '=' ? 1 : 2, text::trimmed(paragraph_));
  leaf_ = Leaf::None;
  return true;
}

void Scanner::addText() {
  cursor_.look();
  if (cursor_.blank) {
    // A blank line ends a paragraph, and lets every container end that does not reach over it.
    if (leaf_ == Leaf::Paragraph || !matchedAll()) closeUnmatched();
    if (leaf_ == Leaf::Paragraph) closeLeaf(line_);
    return;
  }
  if (leaf_ == Leaf::Paragraph) {
    paragraph_ += withoutBlanks(cursor_.fromNext());
    paragraph_ += '\n';
    return;
  }
  closeUnmatched();
  fill();
  leaf_ = Leaf::Paragraph;
  leafFirst_ = line_;
  paragraph_.assign(withoutBlanks(cursor_.fromNext()));
  paragraph_ += '\n';
}

/// Containers that the line does not continue end, and with them what lay in the innermost.
void Scanner::closeUnmatched() {
  if (!matchedAll()) {
    closeLeaf(line_);
    open_.resize(matched_);
  } else if (leaf_ == Leaf::Paragraph && keeps_) {
    leaf_ = Leaf::None;
  }
}

/// `line`: the first that no longer belongs to it.
void Scanner::closeLeaf(std::uint32_t line) {
  if (leaf_ == Leaf::Fence || leaf_ == Leaf::Html) {
    const MarkdownKind kind = leaf_ == Leaf::Fence ? MarkdownKind::Fence : MarkdownKind::Html;
    push(kind, leafFirst_, line > leafFirst_ ? line - 1 : leafFirst_);
  }
  leaf_ = Leaf::None;
}

}  // namespace

std::vector<MarkdownBlock> scanMarkdown(const LineTable& lines, bool frontMatter) {
  return Scanner(lines, frontMatter).scan();
}

}  // namespace aetherflow
