// What the semantic cache does with pairs: each text_a alone in an empty cache, then text_b asked.
//
//   cache_eval FOLDER [--share S]      FOLDER: what cache-embed.mjs wrote; S: maxWrongShare, 0.01
//
// Prints, for development pairs (parts 0–6, on which the model was fitted) and held-out ones (parts 7–9, which share no
// text and no template with them), per category {mustMiss, wrong, shouldHit, hits}, for the model's vectors and for the
// built-in embedder, and the fixed cosine thresholds on the same vectors, with Wilson intervals of 95 %.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "core/cache/decision.hpp"
#include "tests/bench/cache_pairs.hpp"

using namespace aetherflow;
using namespace aetherflow::bench;

namespace {

constexpr float kThresholds[] = {0.60f, 0.80f, 0.85f, 0.86f, 0.90f, 0.92f, 0.95f};

struct Tally {
  std::size_t mustMiss = 0, wrong = 0, shouldHit = 0, hits = 0;

  void add(bool same, bool served) {
    ++(same ? shouldHit : mustMiss);
    (same ? hits : wrong) += served;
  }
  void add(const Tally& other) {
    mustMiss += other.mustMiss;
    wrong += other.wrong;
    shouldHit += other.shouldHit;
    hits += other.hits;
  }
};

/// "12.3 [11.0–13.7]" percent.
std::string wilson(std::size_t k, std::size_t n) {
  if (n == 0) return "–";
  const double z = 1.96;
  const double p = static_cast<double>(k) / static_cast<double>(n);
  const double m = static_cast<double>(n);
  const double centre = (p + z * z / (2 * m)) / (1 + z * z / m);
  const double half = z / (1 + z * z / m) * std::sqrt(p * (1 - p) / m + z * z / (4 * m * m));
  char out[64];
  std::snprintf(out, sizeof out, "%.2f [%.2f-%.2f]", 100 * p, 100 * std::max(0.0, centre - half),
                100 * (centre + half));
  return out;
}

void print(const char* title, const Tally& tally) {
  std::printf("  %-64.64s %6zu %5zu  %6zu %5zu   wrong %-22s hits %-22s right of served %s\n", title, tally.mustMiss,
              tally.wrong, tally.shouldHit, tally.hits, wilson(tally.wrong, tally.mustMiss).c_str(),
              wilson(tally.hits, tally.shouldHit).c_str(), wilson(tally.hits, tally.hits + tally.wrong).c_str());
}

bool served(const Decider& decider, const Pair& pair, float score, bool lexical, double share) {
  const Candidate stored{0, score, pair.a, {}};
  std::string exactOnly;
  DecisionOptions options;
  options.mode = CacheMode::Semantic;
  options.maxWrongShare = share;
  options.lexical = lexical;
  const std::vector<Judged> judged = decider.decide(pair.b, {stored}, options, exactOnly);
  return !judged.empty() && judged.back().hit;
}

void evaluate(const std::vector<Pair>& pairs, bool heldOut, bool lexical, double share) {
  Decider decider;
  readWords(decider.lexicon());
  DecisionModel model;
  if (!readModel(lexical ? kLexicalModel : kMiniLmModel, model)) std::abort();
  decider.use(std::move(model));
  std::map<std::string, Tally> families;
  Tally pooled;
  Tally thresholds[std::size(kThresholds)];
  for (const Pair& pair : pairs) {
    if ((pair.part >= 7) != heldOut || pair.family.find("comparison") != std::string::npos ||
        pair.family.find("symmetric relations") != std::string::npos) {
      continue;
    }
    // The same text is an exact hit and no feat of the semantic cache.
    if (pair.a == pair.b) continue;
    const float score = lexical ? pair.letters : pair.cosine;
    const bool hit = served(decider, pair, score, lexical, share);
    families[pair.family].add(pair.same, hit);
    pooled.add(pair.same, hit);
    for (std::size_t i = 0; i < std::size(kThresholds); ++i) thresholds[i].add(pair.same, score >= kThresholds[i]);
  }
  std::printf("\n%s pairs, %s, maxWrongShare %g\n  %-64s %6s %5s  %6s %5s\n", heldOut ? "held-out" : "development",
              lexical ? "built-in embedder" : "model", share, "", "miss", "wrong", "should", "hits");
  for (const auto& [family, tally] : families) print(family.c_str(), tally);
  print("pooled", pooled);
  for (std::size_t i = 0; i < std::size(kThresholds); ++i) {
    char title[32];
    std::snprintf(title, sizeof title, "cosine >= %.2f, pooled", static_cast<double>(kThresholds[i]));
    print(title, thresholds[i]);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "cache_eval FOLDER [--share S]\n"), 2;
  const double share = argc > 3 && std::strcmp(argv[2], "--share") == 0 ? std::atof(argv[3]) : 0.01;
  const std::vector<Pair> pairs = readPairs(argv[1]);
  if (pairs.empty()) return std::fprintf(stderr, "no pairs in %s\n", argv[1]), 1;
  for (const bool lexical : {false, true}) {
    for (const bool heldOut : {false, true}) evaluate(pairs, heldOut, lexical, share);
  }
}
