#include "core/index/marks.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isListed;

std::size_t lineAt(const LineTable& lines, std::size_t from, std::size_t byte) {
  while (from + 1 < lines.count() && lines.begin(from + 1) <= byte) ++from;
  return from;
}

/// After the closing quote of the string that begins at `at`.
std::size_t stringEnd(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return text.size();
}

struct Word {
  std::string_view text;
  std::size_t end = 0;
};

/// The next word of a line, with what is in it.
Word wordAt(std::string_view line, std::size_t at) {
  while (at < line.size() && !text::isWordByte(line[at]) && line[at] != '$') ++at;
  const std::size_t from = at;
  while (at < line.size() && (text::isWordByte(line[at]) || line[at] == '$')) ++at;
  return {line.substr(from, at - from), at};
}

constexpr text::List kBefore =
    "export\ndefault\nasync\npublic\nprivate\nprotected\nstatic\nfinal\nabstract\ndeclare\npub\nunsafe\ninline\n"
    "virtual\nsealed\npartial\noverride\nopen\nextern\nconstexpr\n";
constexpr text::List kDeclares =
    "def\nclass\nfunction\nfunc\nfn\ninterface\ntype\nenum\nstruct\nimpl\ntrait\nmodule\nnamespace\nobject\nunion\n"
    "protocol\nrecord\nmod\n";

/// The name that a line declares, or ''. Constants count when they are exported at the margin.
std::string_view declaredName(std::string_view line, bool atMargin) {
  bool exported = false;
  std::size_t at = 0;
  for (int words = 0; words < 6; ++words) {
    const Word word = wordAt(line, at);
    // `class` in running text, or in a string: a declaration begins with its first word.
    if (word.text.empty() || word.end - word.text.size() > at + 1) return {};
    at = word.end;
    if (isListed(word.text, kBefore)) {
      exported |= word.text == "export" || word.text == "pub";
      continue;
    }
    const bool constant = exported && atMargin && isListed(word.text, "const\nlet\nvar\n");
    return constant || isListed(word.text, kDeclares) ? wordAt(line, at).text : std::string_view();
  }
  return {};
}

}  // namespace

std::vector<SectionMark> jsonMarks(std::string_view text, const LineTable& lines) {
  std::vector<SectionMark> marks;
  std::size_t depth = 0, line = 0;
  bool name = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') {
      name = ++depth == 1 && c == '{';
      if (depth == 1 && c == '[') return marks;
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      if (depth == 0) return marks;
    } else if (c == ',') {
      name = depth == 1;
    } else if (c == '"') {
      const std::size_t end = stringEnd(text, at);
      if (name) {
        line = lineAt(lines, line, at);
        const auto first = static_cast<std::uint32_t>(line);
        // Of several on one line the first stands for all: a section is whole lines.
        if (marks.empty() || marks.back().first != first)
          marks.push_back({1, first, first, std::string(text.substr(at + 1, end - at - 2))});
        name = false;
      }
      at = end - 1;
    }
  }
  return marks;
}

std::vector<SectionMark> indentationMarks(const LineTable& lines) {
  std::vector<SectionMark> marks;
  bool inside = false;
  for (std::size_t i = 0; i < lines.count(); ++i) {
    LineCursor cursor;
    cursor.open(lines.line(i));
    cursor.look();
    if (cursor.blank || cursor.indent > 4) continue;
    const bool atMargin = cursor.indent == 0;
    // A member needs something that it is a member of.
    if (!atMargin && !inside) continue;
    const std::string_view name = declaredName(cursor.fromNext().substr(0, 400), atMargin);
    if (name.empty()) {
      if (atMargin && (text::isWordByte(cursor.nextByte()))) inside = false;
      continue;
    }
    if (atMargin) inside = true;
    const auto first = static_cast<std::uint32_t>(i);
    marks.push_back({static_cast<std::uint8_t>(atMargin ? 1 : 2), first, first, std::string(name)});
  }
  return marks;
}

}  // namespace aetherflow
