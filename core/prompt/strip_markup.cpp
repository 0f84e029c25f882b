// Rulers, comments, emphasis marks, blank runs.

#include <algorithm>

#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using text::isBlank;
using text::isSpace;

void cutComments(const StripInput& in, std::vector<Cut>& out) {
  const std::string_view s = in.text;
  for (std::size_t i = s.find("<!--"); i != std::string_view::npos;) {
    const std::size_t close = s.find("-->", i + 4);
    if (close == std::string_view::npos) return;
    std::size_t begin = i;
    std::size_t end = close + 3;
    i = s.find("<!--", end);
    // "<!-- do not edit section 3 -->" may be meant: only comments of plain words go.
    if (in.protection.touches(begin, end)) continue;
    while (begin > 0 && isBlank(s[begin - 1])) --begin;
    std::size_t after = end;
    while (after < s.size() && (isBlank(s[after]) || s[after] == '\r')) ++after;
    const bool lineStart = begin == 0 || s[begin - 1] == '\n';
    const bool lineEnd = after == s.size() || s[after] == '\n';
    if (lineStart && lineEnd) end = after == s.size() ? after : after + 1;
    // "a <!-- x --> b" keeps one blank; "a<!-- x -->b" stays, its words would join.
    const bool joins = begin > 0 && end < s.size() && !isSpace(s[begin - 1]) && !isSpace(s[end]);
    if (!joins && !in.protection.touches(begin, end)) out.push_back({begin, end, StripRule::MarkupNoise});
  }
}

bool blankBefore(std::string_view s, std::size_t at) {
  if (at < 2) return true;
  std::size_t i = at - 1;  // the line end before this line
  while (i > 0 && (isBlank(s[i - 1]) || s[i - 1] == '\r')) --i;
  return i == 0 || s[i - 1] == '\n';
}

bool blankAfter(std::string_view s, std::size_t at) {
  while (at < s.size() && (isBlank(s[at]) || s[at] == '\r')) ++at;
  return at >= s.size() || s[at] == '\n';
}

/// A ruler is decoration between blank lines. It is a delimiter when a line before one ends with a colon, or when the
/// text speaks of it; then all of its kind stay.
void cutRulers(const StripInput& in, std::vector<Cut>& out) {
  const std::string_view s = in.text;
  constexpr std::string_view kMarks = "-=*_";
  bool delimits[4] = {};
  const auto isRule = [](const Block& block) { return block.kind == BlockKind::Rule; };
  if (std::none_of(in.blocks.begin(), in.blocks.end(), isRule)) return;
  for (std::size_t b = 0; b < in.blocks.size(); ++b) {
    const Block& block = in.blocks[b];
    if (block.kind == BlockKind::Rule) {
      const bool colon = b > 0 && text::endsWith(text::trimmed(in.textOf(in.blocks[b - 1])), ":");
      if (colon) delimits[kMarks.find(s[block.contentBegin])] = true;
      continue;
    }
    for (std::size_t i = block.begin; i + 2 < block.end; ++i) {
      if (s[i] != s[i + 1] || s[i] != s[i + 2]) continue;
      const std::size_t mark = kMarks.find(s[i]);
      if (mark != std::string_view::npos) delimits[mark] = true;
    }
  }
  for (const Block& block : in.blocks) {
    if (block.kind != BlockKind::Rule || delimits[kMarks.find(s[block.contentBegin])]) continue;
    if (!blankBefore(s, block.begin) || !blankAfter(s, block.end)) continue;
    if (!in.protection.touches(block.begin, block.end)) out.push_back({block.begin, block.end, StripRule::MarkupNoise});
  }
}

struct Stars {
  std::size_t begin;
  std::size_t end;
};

bool plainWords(std::string_view s) {
  for (const char c : s) {
    if (!text::isAlpha(c) && !text::isHigh(c) && c != ' ' && c != '-' && c != '\'') return false;
  }
  return s.size() >= 2;
}

bool emphasises(const StripInput& in, Stars open, Stars close) {
  const std::string_view s = in.text;
  const std::size_t length = open.end - open.begin;
  if (length > 3 || close.end - close.begin != length || open.end >= close.begin) return false;
  if (isSpace(s[open.end]) || isSpace(s[close.begin - 1])) return false;
  if (open.begin > 0 && !isSpace(s[open.begin - 1]) && s[open.begin - 1] != '(') return false;
  if (close.end < s.size() && text::isWordByte(s[close.end])) return false;
  const std::string_view inner = s.substr(open.end, close.begin - open.end);
  if (inner.find('\n') != std::string_view::npos || (length == 1 && !plainWords(inner))) return false;
  // Marks that touch something exact stay, and so does the emphasis on a prohibition.
  return !in.protection.touches(open.begin, open.end + 1) && !in.protection.touches(close.begin - 1, close.end) &&
         !in.protection.negates(open.begin, close.end);
}

void cutEmphasis(const StripInput& in, std::vector<Cut>& out) {
  for (const Block& block : in.blocks) {
    if (block.kind == BlockKind::Verbatim || block.kind == BlockKind::Rule) continue;
    if (block.kind == BlockKind::Heading && in.text[block.contentBegin] == '*')
      continue;  // its marks make it a heading
    // The view ends with the block: a search beyond it would be quadratic in the number of blocks.
    const std::string_view s = in.text.substr(0, block.end);
    Stars open{0, 0};
    for (std::size_t i = s.find('*', block.begin); i < block.end;) {
      Stars run{i, i};
      while (run.end < block.end && s[run.end] == '*') ++run.end;
      if (open.end != 0 && emphasises(in, open, run)) {
        out.push_back({open.begin, open.end, StripRule::MarkupNoise});
        out.push_back({run.begin, run.end, StripRule::MarkupNoise});
        open = {0, 0};
      } else {
        open = run;
      }
      i = s.find('*', run.end);
    }
  }
}

/// One run of white space [begin, end) outside protected spans.
void cutRun(const StripInput& in, std::size_t begin, std::size_t end, std::vector<Cut>& out) {
  const std::string_view s = in.text;
  const auto cut = [&](std::size_t from, std::size_t to) {
    if (from < to) out.push_back({from, to, StripRule::BlankRun});
  };
  if (end == s.size()) return cut(begin, end);
  const std::string_view run = s.substr(begin, end - begin);
  if (run.find('\n') == std::string_view::npos) return;
  const std::size_t first = begin + run.find('\n');
  const std::size_t last = begin + run.rfind('\n');
  const auto lineEnd = [&](std::size_t newline) {
    return newline > begin && s[newline - 1] == '\r' ? newline - 1 : newline;
  };
  if (begin == 0) return cut(0, last + 1);
  // A protected line brings its own line end: only one more may follow.
  if (s[begin - 1] == '\n') return cut(begin, lineEnd(last));
  cut(begin, lineEnd(first));
  if (first != last) cut(first + 1, s[last - 1] == '\r' && last - 1 > first ? last - 1 : last);
}

}  // namespace

void cutMarkup(const StripInput& in, std::vector<Cut>& out) {
  cutComments(in, out);
  cutRulers(in, out);
  cutEmphasis(in, out);
}

void cutBlanks(const StripInput& in, std::vector<Cut>& out) {
  const std::string_view s = in.text;
  const std::vector<GuardedSpan>& spans = in.protection.spans();
  std::size_t from = 0;
  for (std::size_t span = 0; span <= spans.size(); ++span) {
    const std::size_t limit = span < spans.size() ? spans[span].begin : s.size();
    // A run matters if it holds a line end or ends the text: each is found by its last byte.
    while (from < limit) {
      const std::size_t newline = s.substr(0, limit).find('\n', from);
      const std::size_t inside = newline != std::string_view::npos ? newline : limit;
      if (newline == std::string_view::npos && limit != s.size()) break;
      std::size_t begin = inside;
      while (begin > from && isSpace(s[begin - 1])) --begin;
      from = inside;
      while (from < limit && isSpace(s[from])) ++from;
      if (begin < from) cutRun(in, begin, from, out);
    }
    if (span < spans.size()) from = spans[span].end;
  }
}

}  // namespace aetherflow
