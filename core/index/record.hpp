#pragma once
// What the index keeps of one file. A pure function of its path, its bytes and the outline that a parser gave: an index
// that was brought up to date holds the same records as one that was built at once.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/index/outline.hpp"
#include "core/index/sha256.hpp"
#include "core/index/words.hpp"

namespace aetherflow {

/// A word of a section, and how often it is in each of its fields; larger counts count as the largest.
struct TermCount {
  std::uint32_t term = 0;
  std::uint16_t inText = 0;
  std::uint8_t inTitle = 0;
  std::uint8_t inPath = 0;
};

struct SectionRecord {
  OutlineNode at;
  Sha256 hash{};             ///< of the own text
  Sha256 body{};             ///< of the own text without its heading
  std::uint64_t sketch = 0;  ///< similar texts differ in few bits
  std::uint32_t tokens = 0;  ///< estimate, of the own text
  std::uint32_t words = 0;   ///< of the text; of the title; of path and titles above
  std::uint32_t titleWords = 0, pathWords = 0;
  std::uint32_t firstTerm = 0, lastTerm = 0;  ///< range in the file's counts
};

struct FileRecord {
  std::string path;
  FileKind kind = FileKind::Text;
  OutlineKind made = OutlineKind::Parsed;
  Language language = Language::English;
  Sha256 hash{};  ///< of the bytes, and of the outline where one was given
  std::uint32_t bytes = 0, lines = 0;
  std::vector<SectionRecord> sections;
  std::vector<TermCount> terms;
};

/// What tells a file from its next version.
Sha256 fileHash(std::string_view text, std::string_view given);

FileRecord readRecord(Vocabulary& words, std::string_view path, FileKind kind, std::string_view text,
                      std::string_view given);

/// Titles from the outermost down, as in references: `Install › Linux`. '' of the file itself.
std::string headingPath(const FileRecord& file, std::uint32_t section);

/// Bits in which two sketches differ, 0–64.
std::uint32_t sketchDistance(std::uint64_t a, std::uint64_t b);

/// The record as bytes, its words spelled out: equal records give equal bytes. Appends to `out`.
void writeRecord(std::string& out, const FileRecord& file, const Vocabulary& words);
/// False when the bytes are no record; nothing of `out` may be used then.
bool parseRecord(std::string_view bytes, Vocabulary& words, FileRecord& out);

}  // namespace aetherflow
