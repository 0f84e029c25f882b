#pragma once
// Does a text without fences look like code or like prose?

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace aetherflow {

/// How many lines look like source code, and how many like sentences of a natural language. Others count as neither.
struct Shape {
  std::uint32_t code = 0;
  std::uint32_t prose = 0;
  bool opensWithProse = false;  ///< the first line that is not blank is a sentence
};

Shape shapeOf(std::string_view text);

/// True only for texts that are prose beyond doubt: a false alarm costs a paid repair, a miss costs nothing more.
bool isProse(std::string_view text);

/// Length of a lead-in such as "Here is the function:" with the blank line after it, or 0. Only if code follows.
std::size_t leadInLength(std::string_view text);

}  // namespace aetherflow
