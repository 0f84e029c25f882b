#pragma once
// What the cache's tests share: the words, and vectors made by a seeded generator.

#include <cmath>
#include <vector>

#include "core/base/rng.hpp"
#include "core/cache/decision.hpp"
#include "core/cache/words.generated.hpp"

namespace aetherflow::testing {

inline Lexicon fullLexicon() {
  Lexicon lexicon;
  lexicon.read(Language::English, kEnglishWords);
  lexicon.read(Language::French, kFrenchWords);
  return lexicon;
}

inline void normalise(std::vector<float>& vector) {
  double square = 0;
  for (const float x : vector) square += static_cast<double>(x) * x;
  const double length = std::sqrt(square);
  for (float& x : vector) x = static_cast<float>(x / length);
}

/// With English, French and the model named.
inline Decider fullDecider(std::string_view packed = kMiniLmModel) {
  Decider decider;
  decider.lexicon() = fullLexicon();
  DecisionModel model;
  if (readModel(packed, model)) decider.use(std::move(model));
  return decider;
}

/// Uniform in a cube, then of unit length; near `centre` when there is one.
inline std::vector<float> unitVector(Rng& rng, std::size_t dimensions, const std::vector<float>* centre = nullptr,
                                     double spread = 1) {
  std::vector<float> out(dimensions);
  for (std::size_t i = 0; i < dimensions; ++i) {
    out[i] = static_cast<float>((rng.unit() - 0.5) * spread + (centre ? static_cast<double>((*centre)[i]) : 0.0));
  }
  normalise(out);
  return out;
}

}  // namespace aetherflow::testing
