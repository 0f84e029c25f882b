#pragma once
// References: where a text stands, for people and for later.
//
//   docs/guide.md:Install › Linux.42    path, titles from the outermost down, first line
//   docs/notes.txt:1                    a file without titles
//
// A mark goes with each: what the text was, so that it is found again after edits, or not at all.

#include <string>
#include <string_view>

#include "core/index/document_index.hpp"

namespace aetherflow {

enum class ReferenceState : std::uint8_t {
  Same,     ///< where it was, the same bytes
  Moved,    ///< the same text on another line, under another title or in another file
  Changed,  ///< the section of that name, or the one in that file that is nearest to what it was; its text differs
  Named,    ///< there was no mark to compare: the only section of that path and these titles
  Stale,    ///< not found; nothing is pointed at
};

struct ResolvedReference {
  ReferenceState state = ReferenceState::Stale;
  SectionId id;
};

std::string referenceOf(const FileRecord& file, std::uint32_t section);
/// 80 hexadecimal digits: 16 bytes of the text's hash, 16 of the hash without heading, 8 of its sketch.
std::string markOf(const SectionRecord& section);

/// `mark`: of the reference, or ''. Anything may be passed in; what is no reference is stale. O(sections).
ResolvedReference resolveReference(const DocumentIndex& index, std::string_view reference, std::string_view mark);

}  // namespace aetherflow
