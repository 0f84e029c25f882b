#pragma once
// Random documents and edits of them, for the property tests of the index.

#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "core/index/document_index.hpp"

namespace aetherflow::testing {

/// A text in sections, so that edits know what they do.
struct RandomSection {
  int level = 1;
  std::string title, body;
};
using RandomDocument = std::vector<RandomSection>;

inline std::string randomWords(Rng& rng, std::uint32_t count) {
  static constexpr const char* kWords[] = {"cache",  "plan",   "step",    "limit",  "token",    "provider", "retry",
                                           "vector", "budget", "journal", "resume", "schedule", "latency",  "réseau",
                                           "le",     "the",    "of",      "est",    "window",   "prompt"};
  std::string out;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!out.empty()) out += i % 9 == 8 ? "\n" : " ";
    out += kWords[rng.below(20)];
    if (rng.below(3) == 0) out += std::to_string(rng.below(500));
  }
  return out;
}

inline RandomSection randomSection(Rng& rng) {
  return {1 + static_cast<int>(rng.below(3)), randomWords(rng, 1 + rng.below(3)), randomWords(rng, 12 + rng.below(40))};
}

inline RandomDocument randomDocument(Rng& rng) {
  RandomDocument out;
  for (std::uint32_t i = 0, count = 1 + rng.below(6); i < count; ++i) out.push_back(randomSection(rng));
  for (RandomSection& section : out)
    for (char& c : section.title) c = c == '\n' ? ' ' : c;
  return out;
}

inline std::string textOf(const RandomDocument& document) {
  std::string out;
  for (const RandomSection& section : document)
    out += std::string(static_cast<std::size_t>(section.level), '#') + ' ' + section.title + "\n\n" + section.body +
           "\n\n";
  return out;
}

inline void readStops(DocumentIndex& index) {
  index.vocabulary().readStops(Language::English, "the of a is");
  index.vocabulary().readStops(Language::French, "le la de est");
}

/// A variable of the environment as a number, else `usual`: long runs are asked for.
std::uint32_t indexRounds(const char* variable, std::uint32_t usual);

}  // namespace aetherflow::testing
