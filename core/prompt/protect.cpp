#include "core/prompt/protect.hpp"

#include <algorithm>

#include "core/base/sort.hpp"

namespace aetherflow {
namespace protect {

void merge(std::vector<GuardedSpan>& spans) {
  sortItems(spans, [](const GuardedSpan& a, const GuardedSpan& b) { return a.begin < b.begin; });
  std::size_t kept = 0;
  for (const GuardedSpan& span : spans) {
    if (span.begin >= span.end) continue;
    if (kept != 0 && span.begin <= spans[kept - 1].end) {
      spans[kept - 1].end = std::max(spans[kept - 1].end, span.end);
    } else {
      spans[kept++] = span;
    }
  }
  spans.resize(kept);
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

namespace {

/// Both sorted, no two that begin together.
void insert(std::vector<GuardedSpan>& spans, const std::vector<GuardedSpan>& more) {
  std::size_t left = spans.size();
  std::size_t right = more.size();
  spans.resize(left + right);
  while (right != 0) {
    GuardedSpan& to = spans[left + right - 1];
    to = left != 0 && spans[left - 1].begin > more[right - 1].begin ? spans[--left] : more[--right];
  }
}

}  // namespace

Protection::Protection(std::string_view text) {
  protect::findBlocks(text, spans_);
  protect::merge(spans_);
  std::vector<GuardedSpan> found;
  for (const Span& gap : protect::gaps(spans_, text.size())) protect::findQuotes(text, gap, found);
  protect::merge(found);
  for (GuardedSpan& span : found) span.guard = Guard::Exact;
  insert(spans_, found);
  found.clear();
  for (const Span& gap : protect::gaps(spans_, text.size())) protect::findTokens(text, gap, found);
  insert(spans_, found);
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

bool Protection::pins(std::size_t begin, std::size_t end) const {
  for (std::size_t i = after(begin); i < spans_.size() && spans_[i].begin < end; ++i) {
    if (spans_[i].guard != Guard::Negation) return true;
  }
  return false;
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
