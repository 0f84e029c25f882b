#pragma once
// Steps that make the very same request: the first leads, the others wait for its output in the order in which they came.
//
//   key ─▶ leader ─▶ follower ─▶ follower
//
// When the leader comes to nothing the next of them leads. A step is in one chain at most.

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

class Leaders {
 public:
  /// Whoever leads the requests of a key, kNone for nobody.
  StepIndex leader(std::uint32_t key) const { return key < leaders_.size() ? leaders_[key] : kNone; }
  /// `step` makes requests of this key, and leads them from now on.
  void lead(std::uint32_t key, StepIndex step);
  /// `step` makes requests of this key, and waits for whoever leads them.
  void follow(std::uint32_t key, StepIndex step);
  /// `step` makes requests of this key and neither leads nor waits: the answer is there.
  void join(std::uint32_t key, StepIndex step) { at(step).key = key; }
  bool leads(StepIndex step) const;
  /// The next behind `step` in its chain, kNone at its end.
  StepIndex behind(StepIndex step) const { return step < chains_.size() ? chains_[step].next : kNone; }
  /// `next`, a follower of `leader`, leads those behind it.
  void handOver(StepIndex leader, StepIndex next);

 private:
  struct Chain {
    std::uint32_t key = kNone;
    StepIndex next = kNone;
    StepIndex last = kNone;  ///< of a leader: the end of its chain
  };
  Chain& at(StepIndex step) {
    if (step >= chains_.size()) chains_.resize(step + 1);
    return chains_[step];
  }

  std::vector<StepIndex> leaders_;  ///< by key
  std::vector<Chain> chains_;       ///< by step
};

}  // namespace aetherflow
