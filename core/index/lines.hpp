#pragma once
// Lines of a file, and one line as CommonMark counts its columns.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace aetherflow {

/// Where each line begins, and the end of the text after the last. A line ends with \n, \r\n or \r; an empty text has
/// one line. Texts of 4 GiB and more are refused before.
class LineTable {
 public:
  explicit LineTable(std::string_view text);

  std::size_t count() const { return starts_.size() - 1; }
  std::uint32_t begin(std::size_t line) const { return starts_[line]; }
  /// After the line's own end of line.
  std::uint32_t end(std::size_t line) const { return starts_[line + 1]; }
  /// Without its end of line. Borrowed from the text.
  std::string_view line(std::size_t line) const;

 private:
  std::string_view text_;
  std::vector<std::uint32_t> starts_;
};

/// A place in a line. Tabs reach to the next multiple of four columns, and may be consumed in part.
class LineCursor {
 public:
  void open(std::string_view line);
  /// Looks for the next byte that is no blank: `next`, `indent`, `blank`.
  void look();
  /// Consumes so many bytes, or columns.
  void skip(std::size_t count, bool columns);
  void skipToNext();

  char peek() const { return at < line.size() ? line[at] : '\0'; }
  char nextByte() const { return next < line.size() ? line[next] : '\0'; }
  std::string_view rest() const { return line.substr(at); }
  std::string_view fromNext() const { return line.substr(next); }

  std::string_view line;
  std::size_t at = 0, column = 0;
  std::size_t next = 0, nextColumn = 0, indent = 0;
  bool blank = true;

 private:
  bool partialTab_ = false;
};

}  // namespace aetherflow
