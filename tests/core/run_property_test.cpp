// Random graphs, random orders of events: the invariants of the run contract hold after every drain.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/run/run.hpp"
#include "core/run/simulate.hpp"
#include "random_plan.hpp"

namespace aetherflow::testing {
namespace {

constexpr std::uint64_t kSeeds = 10'000;

std::string randomOptions(Rng& rng) {
  static constexpr const char* kModes[] = {"build", "fast", "double-check"};
  std::string options = "{\"mode\":\"" + std::string(kModes[rng.below(3)]) + "\",\"concurrency\":{";
  static constexpr const char* kProviders[] = {"deepseek", "gemini", "groq", "mistral", "openai"};
  std::string available, separator;
  for (const char* provider : kProviders) {
    options += separator + "\"" + provider + "\":" + std::to_string(1 + rng.below(3));
    separator = ",";
    if (rng.below(3) > 0) available += (available.empty() ? "\"" : ",\"") + std::string(provider) + "\"";
  }
  if (available.empty()) available = "\"groq\"";
  options += "},\"available\":[" + available + "],\"table\":{\"repairs\":" + std::to_string(rng.below(2));
  // Nothing here waits for anything but a place: what the failure policy adds is proved in policy_property_test.cpp.
  options += ",\"retry\":{\"attempts\":1},\"breaker\":{\"failures\":1000}";
  options += rng.below(2) == 0 ? ",\"overflow\":\"never\"}}" : "}}";
  return options;
}

/// One run under a hostile host: calls end in any order, fail, break constraints; steps and runs are cancelled.
class Chaos {
 public:
  explicit Chaos(std::uint64_t seed) : rng_(seed), plan_(randomPlan(rng_, 14)), options_(randomOptions(rng_)) {}

  void play() {
    if (rng_.below(2) == 0) chunk_ = 1 + rng_.below(200);
    ASSERT_EQ(run_.begin(options_, now_), ErrorCode::None) << options_;
    for (int turn = 0; turn < 4000 && !run_.finished(); ++turn) {
      turnOnce();
      drain();
      if (::testing::Test::HasFatalFailure()) return;
    }
    ASSERT_TRUE(run_.finished()) << "stuck: " << plan_.json << options_;
    atTheEnd();
  }
  const std::string& bytes() const { return bytes_; }
  int kept() const { return kept_; }

 private:
  void turnOnce() {
    now_ += rng_.below(400);
    if (fed_ < plan_.json.size() && (live_.empty() || rng_.below(2) == 0)) return feed();
    if (!ended_ && fed_ >= plan_.json.size()) {
      ended_ = true;
      ASSERT_EQ(run_.planEnd(now_), ErrorCode::None);
      return;
    }
    if (rng_.below(40) == 0) {
      run_.cancelStep(rng_.below(plan_.steps), now_);  // may be refused; then nothing changes
      return;
    }
    if (ended_ && rng_.below(300) == 0) {
      ASSERT_EQ(run_.cancelRun(now_), ErrorCode::None);
      return;
    }
    if (!retrieves_.empty() && (live_.empty() || rng_.below(2) == 0)) return retrieveOne();
    if (!live_.empty()) endOne();
  }

  /// Of a step that is over, or that was told before, it is refused.
  void retrieveOne() {
    const std::size_t at = rng_.below(static_cast<std::uint32_t>(retrieves_.size()));
    const StepIndex step = retrieves_[at];
    const bool waits = run_.steps()[step].state == StepState::Waiting && run_.steps()[step].retrieving;
    ASSERT_EQ(run_.retrieved(step, rng_.below(5000), now_) == ErrorCode::None, waits);
    if (rng_.below(10) > 0) retrieves_.erase(retrieves_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void feed() {
    const std::string_view piece = std::string_view(plan_.json).substr(fed_, chunk_);
    fed_ += piece.size();
    ASSERT_EQ(run_.planBytes(piece, now_), ErrorCode::None) << run_.error().detail;
  }

  void endOne() {
    const std::size_t at = rng_.below(static_cast<std::uint32_t>(live_.size()));
    const CallId id = live_[at];
    if (rng_.below(4) == 0) {
      ASSERT_EQ(run_.firstToken(id, now_), ErrorCode::None);
      return;
    }
    live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(at));
    const bool audit = run_.calls()[id].purpose == Purpose::Audit;
    const bool cancelled = run_.steps()[run_.calls()[id].step].state == StepState::Cancelled;
    if (cancelled || rng_.below(12) == 0) {
      Failed failure;
      failure.call = id;
      failure.kind = cancelled ? FailureKind::Cancelled : FailureKind::ServerError;
      failure.tokens.in = rng_.below(100);
      ASSERT_EQ(run_.failed(failure, now_), ErrorCode::None);
      return;
    }
    Succeeded success;
    success.call = id;
    success.tokens = {rng_.below(5000), rng_.below(6000), rng_.below(5000), 0};
    if (rng_.below(15) == 0) success.finish = FinishReason::Length;
    if (!audit && rng_.below(8) == 0) success.verdict = CheckVerdict::NotJson;
    ASSERT_EQ(run_.succeeded(success, now_), ErrorCode::None) << run_.error().detail;
    if (audit && success.finish == FinishReason::Stop) {
      ASSERT_EQ(run_.verdict(id, rng_.below(2) == 0 ? Verdict::Pass : Verdict::Issues, now_), ErrorCode::None);
    }
  }

  void drain() {
    const CommandBuffer& commands = run_.drain();
    bytes_.append(reinterpret_cast<const char*>(commands.data()), commands.count() * kCommandStride * sizeof(double));
    for (std::size_t i = 0; i < commands.count(); ++i) {
      const double* record = commands.data() + i * kCommandStride;
      const auto kind = static_cast<CommandKind>(static_cast<int>(record[0]));
      if (kind == CommandKind::Finish) ++finishes_;
      if (kind == CommandKind::Deliver) delivered_.push_back(static_cast<StepIndex>(get(record, CommandField::Step)));
      if (kind == CommandKind::Retrieve) retrieves_.push_back(static_cast<StepIndex>(get(record, CommandField::Step)));
      if (kind == CommandKind::Call) callStarts(static_cast<CallId>(get(record, CommandField::Call)));
    }
    afterDrain();
  }

  void callStarts(CallId id) {
    const CallRecord& call = run_.calls()[id];
    live_.push_back(id);
    ASSERT_FALSE(run_.steps()[call.step].retrieving) << "called before its documents are found";
    for (const Dependency& input : run_.plan().steps[call.step].dependencies) {
      ASSERT_NE(input.step, kNone) << "called before its inputs are known";
      const StepState state = run_.steps()[input.step].state;
      const bool optional = run_.plan().steps[input.step].optional;
      ASSERT_TRUE(state == StepState::Done || (optional && settled(state))) << "called before its inputs are done";
    }
    ASSERT_TRUE(run_.table().providers[call.target.provider].available);
  }

  void afterDrain() {
    std::vector<int> callsOf(run_.steps().size(), 0);
    std::vector<std::uint32_t> inFlight(run_.table().providers.size(), 0);
    MicroUsd sum = 0;
    for (const CallRecord& call : run_.calls()) {
      sum += call.money.cost();
      if (!call.live) continue;
      ASSERT_LE(++callsOf[call.step], 1) << "two live calls of one step";
      ++inFlight[call.target.provider];
    }
    ASSERT_EQ(sum, run_.purse().spent().usd) << "money is counted once a call";
    for (std::size_t p = 0; p < inFlight.size(); ++p)
      ASSERT_LE(inFlight[p], run_.table().providers[p].concurrency) << "over the limit";
    for (StepIndex i = 0; i < run_.steps().size(); ++i) {
      const StepRecord& step = run_.steps()[i];
      bool inputsDone = !step.retrieving;
      for (const Dependency& input : run_.plan().steps[i].dependencies) {
        const bool known = input.step != kNone;
        const bool done =
            known && (run_.steps()[input.step].state == StepState::Done ||
                      (run_.plan().steps[input.step].optional && settled(run_.steps()[input.step].state)));
        inputsDone = inputsDone && done;
      }
      ASSERT_FALSE(step.state == StepState::Waiting && inputsDone) << "a batch barrier: its own inputs are done";
      // One that waits for a prompt cache does so for a bounded time, behind a call that runs.
      const bool waits = step.state == StepState::Ready && step.waiting == Reason::WaitingForPrefix;
      if (waits) {
        ASSERT_FALSE(run_.finished());
        ASSERT_FALSE(live_.empty()) << "waits for nobody";
        ASSERT_LT(step.parkedUntil, kNever);
      }
      if (step.state == StepState::Ready && step.phase == Purpose::Main && !waits) {
        const Target preferred = run_.router().group(step.group).admissible.front();
        ASSERT_TRUE(!run_.slots().free(preferred.provider) || keptAt(preferred.provider))
            << "ready, and its provider has room";
      }
    }
    ASSERT_TRUE(run_.finished() || !live_.empty() || !retrieves_.empty() || !ended_) << "stuck";
  }

  /// A place of the provider is kept for a step that is about to become ready: for a bounded time, while something runs.
  bool keptAt(ProviderIndex provider) {
    for (const StepRecord& step : run_.steps()) {
      if (step.state != StepState::Ready || step.waiting != Reason::WaitingForReserved) continue;
      if (run_.router().group(step.group).admissible.front().provider != provider) continue;
      ++kept_;
      return !live_.empty() && run_.nextWake() > now_ && run_.nextWake() < kNever;
    }
    return false;
  }

  void atTheEnd() {
    ASSERT_EQ(finishes_, 1);
    std::uint32_t done = 0;
    for (const StepRecord& step : run_.steps()) {
      ASSERT_TRUE(settled(step.state));
      done += step.state == StepState::Done ? 1 : 0;
    }
    ASSERT_EQ(delivered_.size(), done) << "each result is delivered once";
    ASSERT_EQ(run_.cancelRun(now_), ErrorCode::RunOver);
  }

  Rng rng_;
  RandomPlan plan_;
  std::string options_;
  Run run_;
  TimeMs now_ = 0;
  std::size_t fed_ = 0, chunk_ = 1u << 30;
  bool ended_ = false;
  int finishes_ = 0, kept_ = 0;
  std::vector<CallId> live_;
  std::vector<StepIndex> retrieves_;
  std::vector<StepIndex> delivered_;
  std::string bytes_;
};

TEST(RunProperties, HoldUnderAnyOrderOfEvents) {
  int kept = 0;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Chaos chaos(seed);
    chaos.play();
    kept += chaos.kept();
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(kept, 0) << "no place was ever held back";
}

TEST(RunProperties, EqualEventsGiveEqualBytes) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Chaos first(seed), second(seed);
    first.play();
    second.play();
    ASSERT_EQ(first.bytes(), second.bytes()) << "seed " << seed;
    ASSERT_FALSE(first.bytes().empty());
  }
}

TEST(RunProperties, TheMakespanIsBoundedByGrahamsBound) {
  // A non-delay schedule on one provider with m places is at most (2 − 1/m) × the best; the best is at least both bounds.
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Rng rng(seed);
    const RandomPlan plan = randomPlan(rng, 30);
    const std::uint32_t places = 1 + rng.below(4);
    aetherflow::Run run;
    // The bound is that of schedules that never wait while a place is free.
    ASSERT_EQ(run.begin("{\"available\":[\"groq\"],\"promptCache\":\"off\",\"concurrency\":{\"groq\":" +
                            std::to_string(places) + "}}",
                        0),
              ErrorCode::None);
    ASSERT_EQ(run.planBytes(plan.json, 0), ErrorCode::None);
    ASSERT_EQ(run.planEnd(0), ErrorCode::None);
    const TimeMs makespan = simulate(run);
    ASSERT_TRUE(run.finished());
    std::int64_t work = 0, longest = 0;
    std::vector<std::int64_t> path(run.steps().size(), 0);
    // Steps may be written in any order: relax until nothing changes (small graphs).
    for (std::size_t round = 0; round < path.size(); ++round)
      for (StepIndex i = 0; i < path.size(); ++i) {
        std::int64_t before = 0;
        for (const Dependency& input : run.plan().steps[i].dependencies) before = std::max(before, path[input.step]);
        path[i] = before + run.steps()[i].estimateMs;
        longest = std::max(longest, path[i]);
      }
    for (const StepRecord& step : run.steps()) work += step.estimateMs;
    const double bound = static_cast<double>(std::max(longest, (work + places - 1) / places));
    ASSERT_GE(static_cast<double>(makespan) + 1e-9, bound) << "seed " << seed;
    ASSERT_LE(static_cast<double>(makespan), (2.0 - 1.0 / places) * bound + places) << "seed " << seed;
  }
}

}  // namespace
}  // namespace aetherflow::testing
