#pragma once
// Counts what two prompts laid side by side have in common, and what they have not.

#include "core/cache/guards.hpp"
#include "core/cache/pairing.hpp"

namespace aetherflow {

struct Measured {
  Signs signs{};
  std::size_t wordsInPlace = 0;  ///< words exchanged for others between the same neighbours
  std::size_t extraInPlace = 0;  ///< words in such places, of both sides
  bool asksOther = false;        ///< "who" for "when"
  bool shifted = false;          ///< "used to", "only" and the like on one side
};

/// `letters` in [0, 1]. O(tokens).
Measured measure(const Pairing& pair, float letters);

}  // namespace aetherflow
