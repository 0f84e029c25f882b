// Inline code and quotations. Apostrophes, inch marks and lone quotation marks are everywhere in real prompts: a mark
// that cannot be paired beyond doubt protects its whole paragraph.

#include <utility>

#include "core/prompt/protect.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow::protect {
namespace {

using text::classesOf;
using text::isSpace;

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// Begin of the first blank line at or after `at`, or the end of the region.
std::size_t paragraphEnd(std::string_view s, std::size_t at, std::size_t limit) {
  for (std::size_t i = s.find('\n', at); i < limit; i = s.find('\n', i + 1)) {
    std::size_t next = i + 1;
    while (next < limit && (text::isBlank(s[next]) || s[next] == '\r')) ++next;
    if (next >= limit || s[next] == '\n') return i;
    i = next - 1;
  }
  return limit;
}

/// `code` and ``code``: a run of n backticks closes at the next run of exactly n in the same paragraph.
void findInlineCode(std::string_view s, Span region, std::vector<GuardedSpan>& out) {
  struct Run {
    std::size_t begin;
    std::size_t length;
    std::size_t next;  // index of the next run of equal length
  };
  std::vector<Run> runs;
  for (std::size_t i = s.find('`', region.begin); i < region.end; i = s.find('`', i)) {
    const std::size_t begin = i;
    while (i < region.end && s[i] == '`') ++i;
    runs.push_back({begin, i - begin, kNone});
  }
  // Backwards with the latest run of each length: searching forward from each opener would be quadratic. There are as
  // many lengths as bytes at the most, and the runs hold those bytes: the list is no longer than the region.
  std::vector<std::size_t> latest;
  for (std::size_t r = runs.size(); r-- > 0;) {
    if (runs[r].length >= latest.size()) latest.resize(runs[r].length + 1, kNone);
    runs[r].next = std::exchange(latest[runs[r].length], r);
  }
  std::size_t paragraph = region.begin;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (runs[r].next == kNone) continue;
    if (runs[r].begin >= paragraph) paragraph = paragraphEnd(s, runs[r].begin, region.end);
    const Run& closer = runs[runs[r].next];
    if (closer.begin > paragraph) continue;
    out.push_back({runs[r].begin, closer.begin + closer.length});
    r = runs[r].next;
  }
}

bool opensAfter(char before) {
  return isSpace(before) || std::string_view("([{<=:,;-/|\"'*_").find(before) != std::string_view::npos;
}

bool closesBefore(char after) {
  return isSpace(after) || std::string_view(".,;:!?)]}>\"'*_/|").find(after) != std::string_view::npos;
}

/// Pairs the straight double quotes of a region. False, and nothing appended, if they do not alternate cleanly.
bool pairDouble(std::string_view s, Span region, std::vector<GuardedSpan>& out) {
  const std::size_t before = out.size();
  std::size_t open = kNone;
  bool clean = true;
  for (std::size_t i = s.find('"', region.begin); clean && i < region.end; i = s.find('"', i + 1)) {
    if (open == kNone) {
      clean = i == 0 || opensAfter(s[i - 1]);
      open = i;
    } else {
      clean = i + 1 >= region.end || closesBefore(s[i + 1]);
      out.push_back({open, i + 1});
      open = kNone;
    }
  }
  if (clean && open == kNone) return true;
  out.resize(before);
  return false;
}

/// The fallback: paragraphs with unclear marks are protected whole, and everything between two odd ones too.
void pairByParagraph(std::string_view s, Span region, std::vector<GuardedSpan>& out) {
  bool open = false;
  for (std::size_t at = region.begin; at < region.end;) {
    const std::size_t end = paragraphEnd(s, at, region.end);
    std::size_t marks = 0;
    for (std::size_t i = at; i < end; ++i) marks += s[i] == '"' ? 1 : 0;
    const bool wasOpen = open;
    if (marks % 2 == 1) open = !open;
    if (wasOpen || open) {
      out.push_back({at, end});
    } else if (!pairDouble(s, {at, end}, out)) {
      out.push_back({at, end});
    }
    at = end + 1;
  }
}

/// 'quoted', but not don't, l'outil or the users' files.
void findSingle(std::string_view s, Span region, std::vector<GuardedSpan>& out) {
  std::size_t hopelessUntil = region.begin;  // no closing mark before here: searched already
  for (std::size_t i = s.find('\'', region.begin); i < region.end; i = s.find('\'', i + 1)) {
    const bool opens = (i == 0 || opensAfter(s[i - 1])) && i + 1 < region.end && !isSpace(s[i + 1]);
    if (!opens || i < hopelessUntil) continue;
    std::size_t j = i + 1;
    while (j < region.end && s[j] != '\n') {
      if (s[j] == '\'' && j > i + 1 && !isSpace(s[j - 1]) && (j + 1 == s.size() || closesBefore(s[j + 1]))) break;
      ++j;
    }
    if (j < region.end && s[j] == '\'') {
      out.push_back({i, j + 1});
      i = j;
    } else {
      hopelessUntil = j;
    }
  }
}

/// « … », “ … ”, ‘ … ’. An opening mark without its end protects the rest of its paragraph.
void findPaired(std::string_view s, Span region, std::string_view open, std::string_view close,
                std::vector<GuardedSpan>& out) {
  const bool isApostrophe = close == "’";
  bool noneLeft = false;  // one failed search answers all later ones
  for (std::size_t i = s.find(open, region.begin); i < region.end; i = s.find(open, i)) {
    std::size_t end = noneLeft ? kNone : s.find(close, i + open.size());
    // ’ is an apostrophe as well: it closes only where no letter follows.
    while (isApostrophe && end < region.end && end + close.size() < s.size() &&
           text::isWordByte(s[end + close.size()])) {
      end = s.find(close, end + 1);
    }
    noneLeft = end >= region.end;
    end = noneLeft ? paragraphEnd(s, i, region.end) : end + close.size();
    out.push_back({i, end});
    i = end;
  }
}

}  // namespace

void findQuotes(std::string_view text, Span region, std::vector<GuardedSpan>& out) {
  std::vector<GuardedSpan> code;
  // Views end with their region: a search that ran on to the end of the text would make many regions quadratic.
  findInlineCode(text.substr(0, region.end), region, code);
  merge(code);
  for (Span gap : gaps(code, region.end)) {
    if (gap.end <= region.begin) continue;
    if (gap.begin < region.begin) gap.begin = region.begin;
    const std::string_view s = text.substr(0, gap.end);
    unsigned classes = 0;
    for (std::size_t i = gap.begin; i < gap.end; ++i) classes |= classesOf(s[i]);
    if ((classes & text::kQuote) == 0) continue;
    if (!pairDouble(s, gap, out)) pairByParagraph(s, gap, out);
    findSingle(s, gap, out);
    findPaired(s, gap, "«", "»", out);
    findPaired(s, gap, "“", "”", out);
    findPaired(s, gap, "‘", "’", out);
    findPaired(s, gap, "{{", "}}", out);
  }
  out.insert(out.end(), code.begin(), code.end());
}

}  // namespace aetherflow::protect
