#pragma once
// Local search over lists: one task moves at a time, and only where its place decides something.

#include <cstdint>
#include <vector>

#include "core/base/rng.hpp"
#include "core/schedule/list_samples.hpp"
#include "core/schedule/list_simulator.hpp"

namespace aetherflow {

/// Threshold annealing from a given list.
///
/// Which moves matter is known without simulating them. Say j was ready and waited while k started: k overtook j.
///
///   rank   … k  b  c  j …     j before k:  changes a row only if k, b or c overtook j in it
///   rank   … b  c  j  k …     k after j …: changes a row only if k overtook one of those it passes
///
/// Everything else leaves the row's schedule as it was, so most rows of most moves cost nothing.
class ListClimber {
 public:
  /// Borrows both until the end of the climber. `seed` is of the moves.
  ListClimber(ListSimulator& simulator, const DurationSamples& samples, std::uint64_t seed);

  /// Makes `order` the current list. False when no row has a critical task that waited: no list does better.
  bool start(const ListOrder& order);
  /// Climbs until `budget` task dispatches are spent or moves have long stopped to help. Never ends worse than it began.
  void climb(std::uint64_t budget);

  const ListOrder& best() const { return best_; }
  /// Its weighted makespan, as added up from the rows that the moves changed.
  double bestValue() const { return bestValue_; }

 private:
  struct Row {
    std::int64_t makespan = 0;
    std::vector<std::uint64_t> overtakers;  ///< tasks × words: who started while this task was ready and waited
    std::vector<std::uint64_t> overtaken;   ///< the same, seen from the other side
    std::vector<std::uint32_t> late;        ///< tasks that waited and on which the makespan hangs
  };
  struct Move {
    std::uint32_t from, to;  ///< ranks
  };

  std::uint64_t spent() const { return simulator_.spent() + overhead_; }
  void trace(std::uint32_t row);
  void findOvertakers(Row& row);
  void findLate(Row& row);
  bool propose(Move& move);
  std::uint32_t anyOvertaker(const Row& row, std::uint32_t task);
  bool judge(Move move, double threshold, double& change);
  bool matters(const Row& row, std::uint32_t task, bool earlier) const;
  static void apply(ListOrder& order, Move move);

  ListSimulator& simulator_;
  const DurationSamples& samples_;
  Rng rng_;
  std::uint32_t tasks_;
  std::uint32_t words_;         ///< of a set of tasks
  std::uint64_t overhead_ = 0;  ///< beside the dispatches, in dispatches
  std::vector<Row> rows_;
  ListOrder current_, candidate_, best_;
  double value_ = 0, bestValue_ = 0;

  ListTrace trace_;
  std::vector<std::uint64_t> passed_;   ///< set of tasks between a move's two ranks
  std::vector<std::int64_t> makespan_;  ///< of the candidate, by row; −1 = as before
  std::vector<char> critical_;          ///< by pass
  std::vector<std::uint64_t> before_;   ///< passes × words: tasks that started in earlier passes
  std::vector<std::uint64_t> entered_;  ///< passes × words: tasks that became ready in the pass
};

}  // namespace aetherflow
