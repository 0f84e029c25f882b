#include "core/schedule/rollout.hpp"

#include <algorithm>
#include <cmath>

namespace aetherflow {
namespace {

constexpr std::uint32_t kRows = 192;     // sampled sets of durations at most
constexpr std::uint32_t kLeastRows = 8;  // fewer mislead
constexpr std::uint32_t kHeat = 16;      // rows between two looks at the race
constexpr std::size_t kOthers = 3;       // other tasks that may start instead, and tasks that may be held for
constexpr double kDropped = 0.5;         // standard errors by which a candidate is worse when it is given up
constexpr double kBeyondDoubt = 1.5;     // standard errors by which it has to be better
constexpr double kShare = 3;             // of the budget that is left, what one decision may take: so many even shares
constexpr double kPrior = 12;            // answers as which what is assumed before them counts
constexpr double kRespread = 0.1;        // a spread that has changed by less is left alone

/// log₂ by repeated squaring, 12 digits: libraries differ in the last bit of theirs, and runs must replay in every build.
double log2Of(double x) {
  int exponent = 0;
  x = 2 * std::frexp(x, &exponent);
  double log = exponent - 1;
  for (double digit = 0.5; digit > 1.0 / 8192; digit /= 2) {
    x *= x;
    if (x < 2) continue;
    x /= 2;
    log += digit;
  }
  return log;
}

/// 2^x by repeated square roots.
double exp2Of(double x) {
  const int whole = static_cast<int>(std::floor(x));
  x -= whole;
  double power = 1, root = 2;
  for (double digit = 0.5; digit > 1.0 / 8192; digit /= 2) {
    root = std::sqrt(root);
    if (x < digit) continue;
    x -= digit;
    power *= root;
  }
  return std::ldexp(power, whole);
}

}  // namespace

void DurationSpread::learn(std::int64_t estimateMs, std::int64_t tookMs) {
  if (estimateMs <= 0) return;
  const double ratio = static_cast<double>(std::max<std::int64_t>(tookMs, 1)) / static_cast<double>(estimateMs);
  const double log = log2Of(std::clamp(ratio, 1.0 / 16, 16.0));
  ++count_;
  sum_ += log;
  squares_ += log * log;
}

double DurationSpread::centre() const {
  return exp2Of(sum_ / (kPrior + count_));
}

double DurationSpread::spread() const {
  const double mean = sum_ / (kPrior + count_);
  // A log-uniform 1/s … s has the variance (log s)² / 3.
  return exp2Of(std::sqrt(std::max(0.0, (kPrior + 3 * squares_) / (kPrior + count_) - 3 * mean * mean)));
}

Rollout::Rollout(Project project, ListOrder order, const Options& options)
    : project_(std::move(project)),
      order_(std::move(order)),
      options_(options),
      simulator_(project_),
      row_(project_.tasks) {
  if (mayHelp()) respread({});
}

void Rollout::respread(const DurationSpread& known) {
  const double spread = known.spread(), centre = known.centre();
  if (std::abs(spread - spread_) < kRespread * spread_ && std::abs(centre - centre_) < kRespread * centre_) return;
  spread_ = spread;
  centre_ = centre;
  std::vector<std::int64_t> estimates = project_.durationMs;
  for (std::int64_t& ms : estimates) ms = static_cast<std::int64_t>(static_cast<double>(ms) * centre + 0.5);
  samples_ = sampleDurations(estimates, {kRows - 1, spread, options_.seed});
}

/// What is missing, ready, running and free. False when what runs does not fit the project.
bool Rollout::survey(const std::vector<TaskProgress>& progress) {
  using State = TaskProgress::State;
  const std::uint32_t tasks = project_.tasks;
  start_.missing.assign(tasks, 0);
  nearly_.assign(tasks, 0);
  start_.ready.clear();
  start_.first.clear();
  free_ = simulator_.capacity();
  left_ = 0;
  for (std::uint32_t t = 0; t < tasks; ++t) {
    if (progress[t].state == State::Done) continue;
    ++left_;
    for (std::uint32_t e = project_.successorStart[t]; e < project_.successorStart[t + 1]; ++e) {
      ++start_.missing[project_.successor[e]];
      if (progress[t].state == State::Running) ++nearly_[project_.successor[e]];
    }
    if (progress[t].state != State::Running) continue;
    start_.first.push_back(t);
    if (!simulator_.take(free_, t)) return false;
  }
  for (const std::uint32_t t : order_.task)
    if (progress[t].state == State::Open && start_.missing[t] == 0) start_.ready.push_back(t);
  return true;
}

/// Whether the sum lies as many standard errors from nothing, after `rows` rows.
bool Rollout::Other::differs(double errors, double rows) const {
  return sum * sum >= errors * errors * (squares - sum * sum / rows);
}

void Rollout::findOthers(const std::vector<TaskProgress>& progress, std::uint32_t best) {
  others_.clear();
  std::uint64_t together = free_;
  bool allFit = true;  // then it does not matter which is the first
  for (const std::uint32_t t : start_.ready) allFit = simulator_.take(together, t) && allFit;
  for (const std::uint32_t t : start_.ready) {
    std::uint64_t free = free_;
    if (allFit || others_.size() == kOthers) break;
    if (t != best && simulator_.take(free, t)) others_.push_back({{t, kNobody}});
  }
  if (start_.first.empty()) return;
  std::size_t holds = 0;
  for (const std::uint32_t t : order_.task) {
    if (progress[t].state != TaskProgress::State::Open || holds == kOthers) continue;
    std::uint64_t free = free_;
    const bool soon = start_.missing[t] > 0 ? start_.missing[t] == nearly_[t] : !simulator_.take(free, t);
    if (!soon || !simulator_.compete(t, best)) continue;
    ++holds;
    others_.push_back({{kNobody, t}});
  }
}

/// One set of durations: of running tasks, what is left. A row in which one would be over already takes another row's draw for it.
void Rollout::drawRow(const std::vector<TaskProgress>& progress, std::uint32_t row) {
  std::copy_n(samples_.row(row), project_.tasks, row_.begin());
  for (const std::uint32_t t : start_.first) {
    const std::int64_t elapsed = progress[t].elapsedMs << samples_.shift;
    std::int64_t longest = 0;
    for (std::uint32_t i = 0; i < samples_.rows && row_[t] <= elapsed; ++i) {
      row_[t] = samples_.row((row + i) % samples_.rows)[t];
      longest = std::max(longest, row_[t]);
    }
    // Longer than any: as long again as it is overdue.
    row_[t] = row_[t] > elapsed ? row_[t] - elapsed : elapsed - longest + 1;
  }
}

std::int64_t Rollout::complete(const Choice& choice) {
  start_.held = choice.heldFor;
  if (choice.start == kNobody) return simulator_.run(order_, row_.data(), start_);
  start_.first.push_back(choice.start);
  const std::int64_t makespan = simulator_.run(order_, row_.data(), start_);
  start_.first.pop_back();
  return makespan;
}

Rollout::Choice Rollout::choose(const std::vector<TaskProgress>& progress, std::uint32_t best) {
  const Choice list{best, kNobody};
  if (!mayHelp() || !survey(progress)) return list;
  findOthers(progress, best);
  const double budget = static_cast<double>(options_.budget) - static_cast<double>(simulator_.spent());
  const double share = kShare * budget / ((left_ + 1.0) * static_cast<double>(others_.size() + 1) * left_);
  const auto rows = static_cast<std::uint32_t>(std::clamp(share, 0.0, static_cast<double>(kRows)));
  if (rows < kLeastRows) return list;
  bool waited = false;
  std::uint32_t row = 0;
  while (row < rows && !others_.empty()) {
    drawRow(progress, row++);
    const std::int64_t makespan = complete(list);
    waited |= simulator_.waited();
    for (Other& other : others_) {
      const auto difference = static_cast<double>(complete(other.choice) - makespan);
      other.sum += difference;
      other.squares += difference * difference;
    }
    if (row == kLeastRows && !waited) return list;
    if (row % kHeat == 0)
      std::erase_if(others_, [&](const Other& other) { return other.sum >= 0 && other.differs(kDropped, row); });
  }
  const Other* found = nullptr;
  for (const Other& other : others_)
    if (other.sum < 0 && other.differs(kBeyondDoubt, row) && (found == nullptr || other.sum < found->sum))
      found = &other;
  return found == nullptr ? list : found->choice;
}

}  // namespace aetherflow
