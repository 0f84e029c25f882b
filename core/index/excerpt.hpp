#pragma once
// What of the sections found goes into a prompt of so many tokens.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/index/document_index.hpp"

namespace aetherflow {

struct Excerpt {
  SectionId id;
  std::uint32_t tokens = 0;  ///< estimate of what is taken
  bool whole = true;         ///< else it is to be cut to `tokens`: see linesToKeep
  float score = 0;           ///< of the hit; 0 of a child or parent that came along
};

/// Takes whole sections in the order of the hits while they fit; then, of the room that is left, sections below and
/// above a short one, and the beginning of the best one that did not fit. Hits under a quarter of the best score are
/// left out. In the order to read: files by their best hit, sections as they stand. Never more tokens than `budget`.
std::vector<Excerpt> excerptsFor(const DocumentIndex& index, const std::vector<SectionHit>& hits, std::uint32_t budget);

struct LineRange {
  std::uint32_t first = 0, last = 0;  ///< from 0, both included
};

/// The lines of a text that fit into `budget` tokens: its first line, and those around the rarest words of the
/// question.
std::vector<LineRange> linesToKeep(DocumentIndex& index, std::string_view text, std::string_view question,
                                   std::uint32_t budget);

}  // namespace aetherflow
