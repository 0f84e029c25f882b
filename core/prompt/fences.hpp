#pragma once
// What an answer holds between ``` fences, and around them.

#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

struct FencedBlock {
  std::string_view language;  ///< first word after the fence, may be empty
  std::string_view body;      ///< without the fences, with its last line end
  std::size_t begin;          ///< of the opening fence's line
  std::size_t end;            ///< after the closing fence's line
};

/// The outermost fenced blocks, in order. A fence with a language inside a block opens a nested one, as models write
/// when they put a README into a fence. A block that is never closed reaches to the end. O(bytes).
std::vector<FencedBlock> fencedBlocks(std::string_view text);

/// The text outside the blocks.
std::string outsideFences(std::string_view text, const std::vector<FencedBlock>& blocks);

}  // namespace aetherflow
