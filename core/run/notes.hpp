#pragma once
// The records that the machine hands out, each built by one typed function: the only place that knows which slot of a record
// holds what. See COMMAND_FIELD in base/vocabulary.def.

#include "core/run/command.hpp"
#include "core/run/purse.hpp"
#include "core/run/state.hpp"

namespace aetherflow {

/// Times of a call command that are not in its record.
struct CallTimes {
  std::int64_t timeoutMs = 0, estimateMs = 0;
  TimeMs now = 0;
};

/// Of a decision on a shared beginning of prompts.
struct PrefixNumbers {
  std::int64_t tokens = 0, sharers = 0;
  MicroUsd saves = 0;
  std::int64_t addsMs = 0;
};

class Notes {
 public:
  // Commands.
  void call(const CallRecord& call, CallId id, const CallTimes& times);
  void cancel(StepIndex step, CallId call, Reason reason);
  /// An output that a call of the step made.
  void deliver(StepIndex step, CallId call, Origin origin, TimeMs took);
  void recalled(StepIndex step, Origin origin);
  /// An output that needed no call. `score` in 1/1,000,000, `from`: the identical step that has it, or kNone.
  void hit(StepIndex step, Origin origin, const Saving& worth, double score, StepIndex from);
  /// The answer of a call is to be checked.
  void check(StepIndex step, CallId call) { set(add(CommandKind::Check, step), CommandField::CheckCall, call); }
  void expand(StepIndex step) { add(CommandKind::Expand, step); }
  void retrieve(StepIndex step) { add(CommandKind::Retrieve, step); }
  void look(StepIndex step, Target target, CacheUse use, std::uint32_t rank);
  void store(StepIndex step, CallId call, Target target, CacheUse use, const Saving& took);
  void finish(Outcome outcome, TimeMs now);

  // Notes. `step` may be kNone.
  void tell(Reason reason, StepIndex step);
  void tell(Reason reason, StepIndex step, Target target);
  void aboutCall(Reason reason, StepIndex step, CallId call);
  void failed(Reason reason, StepIndex step, FailureKind kind);
  /// `kind` may be Count: unknown.
  void failedAt(Reason reason, StepIndex step, Target target, FailureKind kind);
  /// `from`: the model that refused; kNone16 where none was asked.
  void fellBack(StepIndex step, Target target, ProviderIndex from, FailureKind kind);
  /// What `step` would need at worst, and what is left of the run's ceiling for it.
  void budgetStopped(StepIndex step, const Shortfall& shortfall);
  void relaxed(StepIndex step, CallId call, FailureKind kind);
  void retrying(StepIndex step, Target target, CallId call, FailureKind kind, std::int64_t waitMs);
  /// `window`: Count where it waits for no window; `until`: kNever until a running call ends.
  void waiting(Reason reason, StepIndex step, Target target, Window window, TimeMs until);
  /// The place of `step` is kept for `awaited`.
  void heldBack(StepIndex step, Target target, StepIndex awaited, TimeMs until);
  /// `leader`: the step that is waited for, or kNone; `until`: kNever for no wait; `expected` tokens, of a cache that held less.
  void prefix(Reason reason, StepIndex step, Target target, StepIndex leader, TimeMs until,
              const PrefixNumbers& numbers, std::int64_t expected = -1);
  void breaker(Reason reason, ProviderIndex provider, TimeMs until);
  void limitLearned(ProviderIndex provider, Window window, std::int64_t limit);
  /// The end of a step without an output.
  void ended(const StepRecord& step, StepIndex index);

  /// The records since the last call. Borrowed until the next one.
  const CommandBuffer& take();

 private:
  double* add(CommandKind kind, StepIndex step);
  double* add(CommandKind kind, StepIndex step, Target target);
  double* note(Reason reason, StepIndex step);
  double* note(Reason reason, StepIndex step, Target target);

  CommandBuffer commands_, handedOut_;
};

}  // namespace aetherflow
