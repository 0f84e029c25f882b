#pragma once
// What stripping must not touch, found before anything is removed.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace aetherflow {

/// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin;
  std::size_t end;
};

enum class Guard : unsigned char {
  Verbatim,  ///< code, table, tagged document: nothing inside may change or go, even when it stands twice
  Exact,     ///< inline code, quotation, path, URL, identifier, number: may go only with a repetition of the same bytes
  Negation,  ///< not, never, sans…: as Exact, and the whole sentence must be the same to the byte
};

struct GuardedSpan {
  std::size_t begin;
  std::size_t end;
  Guard guard = Guard::Verbatim;
};

/// The protected spans of a text, sorted and disjoint. When in doubt a span is protected: a wrong guess costs tokens,
/// never meaning. O(bytes), also for hostile input without newlines or made of quotation marks alone.
class Protection {
 public:
  explicit Protection(std::string_view text);

  const std::vector<GuardedSpan>& spans() const { return spans_; }
  /// First span that ends after `at`; spans().size() if there is none.
  std::size_t after(std::size_t at) const;
  /// True if [begin, end) shares a byte with a protected span.
  bool touches(std::size_t begin, std::size_t end) const;
  /// True if [begin, end) shares a byte with a span that is no negation: "if you don't mind" is known with its own.
  bool pins(std::size_t begin, std::size_t end) const;
  /// True if [begin, end) shares a byte with a verbatim span, or cuts through any span.
  bool breaks(std::size_t begin, std::size_t end) const;
  /// True if [begin, end) contains a negation.
  bool negates(std::size_t begin, std::size_t end) const;

 private:
  std::vector<GuardedSpan> spans_;
};

namespace protect {

/// Line-shaped spans: fences, indented code, tables, block quotes, code-like lines, front matter, tagged documents,
/// and everything after "translate the following:". Appends in any order.
void findBlocks(std::string_view text, std::vector<GuardedSpan>& out);
/// Inline code and quotations inside [from, to), which holds no block. Appends in any order.
void findQuotes(std::string_view text, Span region, std::vector<GuardedSpan>& out);
/// Tokens and negations inside [from, to), which holds nothing verbatim.
void findTokens(std::string_view text, Span region, std::vector<GuardedSpan>& out);

/// Sorts and merges spans that overlap or touch.
void merge(std::vector<GuardedSpan>& spans);
/// The gaps between merged spans inside [0, size).
std::vector<Span> gaps(const std::vector<GuardedSpan>& merged, std::size_t size);

}  // namespace protect
}  // namespace aetherflow
