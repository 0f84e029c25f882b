// The ledger's page about the cache: who was asked for, who had an answer for nothing, what may be kept.

#include <algorithm>

#include "policy_ledger.hpp"

namespace aetherflow::testing {

CacheUse Ledger::allowed(StepIndex index) const {
  const Step& step = run_.plan().steps[index];
  return std::min(step.cache, step.type == StepType::Refactoring ? setting_.cacheRefactoring : setting_.cache);
}

void Ledger::looks(const double* record) {
  const auto step = static_cast<StepIndex>(get(record, CommandField::Step));
  Cached& one = cached(step);
  expect(!one.looking, "two looks of one step at once");
  expect(!one.failed, "a look after one that failed");
  expect(get(record, CommandField::LookUse) == static_cast<double>(allowed(step)), "a look beyond what is allowed");
  expect(get(record, CommandField::LookUse) > 0, "a look of a step without a cache");
  expect(get(record, CommandField::LookRank) == one.looks, "a target is looked for twice, or left out");
  ++one.looks;
  one.looking = true;
  for (const LedgerCall& call : calls_) expect(call.step != step, "a look of a step that was called");
  for (const Dependency& input : run_.plan().steps[step].dependencies)
    expect(settled(run_.steps()[input.step].state), "a look before the inputs are done");
}

void Ledger::looked(StepIndex step, Found found, std::uint32_t key) {
  Cached& one = cached(step);
  one.looking = false;
  if (run_.steps()[step].state != StepState::Looking) return;
  one.found = found;
  one.failed = found == Found::Failed;
  if (one.looks != 1 || found != Found::None || key == kNone) return;
  one.key = key;
  for (const LedgerCall& call : calls_)
    one.owed = one.owed || (cached(call.step).key == key && run_.steps()[call.step].state == StepState::Done);
}

void Ledger::hit(const double* record) {
  const auto step = static_cast<StepIndex>(get(record, CommandField::Step));
  const auto origin = static_cast<Origin>(static_cast<int>(get(record, CommandField::DeliverOrigin)));
  const Cached& one = cached(step);
  const Reason reason = origin == Origin::Exact      ? Reason::CacheExact
                        : origin == Origin::Semantic ? Reason::CacheSemantic
                                                     : Reason::Shared;
  ++told_[static_cast<std::size_t>(reason)];
  for (const LedgerCall& call : calls_) expect(call.step != step, "a step both called and answered without a call");
  expect(run_.steps()[step].money.spent().usd == 0 && run_.steps()[step].money.spent().tokens == 0,
         "a hit cost something");
  if (origin != Origin::Shared)
    return expect(one.found == (origin == Origin::Exact ? Found::Exact : Found::Semantic),
                  "a hit that the cache did not have");
  const auto leader = static_cast<StepIndex>(get(record, CommandField::DeliverFrom));
  expect(leader != step && delivered_[leader] == 1, "an output was shared before it was there");
  expect(one.key != kNone && one.key == cached(leader).key, "an output was shared with another request");
}

/// A call says that nothing was found, and that nobody else is about to have the answer.
void Ledger::notCached(const LedgerCall& call) {
  const bool begins = call.purpose == Purpose::Main || call.purpose == Purpose::Draft;
  if (!begins || allowed(call.step) == CacheUse::Off) return;
  const Cached& one = cached(call.step);
  expect(one.looks > 0 && !one.looking, "a call before the cache was asked");
  expect(one.found == Found::None || one.found == Found::Failed, "a call in spite of a hit");
  expect(!one.owed, "a call for what an identical request has the answer of");
  if (one.key == kNone) return;
  for (StepIndex other = 0; other < cached_.size(); ++other) {
    if (other == call.step || cached_[other].key != one.key) continue;
    const StepState state = run_.steps()[other].state;
    const bool follows = state == StepState::Following || state == StepState::Looking || settled(state);
    // What was recalled, or hit at another target, after this call was handed out may be done already.
    expect(follows, "two identical requests under way");
  }
}

void Ledger::stores(const double* record) {
  const auto step = static_cast<StepIndex>(get(record, CommandField::Step));
  const auto id = static_cast<CallId>(get(record, CommandField::Call));
  expect(allowed(step) != CacheUse::Off, "kept in spite of its step");
  expect(step < delivered_.size() && delivered_[step] == 1, "kept before it was delivered");
  expect(calls_[id].step == step && calls_[id].whole, "kept though it is not whole");
  expect(!setting_.audits || cached(step).praised, "kept though its audit did not pass it");
  expect(get(record, CommandField::Model) == static_cast<double>(run_.calls()[id].target.model),
         "kept for another model than answered");
  std::int64_t tokens = 0;
  MicroUsd usd = 0;
  for (const LedgerCall& call : calls_)
    if (call.step == step) tokens += call.used, usd += call.cost;
  expect(get(record, CommandField::StoreTokens) == static_cast<double>(tokens), "kept with other tokens than it took");
  expect(get(record, CommandField::StoreMicroUsd) == static_cast<double>(usd), "kept with another price than it had");
}

}  // namespace aetherflow::testing
