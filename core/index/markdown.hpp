#pragma once
// The block structure of Markdown, as CommonMark 0.31 has it: what is a heading and what only looks like one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/index/lines.hpp"

namespace aetherflow {

enum class MarkdownKind : std::uint8_t { Heading, Fence, Html, FrontMatter };

struct MarkdownBlock {
  MarkdownKind kind = MarkdownKind::Heading;
  std::uint8_t level = 0;             ///< of a heading, 1–6
  bool nested = false;                ///< inside a quote or a list item
  std::uint32_t first = 0, last = 0;  ///< lines from 0, both included
  std::string text;                   ///< of a heading, as it is written; lines of a setext heading joined by \n
};

/// Headings, fences and HTML blocks in their order. `frontMatter`: a first line --- or +++ with a line that closes it
/// begins front matter, which CommonMark does not know. Never fails: any bytes are Markdown. Lines are looked at once;
/// O(bytes × depth), and the depth of quotes and lists is bounded by kMostContainers.
std::vector<MarkdownBlock> scanMarkdown(const LineTable& lines, bool frontMatter = true);

/// Containers inside each other; deeper ones are read as text.
inline constexpr std::size_t kMostContainers = 100;

/// 1–7: the kind of HTML block that begins with this text (CommonMark 4.6), or 0.
int htmlBlockStart(std::string_view text);
/// Whether a block of the kinds 1–5 ends in this line.
bool htmlBlockEnds(int kind, std::string_view line);

/// Bytes of the link reference definitions at the head of a paragraph, with their line ends.
std::size_t linkDefinitions(std::string_view paragraph);

/// A heading as text: without the marks of emphasis, code, links, images, tags and escapes.
std::string plainTitle(std::string_view heading);

}  // namespace aetherflow
