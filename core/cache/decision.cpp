#include "core/cache/decision.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/cache/lexical.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kCandidates = 10;

/// Chances that the entry is worse than the bound allows for, and the quantile of the normal distribution for each.
constexpr double kChances[][2] = {{0.0001, 3.719}, {0.0003, 3.432}, {0.001, 3.090}, {0.002, 2.878}, {0.004, 2.652},
                                  {0.008, 2.409},  {0.016, 2.144},  {0.03, 1.881},  {0.1, 1.282},   {0.3, 0.524}};

double varianceOf(Belief belief, double prior) {
  return belief.variance > 0 ? belief.variance : prior;
}

/// Reads a packed model digit by digit; anything that is no digit, or an early end, fails for good.
class Digits {
 public:
  explicit Digits(std::string_view text) : text_(text) {}
  bool good() const { return good_; }
  bool atEnd() const { return text_.empty(); }

  unsigned byte() { return digit() << 4 | digit(); }
  unsigned pair() { return byte() << 8 | byte(); }

 private:
  unsigned digit() {
    const char c = text_.empty() ? '?' : text_[0];
    if (!text_.empty()) text_.remove_prefix(1);
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    good_ = false;
    return 0;
  }

  std::string_view text_;
  bool good_ = true;
};

double barFor(const std::vector<Bar>& bars, double share) {
  if (!(share > bars[0].share)) return bars[0].eta;  // also for what is no number
  for (std::size_t i = 1; i < bars.size(); ++i) {
    if (share > bars[i].share) continue;
    const double part = (share - bars[i - 1].share) / (bars[i].share - bars[i - 1].share);
    return bars[i - 1].eta + part * (bars[i].eta - bars[i - 1].eta);
  }
  return bars.back().eta;
}

}  // namespace

Inputs inputsOf(float cosine, const Signs& signs) {
  Inputs inputs;
  inputs[0] = static_cast<std::uint8_t>(std::clamp((cosine - 0.5f) * 510.0f, 0.0f, 255.0f));
  std::copy(signs.begin(), signs.end(), inputs.begin() + 1);
  return inputs;
}

int sumOf(const Tree* trees, std::size_t count, const Inputs& inputs) {
  int sum = 0;
  for (const Tree* tree = trees; tree != trees + count; ++tree) {
    std::size_t leaf = 0;
    for (std::size_t i = 0; i < kTreeDepth; ++i) {
      leaf |= static_cast<std::size_t>(inputs[tree->input[i]] >= tree->threshold[i]) << i;
    }
    sum += tree->leaf[leaf];
  }
  return sum;
}

bool readModel(std::string_view packed, DecisionModel& out) {
  Digits digits(packed);
  DecisionModel model;
  model.trees.resize(digits.byte());
  for (Tree& tree : model.trees) {
    for (std::uint8_t& input : tree.input) {
      input = static_cast<std::uint8_t>(digits.byte());
      if (input >= kInputs) return false;
    }
    for (std::uint8_t& threshold : tree.threshold) threshold = static_cast<std::uint8_t>(digits.byte());
    for (std::int8_t& leaf : tree.leaf) leaf = static_cast<std::int8_t>(digits.byte());
  }
  model.bars.resize(digits.byte());
  double last = 0;
  for (Bar& bar : model.bars) {
    bar.share = digits.pair() / 100000.0;
    bar.eta = digits.pair() / 100.0;
    if (!(bar.share > last)) return false;
    last = bar.share;
  }
  if (!digits.good() || !digits.atEnd() || model.trees.empty() || model.bars.empty()) return false;
  out = std::move(model);
  return true;
}

double logistic(double eta) {
  const double x = std::clamp(-eta, -40.0, 40.0) / 0.693147180559945309;
  const double whole = static_cast<double>(static_cast<int>(x + 64.5) - 64);
  // e^r for |r| ≤ ln 2 / 2 by its series, then 2^whole by its bits.
  const double r = (x - whole) * 0.693147180559945309;
  double power = 1;
  for (int i = 13; i > 0; --i) power = 1 + power * r / i;
  const std::uint64_t bits = static_cast<std::uint64_t>(static_cast<int>(whole) + 1023) << 52;
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return 1 / (1 + power * scale);
}

Belief learn(Belief belief, double prior, double eta, bool right) {
  const double variance = varianceOf(belief, prior);
  double at = belief.mean;
  double curvature = 1 / variance;
  for (int step = 0; step < 3; ++step) {
    const double p = logistic(eta + at);
    curvature = 1 / variance + p * (1 - p);
    at += ((right ? 1 : 0) - p - (at - belief.mean) / variance) / curvature;
  }
  return {at, 1 / curvature};
}

double lowerBound(double eta, double deviation) {
  double best = 0;
  for (const auto& [chance, quantile] : kChances) {
    best = std::max(best, (1 - chance) * logistic(eta - quantile * deviation));
  }
  return best;
}

std::string Decider::onlyExactBecause(std::string_view prompt, const DecisionOptions& options) const {
  if (options.mode != CacheMode::Semantic) return options.mode == CacheMode::Off ? "mode.off" : "mode.exact";
  if (!options.insideWindow) return "exact.window";
  std::string word;
  if (!onlyExact(readSentence(lexicon_, prompt), word)) return {};
  return std::string(name(CacheGuard::Fresh)) + ": " + word;
}

std::vector<Judged> Decider::decide(std::string_view prompt, const std::vector<Candidate>& candidates,
                                    const DecisionOptions& options, std::string& exactOnly) const {
  std::vector<Judged> judged;
  exactOnly = onlyExactBecause(prompt, options);
  if (!exactOnly.empty()) return judged;
  const ReadSentence asked = readSentence(lexicon_, prompt);
  const std::vector<float> letters = embedLexically(asked);
  for (std::size_t i = 0; i < candidates.size() && i < kCandidates; ++i) {
    judged.push_back(judge(asked, letters, candidates[i], options));
    if (judged.back().hit) break;
  }
  return judged;
}

Judged Decider::judge(const ReadSentence& asked, const std::vector<float>& letters, const Candidate& candidate,
                      const DecisionOptions& options) const {
  Judged out;
  out.id = candidate.id;
  out.score = candidate.score;
  // Written so that a score that is no number fails.
  if (!(candidate.score >= std::max(options.floor, options.lexical ? kLexicalFloor : kFloor))) {
    out.why = "below.floor";
    return out;
  }
  const ReadSentence stored = readSentence(lexicon_, candidate.prompt);
  std::string word;
  if (onlyExact(stored, word)) {
    out.why = std::string(name(CacheGuard::Fresh)) + ": " + word;
    return out;
  }
  const Finding finding = compare(stored, asked, likeness(letters, embedLexically(stored)));
  out.why = finding.why();
  if (vetoes(finding.guard) || model_.bars.empty()) return out;
  const Inputs inputs = inputsOf(candidate.score, finding.signs);
  const int sum = sumOf(model_.trees.data(), model_.trees.size(), inputs);
  const double bar = barFor(model_.bars, options.maxWrongShare);
  out.eta = static_cast<double>(sum) / kEtaUnit + pool_.mean;
  const double eta = out.eta + candidate.belief.mean;
  const double spread = varianceOf(candidate.belief, kEntryVariance) + varianceOf(pool_, kPoolVariance);
  out.probability = logistic(eta);
  out.bound = lowerBound(eta, std::sqrt(spread));
  // The bar was read off entries without labels: those that have some are surer, and need not be better.
  out.needed = lowerBound(bar, std::sqrt(kEntryVariance + kPoolVariance));
  out.closed = finding.closed;
  out.hit = !finding.closed && out.bound >= out.needed;
  return out;
}

Belief Decider::feedback(Belief entry, double eta, bool right) {
  const Belief learnt = learn(entry, kEntryVariance, eta, right);
  pool_ = learn(pool_, kPoolVariance, eta - pool_.mean + entry.mean, right);
  return learnt;
}

}  // namespace aetherflow
