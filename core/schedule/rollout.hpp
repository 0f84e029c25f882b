#pragma once
// Whether the best of the ready tasks starts now, or a place is held back for one that is about to become ready.
//
//   now    b is ready and fits        and a, of which much hangs, will be ready in a moment
//   start  |bbbbbbbbbb|aaaaaaaaaa|    hold  |  |aaaaaaaaaa|   a list that never waits cannot do this
//                                              |bbbbbb…
//
// Decided again at every event by rollout: the rest of the project is completed by the list over many sampled sets of durations, once
// for each choice, and the list is left only where another choice is better beyond doubt. Such policies improve on the rule that
// completes them (Bertsekas, Tsitsiklis and Wu 1997; races with common random numbers as in ranking and selection).

#include <cstdint>
#include <vector>

#include "core/schedule/list_samples.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {

/// How real durations lie about their estimates, learnt from those that have ended. Equal in every build.
class DurationSpread {
 public:
  void learn(std::int64_t estimateMs, std::int64_t tookMs);
  /// Real durations are taken to be 1/spread … spread × `centre` × the estimate, log-uniform. 2 and 1 before anything is known.
  double spread() const;
  double centre() const;

 private:
  double count_ = 0, sum_ = 0, squares_ = 0;  ///< of log₂(took ÷ estimate)
};

/// Where a project is, by task.
struct TaskProgress {
  enum class State : std::uint8_t { Open, Running, Done };
  State state = State::Open;
  std::int64_t elapsedMs = 0;  ///< since a running one began
};

class Rollout {
 public:
  /// `budget`: task dispatches in all; one simulated run of n tasks costs n, and more when many wait. A million take about 15 ms.
  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t budget = 1'000'000;
  };
  static constexpr std::uint32_t kNobody = ListStart::kNobody;

  struct Choice {
    std::uint32_t start = kNobody;  ///< this one starts
    std::uint32_t heldFor =
        kNobody;  ///< or nothing that uses a resource of this one does, before it has or the next event
  };

  Rollout(Project project, ListOrder order, const Options& options);

  /// False: nobody can ever wait, or there are too many resources: the list decides.
  bool mayHelp() const { return simulator_.contended() && simulator_.packed(); }
  /// Of the tasks that are ready and fit `best` is the first in the list's order. Never a hold while nothing runs.
  Choice choose(const std::vector<TaskProgress>& progress, std::uint32_t best);
  /// What is known of durations now; small changes are left alone.
  void respread(const DurationSpread& known);
  std::uint64_t spent() const { return simulator_.spent(); }

 private:
  /// A choice beside the list's own.
  struct Other {
    Choice choice;
    double sum = 0, squares = 0;  ///< of its makespans less those of the list's own choice
    bool differs(double errors, double rows) const;
  };

  bool survey(const std::vector<TaskProgress>& progress);
  void findOthers(const std::vector<TaskProgress>& progress, std::uint32_t best);
  void drawRow(const std::vector<TaskProgress>& progress, std::uint32_t row);
  std::int64_t complete(const Choice& choice);

  Project project_;
  ListOrder order_;
  Options options_;
  ListSimulator simulator_;
  DurationSamples samples_;
  double spread_ = 0, centre_ = 0;  ///< that the samples are of

  // Of one decision.
  ListStart start_;
  std::vector<std::uint32_t> nearly_;  ///< by task: predecessors that have ended or run
  std::vector<Other> others_;
  std::vector<std::int64_t> row_;
  std::uint64_t free_ = 0;
  std::uint32_t left_ = 0;
};

}  // namespace aetherflow
