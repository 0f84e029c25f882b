#pragma once
// Fewer searches for the same question: which of its n-grams need not be asked for.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

enum class GramStrategy : std::uint8_t {
  /// All of three words and more; of two where they bring a word that is not there yet; single words that have a digit
  /// or at least kLongWord letters. Loses results where nothing is found that holds all words of a trigram.
  Seed,
  /// Fewest words first; one is left out only when all words of a kept one are in it: whatever holds all its words
  /// holds
  /// those too. True where a search finds what holds all words, and the kept search was not cut at its limit.
  Cover,
};

inline constexpr std::size_t kLongWord = 5;

struct GramChoice {
  std::vector<std::uint32_t> kept;  ///< numbers in the list, in its order
  struct Dropped {
    std::uint32_t gram = 0;
    std::uint32_t by = UINT32_MAX;  ///< the kept one that covers it; UINT32_MAX: none, results may be lost
  };
  std::vector<Dropped> dropped;
};

/// `grams`: a line each; words are compared in lower case and without accents. At most `most` are kept. O(n²).
GramChoice chooseGrams(std::string_view grams, GramStrategy strategy, std::size_t most);

}  // namespace aetherflow
