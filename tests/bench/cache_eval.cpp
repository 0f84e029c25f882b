// What the semantic cache does with pairs: each text_a alone in an empty cache, then text_b asked.
//
//   cache_eval FOLDER [--share S] [--model FILE] [--whole 1]
//
// FOLDER: what cache-embed.mjs wrote, or pairs of your own in the same form; S: maxWrongShare, 0.01; FILE: a packed
// model of core/cache/models, that of model_w8.onnx unless said otherwise; --whole 1: parts are not told apart.
//
// Prints, for development pairs (parts 0–6, on which the model was fitted) and held-out ones (parts 7–9, which share no
// text and no template with them), per category {mustMiss, wrong, shouldHit, hits}, for the model's vectors and for the
// built-in embedder; beside them on the same vectors fixed cosine thresholds, and for each the wrong answers of the
// threshold that serves as many hits as we do; vCache's rule with labels for what an entry was asked before. Wilson
// intervals of 95 %.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "core/cache/decision.hpp"
#include "tests/bench/cache_pairs.hpp"
#include "tests/bench/cache_vcache.hpp"

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

/// Not answer equivalence, says the folder's README; and the same text is an exact hit, no feat of the semantic cache.
bool counts(const Pair& pair) {
  return pair.a != pair.b && pair.family.find("comparison") == std::string::npos &&
         pair.family.find("symmetric relations") == std::string::npos;
}

/// The expected number served by vCache's rule, over the pairs in their order; each is a label for the next.
void vcache(const std::vector<const Pair*>& pairs, const std::vector<float>& scores, double delta) {
  std::map<std::string, VcacheEntry> entries;
  double served[2] = {}, all[2] = {};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    VcacheEntry& entry = entries[pairs[i]->a];
    served[pairs[i]->same] += entry.serves(static_cast<double>(scores[i]), delta);
    ++all[pairs[i]->same];
    entry.seen.push_back({static_cast<double>(scores[i]), pairs[i]->same});
  }
  std::printf("  vCache, delta %.2f: expects to serve %.2f of %.0f that must miss, %.2f of %.0f that should hit\n",
              delta, served[0], all[0], served[1], all[1]);
}

/// The threshold that serves as many of the should-hit pairs as we do, and what it serves of the others.
void sameHits(const std::vector<const Pair*>& pairs, const std::vector<float>& scores, const Tally& ours) {
  std::vector<float> good;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i]->same) good.push_back(scores[i]);
  }
  if (ours.hits == 0 || good.empty()) return;
  std::sort(good.rbegin(), good.rend());
  const float bar = good[std::min(ours.hits, good.size()) - 1];
  Tally tally;
  for (std::size_t i = 0; i < pairs.size(); ++i) tally.add(pairs[i]->same, scores[i] >= bar);
  char title[64];
  std::snprintf(title, sizeof title, "cosine >= %.4f, at our hits; wrong x %.1f", static_cast<double>(bar),
                ours.wrong == 0 ? INFINITY : static_cast<double>(tally.wrong) / static_cast<double>(ours.wrong));
  print(title, tally);
}

void evaluate(const std::vector<Pair>& pairs, const DecisionModel& model, bool heldOut, bool lexical, double share) {
  Decider decider;
  readWords(decider.lexicon());
  decider.use(model);
  std::map<std::string, Tally> families, files;
  Tally pooled;
  std::vector<const Pair*> chosen;
  std::vector<float> scores;
  for (const Pair& pair : pairs) {
    if ((pair.part >= 7) != heldOut || !counts(pair)) continue;
    chosen.push_back(&pair);
    scores.push_back(lexical ? pair.letters : pair.cosine);
    const bool hit = served(decider, pair, scores.back(), lexical, share);
    families[pair.family].add(pair.same, hit);
    files[pair.family.substr(0, pair.family.find('/'))].add(pair.same, hit);
    pooled.add(pair.same, hit);
  }
  if (chosen.empty()) return;
  std::printf("\n%s pairs, %s, maxWrongShare %g\n  %-64s %6s %5s  %6s %5s\n", heldOut ? "held-out" : "development",
              lexical ? "built-in embedder" : "model", share, "", "miss", "wrong", "should", "hits");
  for (const auto& [family, tally] : families) print(family.c_str(), tally);
  for (const auto& [file, tally] : files) print(("all of " + file).c_str(), tally);
  print("pooled", pooled);
  sameHits(chosen, scores, pooled);
  for (const float threshold : kThresholds) {
    Tally tally;
    for (std::size_t i = 0; i < chosen.size(); ++i) tally.add(chosen[i]->same, scores[i] >= threshold);
    char title[32];
    std::snprintf(title, sizeof title, "cosine >= %.2f, pooled", static_cast<double>(threshold));
    print(title, tally);
  }
  for (const double delta : {0.01, 0.02}) vcache(chosen, scores, delta);
}

std::string textOf(const char* path) {
  std::ifstream file(path);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "cache_eval FOLDER [--share S] [--model FILE] [--whole 1]\n"), 2;
  double share = 0.01;
  bool whole = false;
  std::string packed(kMiniLmModel);
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--share") == 0) share = std::atof(argv[i + 1]);
    whole = whole || std::strcmp(argv[i], "--whole") == 0;
    if (std::strcmp(argv[i], "--model") == 0) packed = textOf(argv[i + 1]);
  }
  DecisionModel model, letters;
  if (!readModel(packed, model) || !readModel(kLexicalModel, letters)) {
    return std::fprintf(stderr, "that is no model of this version\n"), 1;
  }
  std::vector<Pair> pairs = readPairs(argv[1]);
  for (Pair& pair : pairs) pair.part = whole ? 9 : pair.part;
  if (pairs.empty()) return std::fprintf(stderr, "no pairs in %s\n", argv[1]), 1;
  for (const bool lexical : {false, true}) {
    for (const bool heldOut : {false, true}) evaluate(pairs, lexical ? letters : model, heldOut, lexical, share);
  }
}
