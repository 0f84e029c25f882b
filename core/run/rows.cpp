#include "core/run/rows.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

/// A word of a list, −1 for its end: no word.
template <class E>
double word(E value) {
  return value == E::Count ? -1 : static_cast<double>(value);
}
double index(std::uint32_t id) {
  return id == kNone ? -1 : static_cast<double>(id);
}

template <class Field>
class Row {
 public:
  explicit Row(double* to) : to_(to) {}
  template <class T>
  Row& set(Field field, T value) {
    to_[static_cast<std::size_t>(field)] = static_cast<double>(value);
    return *this;
  }

 private:
  double* to_;
};

}  // namespace

std::int64_t networkMs(const CallRecord& call) {
  const std::int64_t response = between(call.dispatchedAt, call.endedAt);
  if (call.providerMs >= 0 && response >= 0) return std::max<std::int64_t>(0, response - call.providerMs);
  return call.setupMs;
}

void writeCallRow(const Run& run, CallId id, double* to) {
  const CallRecord& call = run.calls()[id];
  using F = CallRow;
  Row<F> row(to);
  row.set(F::Step, call.step).set(F::Purpose, call.purpose).set(F::Attempt, call.attempt);
  row.set(F::Provider, call.target.provider).set(F::Model, call.target.model);
  row.set(F::Outcome, call.live ? -2 : call.succeeded ? -1 : word(call.failure));
  row.set(F::ReadyAt, call.readyAt - run.beganAt()).set(F::DispatchedAt, call.dispatchedAt - run.beganAt());
  row.set(F::EndedAt, call.endedAt < 0 ? -1 : call.endedAt - run.beganAt());
  row.set(F::QueueMs, between(call.readyAt, call.dispatchedAt));
  row.set(F::FirstTokenMs, between(call.dispatchedAt, call.firstTokenAt));
  row.set(F::ResponseMs, between(call.dispatchedAt, call.endedAt)).set(F::NetworkMs, networkMs(call));
  row.set(F::Input, call.tokens.in).set(F::Cached, call.tokens.cached).set(F::Output, call.tokens.out);
  row.set(F::Reasoning, call.tokens.reasoning).set(F::Written, call.tokens.written);
  row.set(F::Estimated, call.tokensEstimated).set(F::Stripped, call.strippedTokens);
  row.set(F::Cost, call.money.cost()).set(F::PriceKnown, run.table().models[call.target.model].price.known);
  row.set(F::Finish, word(call.finish)).set(F::Check, word(call.check)).set(F::Overflowed, call.overflowed);
  row.set(F::Continues, call.continues).set(F::Peak, call.peak).set(F::SharedTokens, call.sharedTokens);
  row.set(F::Leader, call.leader == kNone ? -1 : index(run.calls()[call.leader].step));
  row.set(F::Waited, call.waited).set(F::Cancelled, call.cancelled);
}

void writeStepRow(const Run& run, StepIndex id, double* to) {
  const StepRecord& step = run.steps()[id];
  using F = StepRow;
  Row<F> row(to);
  row.set(F::State, step.state).set(F::Failure, word(step.failure)).set(F::Reason, step.reason);
  row.set(F::Cause, index(step.cause)).set(F::Audit, step.audit).set(F::Repaired, step.repaired);
  row.set(F::Draft, step.draft).set(F::DraftKept, step.draftKept).set(F::Canary, step.canary);
  row.set(F::StartedAt, step.startedAt < 0 ? -1 : step.startedAt - run.beganAt());
  row.set(F::SettledAt, step.settledAt < 0 ? -1 : step.settledAt - run.beganAt());
  row.set(F::Group, index(step.group)).set(F::Cost, step.money.spent().usd);
}

void writePromptRow(const Prompt& prompt, double* to) {
  using F = PromptRow;
  Row<F> row(to);
  row.set(F::Shared, prompt.shared).set(F::Keyed, prompt.keyed).set(F::Task, prompt.task);
  row.set(F::TaskBytes, prompt.taskBytes).set(F::TokensBefore, prompt.tokensBeforeStripping);
  row.set(F::TokensAfter, prompt.tokensEstimated);
  double* const removals = to + static_cast<std::size_t>(F::Removals);
  std::fill(removals, removals + 3 * kStripRules, 0.0);
  for (const Removal& removal : prompt.removals) {
    double* const one = removals + 3 * static_cast<std::size_t>(removal.rule);
    one[0] = removal.count;
    one[1] = removal.bytes;
    one[2] = removal.tokens;
  }
}

}  // namespace aetherflow
