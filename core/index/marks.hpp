#pragma once
// Where sections begin, by kind of file.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/index/lines.hpp"

namespace aetherflow {

struct SectionMark {
  std::uint8_t level = 1;
  std::uint32_t first = 0;    ///< line of the name, from 0
  std::uint32_t heading = 0;  ///< last line of the name
  std::string title;
};

/// The members of a JSON file's outermost object. What is no JSON has those that stand before the fault.
std::vector<SectionMark> jsonMarks(std::string_view text, const LineTable& lines);

/// Declarations of a program, by the key words of many languages at the head of lines that are indented by at most one
/// step. Misses what is written otherwise, and says nothing of where a declaration ends.
std::vector<SectionMark> indentationMarks(const LineTable& lines);

}  // namespace aetherflow
