#pragma once
// Boosted oblivious trees for the semantic cache: how they are learned (cache_fit.cpp says from what).

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/cache/decision.hpp"
#include "tests/bench/cache_pairs.hpp"

namespace aetherflow::bench {

constexpr int kDepth = static_cast<int>(kTreeDepth);
constexpr int kLeaves = 1 << kDepth;
constexpr std::size_t kTrees = 40;
constexpr std::size_t kFewTrees = 40;  // the lexical embedder's model
constexpr double kRate = 0.25;
constexpr double kRidge = 12;
constexpr double kSlipSame = 0.045;
constexpr double kSlipOther = 0.04;

struct Row {
  Inputs x;
  double y, weight, slipSame, slipOther;
  double eta = 0, gradient = 0, hessian = 0;
  std::uint32_t leaf = 0;
};

/// +1: may only raise the probability, -1: only lower it, 0: free.
inline int direction(std::size_t input) {
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

inline void derive(Row& row) {
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
inline bool leafValues(const std::vector<Sums>& leaves, const Tree& tree, int depth, double& gain, int* values) {
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

inline Tree grow(std::vector<Row>& rows, bool withCosine) {
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

inline double slip(const Pair& pair, double rate) {
  return pair.family.rfind("qqp", 0) == 0 ? rate : 0.005;
}

/// What a family of pairs counts: datasets weigh what is named here, whatever their size, and so does each family in
/// them.
inline double datasetWeight(const std::string& family) {
  for (const auto& [prefix, weight] : std::map<std::string, double>{{"qqp", 1200},
                                                                    {"own", 2000},
                                                                    {"groups", 4000},
                                                                    {"templates", 4000},
                                                                    {"checklist", 2000},
                                                                    {"breaking", 1500},
                                                                    {"gptcache", 1000},
                                                                    {"osschat", 1000}}) {
    if (family.rfind(prefix, 0) == 0) return weight;
  }
  return 0;
}

/// Never reaches the model; each embedder has a floor of its own.
inline bool stopped(const Pair& pair, bool withCosine) {
  const bool low = withCosine ? pair.cosine < kFloor : pair.letters < kLexicalFloor;
  return pair.fresh || low || pair.finding.closed || vetoes(pair.finding.guard);
}

inline bool counts(const Pair& pair) {
  // Not answer equivalence, says the folder's README.
  return pair.family.find("comparison") == std::string::npos &&
         pair.family.find("symmetric relations") == std::string::npos;
}

/// What the pairs with `learn` teach; a family weighs the same whatever its size.
inline std::vector<Row> rowsOf(const std::vector<Pair>& pairs, const std::vector<bool>& learn, bool withCosine,
                               std::vector<std::size_t>* places = nullptr) {
  std::map<std::string, double> families, sets;
  const auto setOf = [](const Pair& pair) { return pair.family.substr(0, pair.family.find('/')); };
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (learn[i] && counts(pairs[i]) && families[pairs[i].family]++ == 0) sets[setOf(pairs[i])] += 1;
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Pair& pair = pairs[i];
    if (!learn[i] || !counts(pair) || stopped(pair, withCosine)) continue;
    Row row{};
    row.x = inputsOf(pair.cosine, pair.finding.signs);
    row.y = pair.same;
    row.weight = datasetWeight(pair.family) / sets[setOf(pair)] / families[pair.family];
    row.slipSame = slip(pair, kSlipSame);
    row.slipOther = slip(pair, kSlipOther);
    rows.push_back(row);
    if (places) places->push_back(i);
  }
  return rows;
}

inline std::vector<Tree> fit(const std::vector<Pair>& pairs, const std::vector<bool>& learn, bool withCosine,
                             std::size_t count) {
  std::vector<Row> rows = rowsOf(pairs, learn, withCosine);
  std::vector<Tree> trees;
  while (trees.size() < count) {
    for (Row& row : rows) derive(row);
    trees.push_back(grow(rows, withCosine));
    for (Row& row : rows) row.eta += trees.back().leaf[row.leaf] / static_cast<double>(kEtaUnit);
  }
  return trees;
}

/// Platt's scaling: η of a fit to the log-odds that pairs which it has not seen bear out.
struct Platt {
  double slope = 1, shift = 0;
  double of(double eta) const { return slope * eta + shift; }
};

/// From scores of models that had not seen the pair; Newton's steps on the loss of the fit itself.
inline Platt plattOf(const std::vector<Pair>& pairs, const std::vector<bool>& learn, bool withCosine,
                     const std::vector<double>& scores) {
  std::vector<std::size_t> places;
  std::vector<Row> rows = rowsOf(pairs, learn, withCosine, &places);
  Platt platt;
  for (int step = 0; step < 30; ++step) {
    double g[2] = {}, h[3] = {1e-9, 0, 1e-9};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double score = scores[places[i]];
      rows[i].eta = platt.of(score);
      derive(rows[i]);
      g[0] += rows[i].gradient * score;
      g[1] += rows[i].gradient;
      h[0] += rows[i].hessian * score * score;
      h[1] += rows[i].hessian * score;
      h[2] += rows[i].hessian;
    }
    const double det = h[0] * h[2] - h[1] * h[1];
    platt.slope -= 0.5 * (h[2] * g[0] - h[1] * g[1]) / det;
    platt.shift -= 0.5 * (h[0] * g[1] - h[1] * g[0]) / det;
  }
  return platt;
}

/// Writes the scaling into the leaves, so that a model file needs no place for it.
inline void apply(const Platt& platt, std::vector<Tree>& trees) {
  const double shift = platt.shift * kEtaUnit / static_cast<double>(trees.size());
  double carried = 0;
  for (Tree& tree : trees) {
    // Whole numbers: what rounding leaves of the shift goes on to the next tree.
    const double whole = std::round(shift + carried);
    carried += shift - whole;
    for (std::int8_t& leaf : tree.leaf)
      leaf = static_cast<std::int8_t>(std::lround(std::clamp(platt.slope * leaf + whole, -127.0, 127.0)));
  }
}

}  // namespace aetherflow::bench
