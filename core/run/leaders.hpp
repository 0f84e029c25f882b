#pragma once
// Steps that make the very same request: the first leads, the others wait for its output in the order in which they came.
//
//   key ─▶ leader ─▶ follower ─▶ follower
//
// When the leader fails the next of them leads. A step is in one chain at most.

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

class Leaders {
 public:
  /// The leader of a key's requests, kNone if there is none.
  StepIndex leader(std::uint32_t key) const { return key < leaders_.size() ? leaders_[key] : kNone; }
  /// `step` makes a request with this key, and becomes its leader.
  void lead(std::uint32_t key, StepIndex step);
  /// `step` makes a request with this key, and waits for its leader.
  void follow(std::uint32_t key, StepIndex step);
  /// `step` makes a request with this key but neither leads nor waits: its answer is known.
  void join(std::uint32_t key, StepIndex step) { at(step).key = key; }
  bool leads(StepIndex step) const;
  /// The next after `step` in its chain, kNone at its end.
  StepIndex behind(StepIndex step) const { return step < chains_.size() ? chains_[step].next : kNone; }
  /// `next`, a follower of `leader`, leads those after it.
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
