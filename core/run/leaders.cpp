#include "core/run/leaders.hpp"

namespace aetherflow {

void Leaders::lead(std::uint32_t key, StepIndex step) {
  if (key >= leaders_.size()) leaders_.resize(key + 1, kNone);
  leaders_[key] = step;
  at(step).key = key;
}

void Leaders::follow(std::uint32_t key, StepIndex step) {
  at(step).key = key;
  const StepIndex first = leaders_[key];
  StepIndex& last = at(first).last;
  chains_[last == kNone ? first : last].next = step;
  last = step;
}

bool Leaders::leads(StepIndex step) const {
  return step < chains_.size() && chains_[step].key != kNone && leader(chains_[step].key) == step;
}

void Leaders::handOver(StepIndex leader, StepIndex next) {
  leaders_[chains_[leader].key] = next;
  const StepIndex last = chains_[leader].last;
  if (next != last) chains_[next].last = last;
}

}  // namespace aetherflow
