#include "core/prompt/protect.hpp"

#include <algorithm>

#include "core/base/sort.hpp"

namespace aetherflow {
namespace protect {

void sort(std::vector<GuardedSpan>& spans) {
  sortItems(spans, [](const GuardedSpan& a, const GuardedSpan& b) { return a.begin < b.begin; });
}

void merge(std::vector<GuardedSpan>& spans) {
  sort(spans);
  std::size_t kept = 0;
  for (const GuardedSpan& span : spans) {
    if (span.begin >= span.end) continue;
    if (kept != 0 && span.begin <= spans[kept - 1].end) {
      spans[kept - 1].end = std::max(spans[kept - 1].end, span.end);
    } else {
      spans[kept++] = span;
    }
  }
  spans.erase(spans.begin() + static_cast<std::ptrdiff_t>(kept), spans.end());
}

std::vector<Span> gaps(const std::vector<GuardedSpan>& merged, std::size_t size) {
  std::vector<Span> out;
  std::size_t from = 0;
  for (const GuardedSpan& span : merged) {
    if (span.begin > from) out.push_back({from, span.begin});
    from = span.end;
  }
  if (from < size) out.push_back({from, size});
  return out;
}

}  // namespace protect

Protection::Protection(std::string_view text) {
  protect::findBlocks(text, spans_);
  protect::merge(spans_);
  std::vector<GuardedSpan> quotes;
  for (const Span& gap : protect::gaps(spans_, text.size())) protect::findQuotes(text, gap, quotes);
  protect::merge(quotes);
  for (const GuardedSpan& span : quotes) spans_.push_back({span.begin, span.end, Guard::Exact});
  protect::sort(spans_);
  std::vector<GuardedSpan> tokens;
  for (const Span& gap : protect::gaps(spans_, text.size())) protect::findTokens(text, gap, tokens);
  for (const GuardedSpan& token : tokens) spans_.push_back({token.begin, token.end, token.guard});
  protect::sort(spans_);
}

std::size_t Protection::after(std::size_t at) const {
  const auto it = std::upper_bound(spans_.begin(), spans_.end(), at,
                                   [](std::size_t value, const GuardedSpan& span) { return value < span.end; });
  return static_cast<std::size_t>(it - spans_.begin());
}

bool Protection::touches(std::size_t begin, std::size_t end) const {
  const std::size_t i = after(begin);
  return i < spans_.size() && spans_[i].begin < end;
}

bool Protection::breaks(std::size_t begin, std::size_t end) const {
  for (std::size_t i = after(begin); i < spans_.size() && spans_[i].begin < end; ++i) {
    if (spans_[i].guard == Guard::Verbatim || spans_[i].begin < begin || spans_[i].end > end) return true;
  }
  return false;
}

bool Protection::negates(std::size_t begin, std::size_t end) const {
  for (std::size_t i = after(begin); i < spans_.size() && spans_[i].begin < end; ++i) {
    if (spans_[i].guard == Guard::Negation) return true;
  }
  return false;
}

}  // namespace aetherflow
