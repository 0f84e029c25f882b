#include "core/run/notes.hpp"

#include <utility>

namespace aetherflow {
namespace {

using Field = CommandField;

template <class E>
requires std::is_enum_v<E>
void set(double* record, Field field, E value) {
  set(record, field, static_cast<double>(value));
}

void setFailure(double* record, FailureKind kind) {
  if (kind != FailureKind::Count) set(record, Field::NoteFailure, kind);
}

}  // namespace

double* Notes::add(CommandKind kind, StepIndex step) {
  double* record = commands_.add(kind);
  if (step != kNone) set(record, Field::Step, step);
  return record;
}

double* Notes::add(CommandKind kind, StepIndex step, Target target) {
  double* record = add(kind, step);
  set(record, Field::Provider, target.provider);
  set(record, Field::Model, target.model);
  return record;
}

double* Notes::note(Reason reason, StepIndex step) {
  double* record = add(CommandKind::Note, step);
  set(record, Field::NoteReason, reason);
  return record;
}

double* Notes::note(Reason reason, StepIndex step, Target target) {
  double* record = add(CommandKind::Note, step, target);
  set(record, Field::NoteReason, reason);
  return record;
}

void Notes::call(const CallRecord& call, CallId id, const CallTimes& times) {
  double* out = add(CommandKind::Call, call.step, call.target);
  set(out, Field::CallCall, id);
  set(out, Field::CallAttempt, call.attempt);
  set(out, Field::CallPurpose, call.purpose);
  set(out, Field::CallMaxTokens, call.maxTokens);
  set(out, Field::CallTimeoutMs, static_cast<double>(times.timeoutMs));
  set(out, Field::CallEstimateMs, static_cast<double>(times.estimateMs));
  set(out, Field::CallAt, static_cast<double>(times.now));
  if (call.continues) set(out, Field::CallReason, Reason::Continued);
  if (call.beside && call.purpose == Purpose::Draft) set(out, Field::CallReason, Reason::Hedged);
}

void Notes::cancel(StepIndex step, CallId call, Reason reason) {
  double* out = add(CommandKind::Cancel, step);
  set(out, Field::CancelCall, call);
  set(out, Field::CancelReason, reason);
}

void Notes::deliver(StepIndex step, CallId call, Origin origin, TimeMs took) {
  double* out = add(CommandKind::Deliver, step);
  set(out, Field::DeliverCall, call);
  set(out, Field::DeliverTookMs, static_cast<double>(took));
  set(out, Field::DeliverOrigin, origin);
}

void Notes::recalled(StepIndex step, Origin origin) {
  set(add(CommandKind::Deliver, step), Field::DeliverOrigin, origin);
}

void Notes::hit(StepIndex step, Origin origin, const Saving& worth, double score, StepIndex from) {
  double* out = add(CommandKind::Deliver, step);
  set(out, Field::DeliverOrigin, origin);
  set(out, Field::DeliverSavedTokens, static_cast<double>(worth.spend.tokens));
  set(out, Field::DeliverSavedMicroUsd, static_cast<double>(worth.spend.usd));
  set(out, Field::DeliverSavedMs, static_cast<double>(worth.ms));
  set(out, Field::DeliverScore, score);
  if (from != kNone) set(out, Field::DeliverFrom, from);
}

void Notes::look(StepIndex step, Target target, CacheUse use, std::uint32_t rank) {
  double* out = add(CommandKind::Look, step, target);
  set(out, Field::LookUse, use);
  set(out, Field::LookRank, rank);
}

void Notes::store(StepIndex step, CallId call, Target target, CacheUse use, const Saving& took) {
  double* out = add(CommandKind::Store, step, target);
  set(out, Field::StoreCall, call);
  set(out, Field::StoreUse, use);
  set(out, Field::StoreTokens, static_cast<double>(took.spend.tokens));
  set(out, Field::StoreMicroUsd, static_cast<double>(took.spend.usd));
  set(out, Field::StoreMs, static_cast<double>(took.ms));
}

void Notes::finish(Outcome outcome, TimeMs now) {
  double* out = add(CommandKind::Finish, kNone);
  set(out, Field::FinishOutcome, outcome);
  set(out, Field::FinishAt, static_cast<double>(now));
}

void Notes::tell(Reason reason, StepIndex step) {
  note(reason, step);
}

void Notes::tell(Reason reason, StepIndex step, Target target) {
  note(reason, step, target);
}

void Notes::aboutCall(Reason reason, StepIndex step, CallId call) {
  set(note(reason, step), Field::NoteCall, call);
}

void Notes::failed(Reason reason, StepIndex step, FailureKind kind) {
  setFailure(note(reason, step), kind);
}

void Notes::failedAt(Reason reason, StepIndex step, Target target, FailureKind kind) {
  setFailure(note(reason, step, target), kind);
}

void Notes::fellBack(StepIndex step, Target target, ProviderIndex from, FailureKind kind) {
  double* out = note(Reason::FellBack, step, target);
  setFailure(out, kind);
  if (from != kNone16) set(out, Field::NoteFromProvider, from);
}

void Notes::budgetStopped(StepIndex step, const Shortfall& shortfall) {
  double* out = note(Reason::BudgetStopped, kNone);
  set(out, Field::NoteCause, step);
  set(out, Field::NoteNeeded, static_cast<double>(shortfall.needed));
  set(out, Field::NoteLeft, static_cast<double>(shortfall.left));
  set(out, Field::NoteCountsTokens, shortfall.ofTokens ? 1 : 0);
}

void Notes::relaxed(StepIndex step, CallId call, FailureKind kind) {
  double* out = note(Reason::ConstraintRelaxed, step);
  set(out, Field::NoteCall, call);
  setFailure(out, kind);
}

void Notes::retrying(StepIndex step, Target target, CallId call, FailureKind kind, std::int64_t waitMs) {
  double* out = note(Reason::Retrying, step, target);
  set(out, Field::NoteCall, call);
  setFailure(out, kind);
  set(out, Field::NoteWaitMs, static_cast<double>(waitMs));
}

void Notes::waiting(Reason reason, StepIndex step, Target target, Window window, TimeMs until) {
  double* out = note(reason, step, target);
  if (window != Window::Count) set(out, Field::NoteWindow, window);
  if (until != kNever) set(out, Field::NoteUntilMs, static_cast<double>(until));
}

void Notes::heldBack(StepIndex step, Target target, StepIndex awaited, TimeMs until) {
  double* out = note(Reason::WaitingForReserved, step, target);
  set(out, Field::NoteCause, awaited);
  set(out, Field::NoteUntilMs, static_cast<double>(until));
}

void Notes::prefix(Reason reason, StepIndex step, Target target, StepIndex leader, TimeMs until,
                   const PrefixNumbers& numbers, std::int64_t expected) {
  double* out = note(reason, step, target);
  if (leader != kNone) set(out, Field::NoteCause, leader);
  if (until != kNever) set(out, Field::NoteUntilMs, static_cast<double>(until));
  if (expected >= 0) set(out, Field::NoteNeeded, static_cast<double>(expected));
  set(out, Field::NoteSharedTokens, static_cast<double>(numbers.tokens));
  set(out, Field::NoteSharers, static_cast<double>(numbers.sharers));
  set(out, Field::NoteSavesMicroUsd, static_cast<double>(numbers.saves));
  set(out, Field::NoteAddsMs, static_cast<double>(numbers.addsMs));
}

void Notes::breaker(Reason reason, ProviderIndex provider, TimeMs until) {
  double* out = note(reason, kNone);
  set(out, Field::Provider, provider);
  if (until != kNever) set(out, Field::NoteUntilMs, static_cast<double>(until));
}

void Notes::limitLearned(ProviderIndex provider, Window window, std::int64_t limit) {
  double* out = note(Reason::LimitLearned, kNone);
  set(out, Field::Provider, provider);
  set(out, Field::NoteWindow, window);
  set(out, Field::NoteLimit, static_cast<double>(limit));
}

void Notes::ended(const StepRecord& step, StepIndex index) {
  const bool failure = step.state == StepState::Failed;
  double* out = note(failure ? Reason::ProviderFailed : step.reason, index);
  if (step.call != kNone) set(out, Field::NoteCall, step.call);
  if (failure) setFailure(out, step.failure);
  if (step.cause != kNone) set(out, Field::NoteCause, step.cause);
  set(out, Field::NoteState, step.state);
}

const CommandBuffer& Notes::take() {
  // Two buffers: what was given out stays valid while the host's first reactions already add to the other.
  handedOut_.clear();
  std::swap(handedOut_, commands_);
  return handedOut_;
}

}  // namespace aetherflow
