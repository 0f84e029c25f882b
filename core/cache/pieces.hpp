#pragma once
// Cuts a prompt where words end, before anything is known about them.

#include <string_view>
#include <vector>

namespace aetherflow {

/// A run of the text with what only its spelling tells.
struct Piece {
  std::string_view text;
  bool quoted = false;
  bool start = false;  ///< first of a sentence
};

/// Words, numbers, identifiers, and symbols that stand alone. `text`: as `plain` left it; the pieces point into it. O(bytes).
std::vector<Piece> cutIntoPieces(std::string_view text);

/// A letter of ASCII, or a byte of any other.
bool letterAt(std::string_view s, std::size_t i);

}  // namespace aetherflow
