#pragma once
// The built-in embedder: no model, no download, spelling only. It sees that two prompts share words, forms of words and
// misspellings; it cannot see that "car" and "automobile" mean the same, and it sees opposites as neighbours, as models
// do too. Prompts in other words than the stored ones are misses.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/cache/sentence.hpp"

namespace aetherflow {

inline constexpr std::size_t kLexicalDimensions = 256;
/// Part of the scope of whatever was stored with these vectors: raise it when a vector would change.
inline constexpr std::string_view kLexicalRevision = "lexical-1";

/// kLexicalDimensions numbers of unit length, or all zero for a text without a word. Words (stop words little, numbers,
/// names and identifiers much), pairs of neighbours and the three- and four-letter pieces of words are hashed into
/// signed integer counts, so that the vector is bit-equal in every build. O(bytes).
std::vector<float> embedLexically(const ReadSentence& sentence);

/// Of two vectors of equal length: the dot product, summed as core/cache/vectors.hpp does.
float likeness(const std::vector<float>& a, const std::vector<float>& b);

}  // namespace aetherflow
