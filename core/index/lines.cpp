#include "core/index/lines.hpp"

namespace aetherflow {

LineTable::LineTable(std::string_view text) : text_(text) {
  starts_.push_back(0);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r') {
      if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
    } else if (text[at] != '\n') {
      continue;
    }
    starts_.push_back(static_cast<std::uint32_t>(at + 1));
  }
  // What follows the last end of line is a line when it has bytes.
  if (starts_.back() != text.size() || starts_.size() == 1) starts_.push_back(static_cast<std::uint32_t>(text.size()));
}

std::string_view LineTable::line(std::size_t line) const {
  std::string_view found = text_.substr(begin(line), end(line) - begin(line));
  if (!found.empty() && found.back() == '\n') found.remove_suffix(1);
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  return found;
}

void LineCursor::open(std::string_view text) {
  line = text;
  at = column = 0;
  partialTab_ = false;
}

void LineCursor::look() {
  next = at;
  nextColumn = column;
  for (; next < line.size(); ++next) {
    if (line[next] == ' ')
      ++nextColumn;
    else if (line[next] == '\t')
      nextColumn += 4 - nextColumn % 4;
    else
      break;
  }
  blank = next >= line.size();
  indent = nextColumn - column;
}

void LineCursor::skip(std::size_t count, bool columns) {
  while (count > 0 && at < line.size()) {
    if (line[at] != '\t') {
      partialTab_ = false;
      ++at;
      ++column;
      --count;
      continue;
    }
    const std::size_t toStop = 4 - column % 4;
    if (!columns) {
      partialTab_ = false;
      column += toStop;
      ++at;
      --count;
      continue;
    }
    partialTab_ = toStop > count;
    const std::size_t step = partialTab_ ? count : toStop;
    column += step;
    if (!partialTab_) ++at;
    count -= step;
  }
}

void LineCursor::skipToNext() {
  at = next;
  column = nextColumn;
  partialTab_ = false;
}

}  // namespace aetherflow
