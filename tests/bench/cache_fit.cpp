// Fits the probability of the semantic cache (core/cache/models/*.txt) on the development pairs and prints it.
//
//   cache_fit FOLDER --model|--lexical|--kin|--folds|--files|--other OTHER
//
// FOLDER, OTHER: what cache-embed.mjs wrote. --model and --lexical print core/cache/models/*.txt; --kin one for files of
// the same network that were not measured: the same trees, the bars with a margin.
//
// Boosted oblivious trees: each asks four questions of one byte each, the same ones on every path, and adds one of
// sixteen values. Learned on parts 0–6 of the pairs; parts 7–9 share no text and no template with them and are only
// reported. For reading: --folds scores every part by a model that has not seen it, --files every dataset by a model
// that has seen none of it (without Quora's pairs there are hardly any doubtful ones to learn from: that row shows what
// an uncalibrated model costs), --other the pairs of OTHER.
//   * Pairs that a veto, exact.fresh, the floor or a closed finding stops never reach the model, so it does not learn
//     from them.
//   * Quora's labels are wrong in both directions: of pairs with equal words and a cosine above 0.98, 4.5 % are
//   labelled
//     as different. The fit takes that share of "same" and 4 % of "different" for slips, or no rewording at all could
//     ever be certain.
//   * Scores of pairs that the scoring model had not seen (split by text and by template) set the scale (Platt) and the
//   bars.
//   * More of what is suspicious never raises the probability, a higher cosine never lowers it: a tree that would is
//     not taken. That costs little here and keeps the model from learning the rows by heart.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "tests/bench/cache_boost.hpp"

using namespace aetherflow;
using namespace aetherflow::bench;

namespace {

/// Of Quora's pairs that look alike and are labelled as different: we read 60, and 35 asked the same.
constexpr double kTrulyDifferent = 25.0 / 60;
/// Added to the bars of a model file that nobody has measured; a cosine is then off by some hundredths.
constexpr double kKinMargin = 0.4;
/// The score of what never reaches the model.
constexpr double kNever = -1000;

void print(const std::vector<Tree>& trees, const std::vector<Bar>& bars) {
  const auto byte = [](int value) { std::printf("%02x", static_cast<unsigned>(value) & 255); };
  const auto pair = [&](double value) {
    const long whole = std::lround(value);
    byte(static_cast<int>(whole >> 8));
    byte(static_cast<int>(whole));
  };
  byte(static_cast<int>(trees.size()));
  for (const Tree& tree : trees) {
    for (const int input : tree.input) byte(input);
    for (const int threshold : tree.threshold) byte(threshold);
    for (const int leaf : tree.leaf) byte(leaf);
  }
  byte(static_cast<int>(bars.size()));
  for (const Bar& bar : bars) {
    pair(bar.share * 100000);
    pair(bar.eta * 100);
  }
  std::printf("\n");
}

struct Served {
  double mustMiss = 0, wrong = 0, shouldHit = 0, hits = 0;
  double wrongRate() const { return mustMiss == 0 ? 0 : wrong / mustMiss; }
};

/// What the shares are a mean of. Our own pairs are four kinds of traffic (databases, shells, development, general) with too few of
/// each to be told apart; in the groups everything that must miss is one edit away. Quora's labels are guesses. Templates of ours are
/// for learning only: six fillings of one sentence are one judgement.
constexpr std::pair<std::string_view, double> kKinds[] = {
    {"qqp", 0.5}, {"checklist", 1}, {"breaking", 1}, {"own", 4}, {"groups", 1}};
/// A family with fewer near misses says nothing about shares of one in a hundred.
constexpr double kLeastOfFamily = 200;
/// No family that the folds hold back may serve more than this multiple of the share of its near misses.
constexpr double kMostOfFamily = 2;

/// By kind and by family, at one η.
std::map<std::string, Served> servedAt(const std::vector<Pair>& pairs, const std::vector<double>& scores, double eta) {
  std::map<std::string, Served> all;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair& pair = pairs[i];
    if (pair.part >= 7 || !counts(pair) || pair.a == pair.b || pair.family.rfind("templates", 0) == 0) continue;
    const double weight = !pair.same && pair.family.rfind("qqp", 0) == 0 ? kTrulyDifferent : 1;
    for (const auto& [kind, ignored] : kKinds) {
      if (pair.family.rfind(kind, 0) != 0) continue;
      for (const std::string& name : {std::string(kind), pair.family}) {
        Served& served = all[name];
        (pair.same ? served.shouldHit : served.mustMiss) += 1;
        (pair.same ? served.hits : served.wrong) += scores[i] >= eta ? weight : 0;
      }
    }
  }
  return all;
}

constexpr double kStep = 0.05;
constexpr std::size_t kSteps = 140;

/// Wrong answers among the served at η = 0, 0.05, … as a function that never rises with η (pool adjacent violators): a few slips
/// among few served say less than their neighbours together. `at`: servedAt for each η.
std::vector<double> isotonicShares(const std::vector<std::map<std::string, Served>>& at, const std::string& kind) {
  struct Block {
    double wrong, served;
    std::size_t steps;
    double share() const { return served == 0 ? 0 : wrong / served; }
  };
  std::vector<Block> blocks;
  for (const auto& all : at) {
    const Served& one = all.at(kind);
    const double served = one.wrongRate() + (one.shouldHit == 0 ? 0 : one.hits / one.shouldHit);
    blocks.push_back({one.wrongRate(), served, 1});
    while (blocks.size() > 1 && blocks.back().share() > blocks[blocks.size() - 2].share()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back().wrong += last.wrong;
      blocks.back().served += last.served;
      blocks.back().steps += last.steps;
    }
  }
  std::vector<double> shares;
  for (const Block& block : blocks) shares.insert(shares.end(), block.steps, block.share());
  return shares;
}

/// Of a family's near misses, the most that is served at this η.
double worstFamily(const std::map<std::string, Served>& served) {
  double worst = 0;
  for (const auto& [family, one] : served) {
    if (one.mustMiss >= kLeastOfFamily) worst = std::max(worst, one.wrongRate());
  }
  return worst;
}

/// The least η that keeps each share: the mean over the kinds of what is wrong among the served, and in no family more than twice the
/// share of what must miss. From scores of pairs that the scoring model had not seen.
std::vector<Bar> barsOf(const std::vector<Pair>& pairs, const std::vector<double>& scores) {
  std::vector<std::map<std::string, Served>> at;
  for (std::size_t i = 0; i < kSteps; ++i) at.push_back(servedAt(pairs, scores, static_cast<double>(i) * kStep));
  std::vector<double> mean(kSteps);
  double all = 0;
  for (const auto& [kind, weight] : kKinds) {
    all += weight;
    const std::vector<double> shares = isotonicShares(at, std::string(kind));
    for (std::size_t i = 0; i < kSteps; ++i) mean[i] += weight * shares[i];
  }
  std::vector<Bar> bars;
  for (const double share : {0.002, 0.005, 0.01, 0.02, 0.05}) {
    std::size_t i = 0;
    while (i + 1 < kSteps && (mean[i] / all > share || worstFamily(at[i]) > kMostOfFamily * share)) ++i;
    bars.push_back({share, static_cast<double>(i) * kStep});
    const std::map<std::string, Served>& served = at[i];
    std::fprintf(stderr, "share %.3f: eta %.2f, mean over the kinds %.4f, worst family %.4f; hits", share,
                 bars.back().eta, mean[i] / all, worstFamily(served));
    for (const auto& [kind, ignored] : kKinds) {
      const Served& one = served.at(std::string(kind));
      std::fprintf(stderr, " %s %.1f/%.2f", std::string(kind).c_str(), 100 * one.hits / one.shouldHit,
                   100 * one.wrongRate());
    }
    std::fprintf(stderr, "\n");
  }
  // What 0.002 asks for, a few slips among thousands of pairs decide. η is the logarithm of odds: a share that is smaller by some
  // factor needs no more than its logarithm on top.
  bars[0].eta = std::min(bars[0].eta, bars[1].eta + std::log(bars[1].share / bars[0].share));
  return bars;
}

double etaOf(const std::vector<Tree>& trees, const Pair& pair) {
  return static_cast<double>(sumOf(trees.data(), trees.size(), inputsOf(pair.cosine, pair.finding.signs))) / kEtaUnit;
}

/// Every pair of parts below `parts` scored by a model that has not seen its part; stopped pairs far below all others.
std::vector<double> scoreFolds(const std::vector<Pair>& pairs, std::uint32_t parts, bool withCosine,
                               std::size_t count) {
  std::vector<double> score(pairs.size(), kNever);
  for (std::uint32_t part = 0; part < parts; ++part) {
    std::vector<bool> learn;
    for (const Pair& pair : pairs) learn.push_back(pair.part != part && pair.part < parts);
    const std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].part != part || stopped(pairs[i], withCosine)) continue;
      score[i] = etaOf(trees, pairs[i]);
    }
  }
  return score;
}

/// Hits and wrong answers at some values of η, and beside them the hits of the cosine alone at as many wrong answers.
void curve(const char* title, const std::vector<Pair>& pairs, const std::vector<double>& scores, const char* set) {
  std::vector<double> bad, good, badCosine, goodCosine;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!counts(pairs[i]) || pairs[i].family.rfind(set, 0) != 0) continue;
    (pairs[i].same ? good : bad).push_back(scores[i]);
    (pairs[i].same ? goodCosine : badCosine).push_back(pairs[i].cosine);
  }
  std::sort(badCosine.rbegin(), badCosine.rend());
  std::printf("%-14s", title);
  const auto share = [](std::size_t n, std::size_t all) {
    return all == 0 ? 0.0 : 100.0 * static_cast<double>(n) / static_cast<double>(all);
  };
  for (const double eta : {4.0, 3.5, 3.0, 2.5, 2.0, 1.5, 1.0}) {
    const auto served = [&](const std::vector<double>& all) {
      return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](double s) { return s >= eta; }));
    };
    const std::size_t wrong = served(bad);
    const double bar = badCosine.empty() ? 2 : badCosine[std::min(wrong, badCosine.size() - 1)];
    const auto byCosine = std::count_if(goodCosine.begin(), goodCosine.end(), [&](double c) { return c > bar; });
    std::printf("  %.1f: %5.2f %4.1f (%4.1f)", eta, share(wrong, bad.size()), share(served(good), good.size()),
                share(static_cast<std::size_t>(byCosine), good.size()));
  }
  std::printf("\n");
}

constexpr const char* kSets[] = {"qqp", "checklist", "breaking", "gptcache", "osschat", "own", "groups", "templates"};

/// Every dataset scored by a model that has seen none of it.
std::vector<double> scoreFiles(const std::vector<Pair>& pairs, bool withCosine, std::size_t count) {
  std::vector<double> score(pairs.size(), kNever);
  for (const char* set : kSets) {
    std::vector<bool> learn;
    for (const Pair& pair : pairs) learn.push_back(pair.family.rfind(set, 0) != 0);
    const std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!learn[i] && !stopped(pairs[i], withCosine)) score[i] = etaOf(trees, pairs[i]);
    }
  }
  return score;
}

void report(const char* title, const std::vector<Pair>& pairs, const std::vector<double>& scores) {
  std::printf("%s: η: %% of must-miss served, %% of should-hit (by the cosine alone at as many wrong)\n", title);
  for (const char* set : kSets) curve(set, pairs, scores, set);
  curve("pooled", pairs, scores, "");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3)
    return std::fprintf(stderr, "cache_fit FOLDER --model|--lexical|--kin|--folds|--files|--other FOLDER\n"), 2;
  const std::vector<Pair> pairs = readPairs(argv[1]);
  if (pairs.empty()) return std::fprintf(stderr, "no pairs in %s\n", argv[1]), 1;
  const std::string_view mode = argv[2];
  const bool withCosine = mode != "--lexical";
  const std::size_t count = withCosine ? kTrees : kFewTrees;
  if (mode == "--folds") {
    report("every part scored by a model that has not seen it", pairs, scoreFolds(pairs, 10, true, kTrees));
    report("the same without the cosine", pairs, scoreFolds(pairs, 10, false, kFewTrees));
    return 0;
  }
  if (mode == "--files") {
    report("every dataset scored by a model that has not seen it", pairs, scoreFiles(pairs, true, kTrees));
    return 0;
  }
  std::vector<bool> learn;
  for (const Pair& pair : pairs) learn.push_back(pair.part < 7);
  std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
  if (mode == "--other" && argc > 3) {
    const std::vector<Pair> others = readPairs(argv[3]);
    std::vector<double> scores;
    for (const Pair& pair : others) scores.push_back(stopped(pair, withCosine) ? kNever : etaOf(trees, pair));
    curve("others", others, scores, "");
    return 0;
  }
  std::vector<double> scores = scoreFolds(pairs, 7, withCosine, count);
  const Platt platt = plattOf(pairs, learn, withCosine, scores);
  for (double& score : scores) score = score <= kNever ? score : platt.of(score);
  apply(platt, trees);
  std::vector<Bar> bars = barsOf(pairs, scores);
  std::fprintf(stderr, "slope %.2f, shift %.2f\n", platt.slope, platt.shift);
  if (mode == "--kin") {
    for (Bar& bar : bars) bar.eta += kKinMargin;
  }
  print(trees, bars);
}
