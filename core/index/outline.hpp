#pragma once
// A file as a tree of sections: what has a name in it, and where its own text lies.
//
//   docs/guide.md          node 0   level 0   the preamble: what stands above the first heading
//   # Install              node 1   level 1   own text up to the next heading of any level …
//   ## Linux               node 2   level 2   … so that every byte belongs to one node
//   # Use                  node 3   level 1

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

enum class FileKind : std::uint8_t { Text, Markdown, Json, Code };

/// Where the names come from. `Guessed`: from indentation and key words, as no grammar read the file.
enum class OutlineKind : std::uint8_t { Parsed, Guessed };

inline constexpr std::uint32_t kNoNode = UINT32_MAX;

struct OutlineNode {
  std::uint32_t parent = kNoNode;     ///< number in the file
  std::uint8_t level = 0;             ///< 0: the file itself
  std::uint32_t first = 0, last = 0;  ///< lines of the own text, from 0, both included
  std::uint32_t reach = 0;            ///< last line of the node with all below it
  std::uint32_t from = 0, to = 0;     ///< bytes of the own text
  std::uint32_t body = 0;             ///< first byte of the own text after the heading
  std::string title;                  ///< '' of the file itself
};

struct Outline {
  FileKind kind = FileKind::Text;
  OutlineKind made = OutlineKind::Parsed;
  std::uint32_t lines = 0;
  std::vector<OutlineNode> nodes;  ///< in the order of their first lines; never empty
};

/// By the end of the path: .md, .markdown, .mdx; .json; the code that is known; else text.
FileKind fileKindOf(std::string_view path);

/// `given`: what a parser of the file's language found, a line each: level from 1, first line, last line (from 1),
/// title, separated by tabs; lines that say nothing of the kind are left out. Without it, the file's kind decides: code
/// gets an outline by its indentation. Never fails. O(bytes).
Outline outlineOf(FileKind kind, std::string_view text, std::string_view given = {});

}  // namespace aetherflow
