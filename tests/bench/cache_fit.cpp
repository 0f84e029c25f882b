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
//   * More of what is suspicious never raises the probability, a higher cosine never lowers it: a tree that would is
//     not taken. That costs little here and keeps the model from learning the rows by heart.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "core/cache/decision.hpp"
#include "tests/bench/cache_pairs.hpp"

using namespace aetherflow;
using namespace aetherflow::bench;

namespace {

constexpr int kDepth = static_cast<int>(kTreeDepth);
constexpr int kLeaves = 1 << kDepth;
constexpr std::size_t kTrees = 40;
constexpr std::size_t kFewTrees = 40;  // the lexical embedder's model
constexpr double kRate = 0.25;
constexpr double kRidge = 12;
constexpr double kSlipSame = 0.045;
constexpr double kSlipOther = 0.04;
/// Of Quora's pairs that look alike and are labelled as different: we read 60, and 35 asked the same.
constexpr double kTrulyDifferent = 25.0 / 60;
/// Added to every bar. None: a margin hides what the shares mean, and callers can ask for a smaller share.
constexpr double kMargin = 0;
/// Added to the bars of a model file that nobody has measured; a cosine is then off by some hundredths.
constexpr double kKinMargin = 0.4;

struct Row {
  Inputs x;
  double y, weight, slipSame, slipOther;
  double eta = 0, gradient = 0, hessian = 0;
  std::uint32_t leaf = 0;
};

/// +1: may only raise the probability, -1: only lower it, 0: free.
int direction(std::size_t input) {
  if (input == 0) return 1;
  switch (static_cast<Sign>(input - 1)) {
    case Sign::Overlap:
    case Sign::Anchors:
    case Sign::Letters: return 1;
    case Sign::Fewer:
    case Sign::More:
    case Sign::Surplus:
    case Sign::Question:
    case Sign::Change:
    case Sign::Crossed:
    case Sign::InPlace:
    case Sign::Light:
    case Sign::Rare:
    case Sign::Derived:
    case Sign::Asked:
    case Sign::Phrase:
    case Sign::Modifier:
    case Sign::Inserted: return -1;
    default: return 0;
  }
}

void derive(Row& row) {
  const double p = 1 / (1 + std::exp(-row.eta));
  const double slope = 1 - row.slipSame - row.slipOther;
  const double q = row.slipOther + slope * p;
  const double dq = slope * p * (1 - p);
  row.gradient = -row.weight * (row.y / q - (1 - row.y) / (1 - q)) * dq;
  row.hessian = row.weight * dq * dq / (q * (1 - q)) + 1e-9;
}

struct Sums {
  double gradient = 0, hessian = 0;
};

/// The leaf values of a tree of `depth` questions, or nothing when a pair of leaves runs against a direction.
bool leafValues(const std::vector<Sums>& leaves, const Tree& tree, int depth, double& gain, int* values) {
  gain = 0;
  for (int i = 0; i < 1 << depth; ++i) {
    const Sums& s = leaves[static_cast<std::size_t>(i)];
    gain += s.gradient * s.gradient / (s.hessian + kRidge);
    const double value = -kRate * s.gradient / (s.hessian + kRidge);
    values[i] = static_cast<int>(std::lround(std::clamp(value * kEtaUnit, -127.0, 127.0)));
  }
  for (int bit = 0; bit < depth; ++bit) {
    const int way = direction(tree.input[bit]);
    for (int i = 0; way != 0 && i < 1 << depth; ++i) {
      if ((i >> bit & 1) == 0 && way * (values[i | 1 << bit] - values[i]) < 0) return false;
    }
  }
  return true;
}

Tree grow(std::vector<Row>& rows, bool withCosine) {
  Tree tree{};
  for (Row& row : rows) row.leaf = 0;
  for (int depth = 0; depth < kDepth; ++depth) {
    double best = -1;
    Tree chosen = tree;
    for (std::size_t input = withCosine ? 0 : 1; input < kInputs; ++input) {
      std::vector<Sums> bins((1u << depth) * 256);
      for (const Row& row : rows) {
        Sums& bin = bins[row.leaf * 256 + row.x[input]];
        bin.gradient += row.gradient;
        bin.hessian += row.hessian;
      }
      std::vector<Sums> low(1u << depth), all(1u << depth);
      for (std::size_t leaf = 0; leaf < all.size(); ++leaf) {
        for (int b = 0; b < 256; ++b) {
          all[leaf].gradient += bins[leaf * 256 + b].gradient;
          all[leaf].hessian += bins[leaf * 256 + b].hessian;
        }
      }
      for (int threshold = 1; threshold < 256; ++threshold) {
        for (std::size_t leaf = 0; leaf < low.size(); ++leaf) {
          low[leaf].gradient += bins[leaf * 256 + threshold - 1].gradient;
          low[leaf].hessian += bins[leaf * 256 + threshold - 1].hessian;
        }
        if (threshold > 12 && threshold % 4 != 0) continue;
        std::vector<Sums> leaves(2u << depth);
        for (std::size_t leaf = 0; leaf < low.size(); ++leaf) {
          leaves[leaf] = low[leaf];
          leaves[leaf | 1u << depth] = {all[leaf].gradient - low[leaf].gradient, all[leaf].hessian - low[leaf].hessian};
        }
        Tree next = tree;
        next.input[depth] = static_cast<std::uint8_t>(input);
        next.threshold[depth] = static_cast<std::uint8_t>(threshold);
        int values[kLeaves];
        double gain;
        if (!leafValues(leaves, next, depth + 1, gain, values) || gain <= best) continue;
        best = gain;
        for (int i = 0; i < kLeaves; ++i) next.leaf[i] = static_cast<std::int8_t>(values[i % (2 << depth)]);
        chosen = next;
      }
    }
    if (best < 0) break;
    tree = chosen;
    for (Row& row : rows)
      row.leaf |= static_cast<std::uint32_t>(row.x[tree.input[depth]] >= tree.threshold[depth]) << depth;
  }
  return tree;
}

double slip(const Pair& pair, double rate) {
  return pair.family.rfind("qqp", 0) == 0 ? rate : 0.005;
}

/// What a family of pairs counts: datasets weigh what is named here, whatever their size, and so does each family in
/// them.
double datasetWeight(const std::string& family) {
  for (const auto& [prefix, weight] : std::map<std::string, double>{{"qqp", 1200},
                                                                    {"own", 2000},
                                                                    {"groups", 4000},
                                                                    {"checklist", 2000},
                                                                    {"breaking", 1500},
                                                                    {"gptcache", 1000},
                                                                    {"osschat", 1000}}) {
    if (family.rfind(prefix, 0) == 0) return weight;
  }
  return 0;
}

/// Never reaches the model.
bool stopped(const Pair& pair) {
  return pair.fresh || pair.cosine < kFloor || pair.finding.closed || vetoes(pair.finding.guard);
}

bool counts(const Pair& pair) {
  // Not answer equivalence, says the folder's README.
  return pair.family.find("comparison") == std::string::npos &&
         pair.family.find("symmetric relations") == std::string::npos;
}

std::vector<Tree> fit(const std::vector<Pair>& pairs, const std::vector<bool>& learn, bool withCosine,
                      std::size_t count) {
  std::map<std::string, double> families, sets;
  const auto setOf = [](const Pair& pair) { return pair.family.substr(0, pair.family.find('/')); };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (learn[i] && counts(pairs[i]) && families[pairs[i].family]++ == 0) sets[setOf(pairs[i])] += 1;
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair& pair = pairs[i];
    if (!learn[i] || !counts(pair) || stopped(pair)) continue;
    Row row{};
    row.x = inputsOf(pair.cosine, pair.finding.signs);
    row.y = pair.same;
    row.weight = datasetWeight(pair.family) / sets[setOf(pair)] / families[pair.family];
    row.slipSame = slip(pair, kSlipSame);
    row.slipOther = slip(pair, kSlipOther);
    rows.push_back(row);
  }
  std::vector<Tree> trees;
  while (trees.size() < count) {
    for (Row& row : rows) derive(row);
    trees.push_back(grow(rows, withCosine));
    for (Row& row : rows) row.eta += trees.back().leaf[row.leaf] / static_cast<double>(kEtaUnit);
  }
  return trees;
}

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

/// The share of wrong answers among the served of a dataset, if as many of its pairs were the same as are different.
double wrongOf(const std::vector<Pair>& pairs, const std::vector<double>& scores, std::string_view set, double eta) {
  double n[2] = {}, served[2] = {};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].part >= 7 || !counts(pairs[i]) || pairs[i].family.rfind(set, 0) != 0) continue;
    ++n[pairs[i].same];
    served[pairs[i].same] += scores[i] >= eta;
  }
  const double right = served[1] / n[1];
  const double different = served[0] / n[0] * (set == "qqp" ? kTrulyDifferent : 1);
  return right + different == 0 ? 0 : different / (right + different);
}

/// What the shares are a mean of. Our own pairs are four kinds of traffic (databases, shells, development, general) with too few of
/// each to be told apart; in the groups everything that must miss is one edit away. Quora's labels are guesses.
constexpr std::pair<std::string_view, double> kKinds[] = {
    {"qqp", 0.5}, {"checklist", 1}, {"breaking", 1}, {"own", 4}, {"groups", 1}};

/// The least η at which the mean over the kinds of what is wrong among the served is within each share; from scores of pairs
/// that the scoring model had not seen.
std::vector<Bar> barsOf(const std::vector<Pair>& pairs, const std::vector<double>& scores) {
  std::vector<Bar> bars;
  for (const double share : {0.002, 0.005, 0.01, 0.02, 0.05}) {
    double bar = 7;
    for (double eta = 0; eta < 7; eta += 0.05) {
      double wrong = 0, all = 0;
      for (const auto& [set, weight] : kKinds) {
        wrong += weight * wrongOf(pairs, scores, set, eta);
        all += weight;
      }
      if (wrong / all > share) continue;
      bar = eta;
      break;
    }
    bars.push_back({share, bar + kMargin});
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
  std::vector<double> score(pairs.size(), -1000);
  for (std::uint32_t part = 0; part < parts; ++part) {
    std::vector<bool> learn;
    for (const Pair& pair : pairs) learn.push_back(pair.part != part && pair.part < parts);
    const std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (pairs[i].part != part || stopped(pairs[i])) continue;
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

constexpr const char* kSets[] = {"qqp", "checklist", "breaking", "gptcache", "osschat", "own", "groups"};

/// Every dataset scored by a model that has seen none of it.
std::vector<double> scoreFiles(const std::vector<Pair>& pairs, bool withCosine, std::size_t count) {
  std::vector<double> score(pairs.size(), -1000);
  for (const char* set : kSets) {
    std::vector<bool> learn;
    for (const Pair& pair : pairs) learn.push_back(pair.family.rfind(set, 0) != 0);
    const std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      if (!learn[i] && !stopped(pairs[i])) score[i] = etaOf(trees, pairs[i]);
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
  const std::vector<Tree> trees = fit(pairs, learn, withCosine, count);
  if (mode == "--other" && argc > 3) {
    const std::vector<Pair> others = readPairs(argv[3]);
    std::vector<double> scores;
    for (const Pair& pair : others) scores.push_back(stopped(pair) ? -1000 : etaOf(trees, pair));
    curve("others", others, scores, "");
    return 0;
  }
  std::vector<Bar> bars = barsOf(pairs, scoreFolds(pairs, 7, withCosine, count));
  if (mode == "--kin") {
    for (Bar& bar : bars) bar.eta += kKinMargin;
  }
  print(trees, bars);
}
