// Line-shaped protected spans. Each pass walks the text once.

#include <string>

#include "core/base/text_index.hpp"
#include "core/prompt/protect.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow::protect {
namespace {

using text::isAlnum;
using text::isAlpha;
using text::isBlank;
using text::startsWith;

struct Line {
  std::size_t begin;
  std::size_t end;   ///< without its line end
  std::size_t next;  ///< begin of the next line
};

Line lineAt(std::string_view s, std::size_t begin) {
  const std::size_t newline = s.find('\n', begin);
  if (newline == std::string_view::npos) return {begin, s.size(), s.size()};
  const std::size_t end = newline > begin && s[newline - 1] == '\r' ? newline - 1 : newline;
  return {begin, end, newline + 1};
}

/// Length of the fence that opens here, or 0.
std::size_t fenceLength(std::string_view line) {
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return 0;
  std::size_t n = 0;
  while (n < line.size() && line[n] == line[0]) ++n;
  if (n < 3) return 0;
  // ```code``` on one line is inline code.
  return line[0] == '`' && line.find('`', n) != std::string_view::npos ? 0 : n;
}

bool isIndented(std::string_view line) {
  return startsWith(line, "    ") || startsWith(line, "\t");
}

/// Columns held apart by tabs, by runs of blanks, by bars, or by commas without blanks.
bool isColumns(std::string_view line) {
  std::size_t bars = 0;
  std::size_t commas = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '|') ++bars;
    if (line[i] == ',' && i + 1 < line.size() && !isBlank(line[i + 1])) ++commas;
    if (line[i] == '\t') return true;
    if (line[i] == ' ' && i + 2 < line.size() && line[i + 1] == ' ' && line[i + 2] == ' ') return true;
  }
  return bars >= 2 || commas >= 2;
}

bool isCodeLike(std::string_view line) {
  if (line.find_first_not_of(line[0]) == std::string_view::npos) return false;  // a ruler: ===== is no comparison
  if (text::listedPrefix(line, "//\n/*\n*/\n#include\n#define\n#!\n$ \n@\n{\n}\n[\n]\n|\n>\n", false) != 0) return true;
  if (line[0] == '<' && !startsWith(line, "<!--")) return true;
  const char last = line.back();
  if (last == '{' || last == '}' || last == '[' || last == '\\') return true;
  if (text::containsListed(line, "::\n=>\n==\n = \n+=\n!=\n:=\n();\n);\n/>\n")) return true;
  const std::size_t arrow = line.find("->");
  if (arrow != std::string_view::npos && (arrow == 0 || line[arrow - 1] != '-')) return true;  // --> ends a comment
  return isColumns(line);
}

/// Appends fences, indented code and code-like lines, with the blank lines between two of them.
void findLines(std::string_view s, std::vector<GuardedSpan>& out) {
  bool openFence = false;
  char fenceChar = 0;
  std::size_t fence = 0;
  std::size_t fenceBegin = 0;
  std::size_t blankFrom = std::string_view::npos;  // after a protected line: where the blank lines begin
  for (std::size_t at = 0; at < s.size();) {
    const Line line = lineAt(s, at);
    at = line.next;
    const std::string_view raw = s.substr(line.begin, line.end - line.begin);
    const std::string_view body = text::trimmed(raw);
    const std::size_t n = fenceLength(body);
    if (openFence) {
      if (n >= fence && body[0] == fenceChar && body.size() == n) {
        openFence = false;
        out.push_back({fenceBegin, line.next});
        blankFrom = line.next;
      }
      continue;
    }
    if (body.empty()) continue;
    if (n == 0 && !isIndented(raw) && !isCodeLike(body)) {
      blankFrom = std::string_view::npos;
      continue;
    }
    const std::size_t from = blankFrom == std::string_view::npos ? line.begin : blankFrom;
    blankFrom = line.next;
    if (n == 0) {
      out.push_back({from, line.next});
    } else {
      openFence = true;
      fence = n;
      fenceChar = body[0];
      fenceBegin = line.begin;
    }
  }
  if (openFence) out.push_back({fenceBegin, s.size()});
}

void findFrontMatter(std::string_view s, std::vector<GuardedSpan>& out) {
  if (!startsWith(s, "---\n") && !startsWith(s, "---\r\n")) return;
  for (std::size_t at = lineAt(s, 0).next; at < s.size();) {
    const Line line = lineAt(s, at);
    if (s.substr(line.begin, line.end - line.begin) == "---") {
      out.push_back({0, line.next});
      return;
    }
    at = line.next;
  }
}

std::string_view tagName(std::string_view s, std::size_t at) {
  std::size_t end = at;
  while (end < s.size() && end - at < 64 && (isAlnum(s[end]) || s[end] == '_' || s[end] == '-')) ++end;
  const bool closed = end < s.size() && (s[end] == '>' || s[end] == '/' || text::isSpace(s[end]));
  return closed && end > at && isAlpha(s[at]) ? s.substr(at, end - at) : std::string_view();
}

/// Tags that hold the author's own instructions, not a document.
bool holdsInstructions(std::string_view tag) {
  return text::isListed(tag,
                        "instructions\ninstruction\ntask\ntasks\nrules\nguidelines\nrequirements\nprompt\nrole\ngoal\n"
                        "objective\nconstraints\n");
}

/// <document>…</document> is a quotation. Reaches to the last closing tag of that name, so that nesting needs no stack.
void findTagged(std::string_view s, std::vector<GuardedSpan>& out) {
  TextIndex lastClosing;
  for (std::size_t i = s.find("</"); i != std::string_view::npos; i = s.find("</", i + 2)) {
    const std::string_view tag = tagName(s, i + 2);
    if (!tag.empty()) lastClosing.emplace(tag, 0).first->second = static_cast<std::uint32_t>(i + 2 + tag.size());
  }
  if (lastClosing.empty()) return;
  for (std::size_t i = s.find('<'); i != std::string_view::npos; i = s.find('<', i + 1)) {
    const std::string_view tag = tagName(s, i + 1);
    if (tag.empty() || holdsInstructions(tag)) continue;
    const auto closing = lastClosing.find(tag);
    if (closing == lastClosing.end() || closing->second < i) continue;
    out.push_back({i, closing->second});
    i = closing->second - 1;
  }
}

/// Verbs and nouns after which a colon opens a text to work on, which is no instruction any more.
bool announcesPayload(std::string_view s, std::size_t at) {
  constexpr std::string_view kStems =
      "translate\nproofread\nparaphrase\nrephrase\nrewrite\nsummarize\nsummarise\nclassify\ntranscribe\nverbatim\nexact"
      "ly\n"
      "following text\nfollowing email\nfollowing message\nfollowing letter\nfollowing "
      "sentence\ntraduis\ntraduire\nreformule\n"
      "résume\ncorrige\nmot pour mot\nexactement\ntexte suivant\nmessage suivant\nphrase suivante\n";
  return text::listedPrefix(s.substr(at), kStems, true) != 0;
}

/// "Translate the following: …" makes the rest of the text a quotation without marks.
void findPayload(std::string_view s, std::vector<GuardedSpan>& out) {
  bool armed = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const bool ends = i + 1 == s.size() || text::isSpace(s[i + 1]);
    if (s[i] == ':' && ends && armed) {
      out.push_back({i, s.size()});
      return;
    }
    if (ends && (s[i] == '.' || s[i] == '!' || s[i] == '?')) armed = false;
    if (s[i] == '\n' && i + 1 < s.size() && s[i + 1] == '\n') armed = false;
    const bool wordStart = text::isWordByte(s[i]) && (i == 0 || !text::isWordByte(s[i - 1]));
    if (wordStart && !armed) armed = announcesPayload(s, i);
  }
}

}  // namespace

void findBlocks(std::string_view text, std::vector<GuardedSpan>& out) {
  findLines(text, out);
  findFrontMatter(text, out);
  findTagged(text, out);
  findPayload(text, out);
}

}  // namespace aetherflow::protect
