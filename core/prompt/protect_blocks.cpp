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

/// The pairs of bytes that code is known by, as one bit for what the first may be and what the second: prose is walked
/// over with two lookups a byte.
struct CodePairs {
  constexpr CodePairs() {
    add(1, ":=+!/-", ":=>");
    add(2, ")", ";");
    add(4, " ", " =");
    for (int c = 0; c < 256; ++c) second[c] |= c == ' ' || c == '\t' ? 8 : 8 | 16;
    add(8, "\n\t|", "");
    add(16, ",", "");
  }
  constexpr void add(unsigned char bit, std::string_view firsts, std::string_view seconds) {
    for (const char c : firsts) first[static_cast<unsigned char>(c)] |= bit;
    for (const char c : seconds) second[static_cast<unsigned char>(c)] |= bit;
  }
  unsigned char first[256] = {};
  unsigned char second[256] = {};
};
constexpr CodePairs kCodePairs;

/// One line without the white space around it, and what was seen on the way.
struct Walked {
  std::string_view raw;
  std::string_view body;
  std::size_t next;  ///< begin of the next line
  bool code;         ///< holds an operator, or columns apart by tabs, bars, runs of blanks or commas without blanks
};

Walked walk(std::string_view s, std::size_t begin) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t first = begin;
  while (first < s.size() && s[first] != '\n' && text::isSpace(s[first])) ++first;
  bool code = false;
  bool arrow = false;
  int bars = 0;
  int commas = 0;
  std::size_t inner = kNone;  // speaks of code if the body goes on after it: blanks at the end do not count
  std::size_t i = first;
  for (; i < s.size(); ++i) {
    const auto pairAt = [&](std::size_t at) {
      return kCodePairs.first[static_cast<unsigned char>(s[at])] &
             kCodePairs.second[static_cast<unsigned char>(s[at + 1])];
    };
    while (i + 1 < s.size() && pairAt(i) == 0) ++i;
    const char c = s[i];
    const char next = i + 1 < s.size() ? s[i + 1] : '\0';
    if (c == '\n') break;
    switch (c) {
      case ' ': {
        const char third = i + 2 < s.size() ? s[i + 2] : '\0';
        if (third == ' ' && i + 2 < inner) inner = i + 2;
        break;
      }
      case ',':
        if (++commas == 2 && i + 1 < inner) inner = i + 1;
        break;
      case '\t':
        if (i < inner) inner = i;
        break;
      case '|': code = code || ++bars == 2; break;
      case ')': code = code || next == ';'; break;
      case ':': code = code || next == ':' || next == '='; break;
      case '=': code = code || next == '=' || next == '>'; break;
      case '-':
        if (next != '>' || arrow) break;
        arrow = true;
        code = code || i == first || s[i - 1] != '-';  // --> ends a comment
        break;
      default: code = code || next == (c == '/' ? '>' : '=');
    }
  }
  std::size_t last = i;
  while (last > first && text::isSpace(s[last - 1])) --last;
  const std::size_t end = i > begin && i < s.size() && s[i - 1] == '\r' ? i - 1 : i;
  return {s.substr(begin, end - begin), s.substr(first, last - first), i < s.size() ? i + 1 : i,
          code || (inner != kNone && inner < last)};
}

bool isCodeLike(const Walked& line) {
  const std::string_view body = line.body;
  const char last = body.back();
  const bool marked =
      (body[0] == '<' && !startsWith(body, "<!--")) || last == '{' || last == '}' || last == '[' || last == '\\' ||
      (!text::isWordByte(body[0]) &&
       text::listedPrefix(body, "//\n/*\n*/\n#include\n#define\n#!\n$ \n@\n{\n}\n[\n]\n|\n>\n", false) != 0);
  // A ruler is no code: ===== is no comparison.
  return (line.code || marked) && body.find_first_not_of(body[0]) != std::string_view::npos;
}

/// Appends fences, indented code and code-like lines, with the blank lines between two of them.
void findLines(std::string_view s, std::vector<GuardedSpan>& out) {
  bool openFence = false;
  char fenceChar = 0;
  std::size_t fence = 0;
  std::size_t fenceBegin = 0;
  std::size_t blankFrom = std::string_view::npos;  // after a protected line: where the blank lines begin
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t begin = at;
    const Walked line = walk(s, at);
    at = line.next;
    const std::string_view body = line.body;
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
    if (n == 0 && !isIndented(line.raw) && !isCodeLike(line)) {
      blankFrom = std::string_view::npos;
      continue;
    }
    const std::size_t from = blankFrom == std::string_view::npos ? begin : blankFrom;
    blankFrom = line.next;
    if (n == 0) {
      out.push_back({from, line.next});
    } else {
      openFence = true;
      fence = n;
      fenceChar = body[0];
      fenceBegin = begin;
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
  constexpr text::List kStems =
      "translate\nproofread\nparaphrase\nrephrase\nrewrite\nsummarize\nsummarise\nclassify\ntranscribe\nverbatim\nexact"
      "ly\n"
      "following text\nfollowing email\nfollowing message\nfollowing letter\nfollowing "
      "sentence\ntraduis\ntraduire\nreformule\n"
      "résume\ncorrige\nmot pour mot\nexactement\ntexte suivant\nmessage suivant\nphrase suivante\n";
  return text::listedPrefix(s.substr(at), kStems, true) != 0;
}

/// "Translate the following: …" makes the rest of the text a quotation without marks. Colons are few: the words are
/// read backwards from each, to the end of the sentence or the paragraph before it.
void findPayload(std::string_view s, std::vector<GuardedSpan>& out) {
  std::size_t read = 0;
  for (std::size_t colon = s.find(':'); colon != std::string_view::npos; colon = s.find(':', colon + 1)) {
    if (colon + 1 < s.size() && !text::isSpace(s[colon + 1])) continue;
    for (std::size_t i = colon; i-- > read;) {
      const bool stop = (s[i] == '.' || s[i] == '!' || s[i] == '?') && text::isSpace(s[i + 1]);
      if (stop || (s[i] == '\n' && s[i + 1] == '\n')) break;
      const bool wordStart = text::isWordByte(s[i]) && (i == 0 || !text::isWordByte(s[i - 1]));
      if (!wordStart || !announcesPayload(s, i)) continue;
      out.push_back({colon, s.size()});
      return;
    }
    read = colon;
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
