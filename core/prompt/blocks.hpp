#pragma once
// The shape of a prompt: paragraphs, list items, headings, and the sentences inside them.

#include <string_view>
#include <vector>

#include "core/prompt/protect.hpp"

namespace aetherflow {

enum class BlockKind : unsigned char { Prose, Item, Numbered, Heading, Rule, Verbatim };

/// A run of lines that belong together; blank lines separate blocks and are in none.
///
///   begin        contentBegin                      end (its last line end included)
///   ▼            ▼                                 ▼
///   "   -  "     "Write tests. Keep them small.\n"
struct Block {
  BlockKind kind;
  std::size_t begin;
  std::size_t contentBegin;
  std::size_t end;
  /// 0 before the first heading or "…:" line, then counting. A repetition counts only inside one section.
  std::size_t section;
  bool first;  ///< the first block of its section: removing it would leave the heading without a body
  /// Its sentences in the list of all; none for headings, rulers and verbatim blocks.
  std::size_t sentences = 0;
  std::size_t sentencesEnd = 0;
};

std::vector<Block> blocksOf(std::string_view text, const Protection& protection);

/// A sentence inside a block, without the blanks around it.
struct Sentence {
  std::size_t begin;
  std::size_t end;
};

/// Appends the sentences of a block. Ends are . ! ? … before white space and a capital, a digit or a mark; the end of
/// the block ends the last one.
void findSentences(std::string_view text, Block& block, std::vector<Sentence>& out);

}  // namespace aetherflow
