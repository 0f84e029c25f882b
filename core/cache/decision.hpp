#pragma once
// May the answer of a stored prompt serve this one? The guards first; then a probability, and a bound that it must
// clear.
//
//   candidates, best first ─▶ guards ─veto─▶ next ─▶ trees: η ─▶ + what labels say of this entry, of the pool ─▶
//     lower bound of σ(η) ≥ what maxWrongShare asks for ? ─▶ hit : next
//
// The bound follows vCache's rule (Schroeder et al. 2025), for the served hit instead of the request: an entry answers
// for its prompt a little better or worse than the pool, by a Gaussian amount on the scale of η. For each ε the
// probability is at least σ(η + mean − z(ε)·deviation) but for a chance of ε, so at least (1 − ε) times that; the best
// ε counts. Nothing is random: what does not clear the bound is a miss. How high the bar lies for a share of wrong
// answers among the served is read off pairs that the model had not seen (cache_fit), since a share is an average: the
// worst of the hits may be more doubtful than it.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/cache/guards.hpp"

namespace aetherflow {

// --- the model ---

inline constexpr std::size_t kTreeDepth = 4;
inline constexpr std::size_t kInputs = 1 + static_cast<std::size_t>(Sign::Count);
/// Leaves are whole numbers, so that sums are equal in every build: this many make one unit of η.
inline constexpr int kEtaUnit = 48;

/// What a tree asks of: the cosine in 1/255 between 0.5 and 1, then the signs.
using Inputs = std::array<std::uint8_t, kInputs>;
Inputs inputsOf(float cosine, const Signs& signs);

/// One question a level, the same on every path: bit i of the leaf's number is inputs[input[i]] ≥ threshold[i].
struct Tree {
  std::uint8_t input[kTreeDepth];
  std::uint8_t threshold[kTreeDepth];
  std::int8_t leaf[1 << kTreeDepth];
};
/// η · kEtaUnit.
int sumOf(const Tree* trees, std::size_t count, const Inputs& inputs);

/// The η at which at most `share` of the served answers were wrong. Linear between the entries.
struct Bar {
  double share;
  double eta;
};

/// A fit belongs to one embedder's exact file and must not be carried to another: it is data of the host, like the words.
struct DecisionModel {
  std::vector<Tree> trees;
  std::vector<Bar> bars;  ///< ascending shares
};
/// Hexadecimal digits, as cache_fit prints them (core/cache/models): 2 for the number of trees; for each tree 8 for the
/// inputs, 8 for the thresholds, 32 for the leaves; 2 for the number of bars; for each bar 4 for the share in 1/100,000
/// and 4 for η in 1/100. False for anything else; `out` is then as it was.
bool readModel(std::string_view packed, DecisionModel& out);

/// σ(η) without the C library, whose exp differs between builds: + − × ÷ alone. Error below 1e-12.
double logistic(double eta);

// --- what labels teach ---

/// How much better (or worse) than the pool's model an entry's answer fits, on the scale of η: a Gaussian.
struct Belief {
  double mean = 0;
  double variance = 0;  ///< 0: no opinion yet; the prior of its kind is taken
};
/// An entry starts out this uncertain, and a pool of entries this. One wrong answer served takes an entry down by about
/// its variance, on the scale on which 3 is the usual bar; the pool by a hundredth of that.
inline constexpr double kEntryVariance = 1;
inline constexpr double kPoolVariance = 0.01;

/// One label: a candidate with `eta` (model, pool and everything else but this belief) was right or was not. Three
/// Newton steps to the new mode, its curvature the new variance.
Belief learn(Belief belief, double prior, double eta, bool right);

/// The probability that may be relied on: see above. `deviation` ≥ 0.
double lowerBound(double eta, double deviation);

// --- the decision ---

enum class CacheMode : std::uint8_t { Off, Exact, Semantic };

struct DecisionOptions {
  CacheMode mode = CacheMode::Exact;
  /// Share of served hits that may be wrong; in [0.002, 0.05], anything else is moved to the nearer end.
  double maxWrongShare = 0.01;
  /// Cosine below which nothing is served. Callers may raise it; kFloor and kLexicalFloor stand.
  float floor = 0;
  bool lexical = false;      ///< the vectors are of the built-in embedder
  bool insideWindow = true;  ///< false: the prompt is longer than the embedder reads; exact matches only
};

/// No caller can lower these.
inline constexpr float kFloor = 0.70f;
inline constexpr float kLexicalFloor = 0.60f;

/// A stored prompt that the search found. Borrowed.
struct Candidate {
  std::uint32_t id = 0;
  float score = 0;  ///< cosine
  std::string_view prompt;
  Belief belief;  ///< of this entry
};

struct Judged {
  std::uint32_t id = 0;
  float score = 0;
  double eta = 0;          ///< model and pool, without the entry's own belief: what learn() wants
  double probability = 0;  ///< that the answer serves, with the entry's belief
  double bound = 0;        ///< what may be relied on …
  double needed = 1;       ///< … and what it must reach
  bool hit = false;
  bool closed = false;  ///< see Finding: never a hit here; where another tier may say yes
  std::string why;      ///< "clear", "veto.polarity: enable/disable", "escalate.qualifier: fast", "below.floor", …
};

/// Keeps the lexicon, the model and the pool's belief. One for a cache; not for two threads.
class Decider {
 public:
  /// Before the first question; without a model nothing is served.
  void use(DecisionModel model) { model_ = std::move(model); }

  /// Looks at up to ten candidates, best cosine first, and stops at the first hit; the last of the list is the hit, if
  /// there is one. Empty when `options` or the prompt allow exact matches only; `exactOnly` then says why
  /// ("mode.exact", "exact.window", "exact.fresh: today"). Some 100 µs.
  std::vector<Judged> decide(std::string_view prompt, const std::vector<Candidate>& candidates,
                             const DecisionOptions& options, std::string& exactOnly) const;

  /// May this prompt be stored for semantic lookups at all? "" or the reason, as above.
  std::string onlyExactBecause(std::string_view prompt, const DecisionOptions& options) const;

  /// A label for a judged candidate: moves the entry's belief, which is returned, and the pool a little.
  Belief feedback(Belief entry, double eta, bool right);

  /// To be filled before the first question.
  Lexicon& lexicon() { return lexicon_; }
  const Lexicon& lexicon() const { return lexicon_; }
  Belief pool() const { return pool_; }
  void restore(Belief pool) { pool_ = pool; }

 private:
  Judged judge(const ReadSentence& asked, const std::vector<float>& letters, const Candidate& candidate,
               const DecisionOptions& options) const;

  Lexicon lexicon_;
  DecisionModel model_;
  Belief pool_;
};

}  // namespace aetherflow
