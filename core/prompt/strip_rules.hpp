#pragma once
// The rules of strip(), each a pure function from a text to the cuts it proposes.

#include <vector>

#include "core/prompt/blocks.hpp"
#include "core/prompt/protect.hpp"
#include "core/prompt/strip.hpp"

namespace aetherflow {

/// Bytes [begin, end) that may go. `capitalise`: the first letter after the cut, or of `instead`, begins the sentence now.
struct Cut {
  std::size_t begin;
  std::size_t end;
  StripRule rule;
  bool capitalise = false;
  std::string_view instead = {};  ///< written in their place, shorter than they are; static storage
};

/// One text with everything the rules look at.
struct StripInput {
  explicit StripInput(std::string_view text);
  std::string_view textOf(const Block& block) const { return text.substr(block.begin, block.end - block.begin); }

  std::string_view text;
  Protection protection;
  std::vector<Block> blocks;
  std::vector<Sentence> sentences;  ///< of all blocks
};

void cutFillers(const StripInput& in, std::vector<Cut>& out);
void cutRepeats(const StripInput& in, std::vector<Cut>& out);
void cutMarkup(const StripInput& in, std::vector<Cut>& out);
void cutBlanks(const StripInput& in, std::vector<Cut>& out);

/// The cut that takes a whole sentence with the blanks that parted it; the whole block if it was the only one.
Cut sentenceCut(const StripInput& in, const Block& block, std::size_t sentence, StripRule rule);

}  // namespace aetherflow
