#pragma once
// A run as a deterministic state machine: events in, commands out.
//
// Contract
//  · Time never decreases; it is ms on the host's clock, real or virtual.
//  · An event that is not legal returns its error and changes nothing.
//  · After an event, or several, call drain() and carry out the commands; then sleep until nextWake(). An extra tick is
//  harmless.
//    Work is handed out only in drain(): a host that feeds a whole plan before it drains gets the order of the whole
//    plan, a host that drains after every chunk gets early starts.
//  · Equal events and drains give equal command bytes, in every build.
//  · A call ends by succeeded or failed, cancelled ones too; its place at the provider is held until then. Only one
//  whose
//    `prompted` was answered by Withheld is over at once.
//  · Used and reserved together never exceed a limit or a budget, as long as a provider reports no more than was
//  reserved.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/expected.hpp"
#include "core/base/rng.hpp"
#include "core/limit/quotas.hpp"
#include "core/limit/slots.hpp"
#include "core/plan/reader.hpp"
#include "core/prompt/assemble.hpp"
#include "core/prompt/constraint.hpp"
#include "core/prompt/tokens.hpp"
#include "core/route/health.hpp"
#include "core/route/router.hpp"
#include "core/run/command.hpp"
#include "core/run/event.hpp"
#include "core/run/offer.hpp"
#include "core/run/options.hpp"
#include "core/run/records.hpp"
#include "core/schedule/graph_links.hpp"
#include "core/schedule/ready_queue.hpp"
#include "core/schedule/timers.hpp"

namespace aetherflow {

class Run {
 public:
  explicit Run(PlanLimits limits = {});
  Run(const Run&) = delete;  // the router points into the table
  Run& operator=(const Run&) = delete;

  // Plan. An error of the plan ends the run as plan_invalid; its text is in document(Error).
  ErrorCode planBytes(std::string_view bytes, TimeMs now);
  ErrorCode planEnd(TimeMs now);

  // Signals.
  ErrorCode begin(std::string_view optionsJson, TimeMs now);
  /// Any event but the plan's and begin, by its numbers: see EVENT in base/vocabulary.def.
  ErrorCode signal(EventKind kind, const double* values, TimeMs now);
  ErrorCode tick(TimeMs now);
  /// The assembled prompt weighs `tokens`, after `stripped` were saved. `withheld`: the call must not leave, and is
  /// over.
  ErrorCode prompted(CallId call, std::uint32_t tokens, std::uint32_t stripped, TimeMs now);
  bool withheld() const { return withheld_; }
  ErrorCode started(const Started& event, TimeMs now);
  ErrorCode firstToken(CallId call, TimeMs now);
  ErrorCode progress(CallId call, std::uint32_t tokens, TimeMs now);
  ErrorCode succeeded(const Succeeded& event, TimeMs now);
  ErrorCode failed(const Failed& event, TimeMs now);
  ErrorCode verdict(CallId audit, bool pass, TimeMs now);
  ErrorCode limitsSeen(const LimitsSeen& event, TimeMs now);
  /// Wall-clock time, ms since 1970, for prices that depend on it.
  ErrorCode wallClock(std::int64_t epochMs, TimeMs now);
  /// The step's output is known from an earlier run: it is delivered without a call.
  ErrorCode recalled(StepIndex step, TimeMs now);
  ErrorCode looked(const Looked& event, TimeMs now);
  ErrorCode stored(StepIndex step, bool admitted, TimeMs now);
  ErrorCode cancelStep(StepIndex step, TimeMs now);
  ErrorCode cancelRun(TimeMs now);

  /// Commands since the last drain; dispatches first. Borrowed until the next call of any method.
  const CommandBuffer& drain();
  /// When something can happen without an event; kNever when only events can move the run.
  TimeMs nextWake() const;
  bool finished() const { return finished_; }
  Outcome outcome() const { return outcome_; }
  /// The error that the last refused event or the plan met.
  const Error& error() const { return reader_.error() ? reader_.error() : error_; }

  // Prompts: the host hands over texts, the core assembles. See prompts.cpp.
  ErrorCode promptBegin(CallId call);
  /// The prompt of the step's main call to a provider as if there had been no call yet: what the cache is asked with.
  ErrorCode promptToLook(StepIndex step, ProviderIndex provider);
  /// How strictly the provider of the prompt enforces the output.
  ConstraintLevel promptLevel() const { return promptLevel_; }
  ErrorCode promptFile(std::string_view path, std::string_view text);
  ErrorCode promptDependency(StepIndex step, std::string_view text);
  ErrorCode promptAnswer(std::string_view answer, std::string_view issues);
  const Prompt& promptEnd();
  ConstraintLevel constraintLevel(CallId call) const;
  ConstraintLevel strictest(StepIndex step, ProviderIndex provider, Purpose purpose) const;
  Checked check(StepIndex step, std::string_view answer) const;

  // Documents (UTF-8 JSON, DOT for Dot). `from`: the first to list, for Steps and Warnings.
  std::string document(Document kind, std::uint32_t from = 0) const;

  // For reports, simulation and tests.
  const Plan& plan() const { return reader_.plan(); }
  const Table& table() const { return table_; }
  const Router& router() const { return router_; }
  const RunOptions& options() const { return options_; }
  const std::vector<CallRecord>& calls() const { return calls_; }
  const std::vector<StepRecord>& steps() const { return steps_; }
  const Slots& slots() const { return slots_; }
  const Health& health() const { return health_; }
  Quotas& quotas() { return quotas_; }
  const CellVisits& visits() const { return visits_; }
  const CacheTotals& cache() const { return cache_; }
  bool planEnded() const { return planEnded_; }
  bool begun() const { return begun_; }
  TimeMs beganAt() const { return beganAt_; }
  TimeMs now() const { return now_; }
  MicroUsd cost() const { return spent_.usd; }
  const Spend& spent() const { return spent_; }
  const Spend& reserved() const { return reserved_; }
  /// What failed calls may have cost beyond their estimate: counted against the budget, not as spent.
  const Spend& held() const { return held_; }

 private:
  // plan_events.cpp
  ErrorCode afterPlanBytes();
  void adoptSteps();
  void routeSteps();
  void routeStep(StepIndex step);
  void refreshPaths();
  void searchRank();
  void invalidPlan();
  // call_events.cpp
  ErrorCode liveCall(CallId call, TimeMs now, StepEvent event);
  void endCall(CallRecord& call, TimeMs now);
  void account(CallRecord& call, const TokenCounts& tokens);
  void release(CallRecord& call, std::int64_t used, bool sent);
  void withhold(CallId call);
  void firstOfPair(CallId winner);
  void checkSpeed(CallId call);
  void cancelCall(CallId call, Reason reason);
  bool keepsFirst(const CallRecord& call) const;
  // answers.cpp
  ErrorCode ended(const Failed& event, bool cut, TimeMs now);
  void hold(const CallRecord& call);
  TokenCounts usedBy(CallRecord& call, const Failed& event) const;
  std::uint32_t promptGuess(const CallRecord& call) const;
  void hear(const CallRecord& call, const Failed& event);
  StepEvent answerEvent(const CallRecord& call, const StepRecord& step, bool violated) const;
  void applyAnswer(StepIndex step, StepEvent event, CallId call);
  // settle.cpp
  ErrorCode move(StepIndex step, StepEvent event);
  ErrorCode stepEvent(StepIndex step, StepEvent event, TimeMs now);
  void deliver(StepIndex step);
  void settle(StepIndex step);
  void passOn(StepIndex step, std::vector<StepIndex>& skipped);
  void cancelOne(StepIndex step, Reason reason);
  void cancelAll(Reason reason);
  // prompts.cpp
  ErrorCode promptBegin(StepIndex step, Purpose purpose, ConstraintLevel level);
  // lookups.cpp
  CacheUse cacheUse(StepIndex step) const;
  void look(StepIndex step);
  bool follows(StepIndex step, std::uint32_t key);
  void hit(StepIndex step, int how, const Saving& worth, double detail);
  void share(StepIndex step, StepIndex leader);
  void relieve(StepIndex leader, std::vector<StepIndex>& settled);
  void store(StepIndex step);
  // attempts.cpp
  Again decide(const CallRecord& call, const Failed& event, bool cut) const;
  std::int64_t backOff(std::uint32_t tries);
  void tryAgain(CallId call, const Failed& event, const Again& again);
  Interrupt interruptPolicy(StepIndex step) const;
  void giveUp(StepIndex step, Purpose purpose, FailureKind kind);
  void deliverFirst(StepIndex step, Purpose purpose, FailureKind kind);
  void expire(StepIndex step);
  void changed(ProviderIndex provider, BreakerChange change);
  // offers.cpp
  Offer offer(const ReadyItem& item, Target target);
  Offer priced(const ReadyItem& item, Target target, Offer offer);
  bool countsPrompts() const;
  std::uint32_t promptBound(const ReadyItem& item, const Model& model);
  std::uint32_t answerLimit(const ReadyItem& item, const Model& model) const;
  std::uint32_t answerEstimate(const Step& step, Purpose purpose) const;
  Spend worstCase(Target target, std::uint32_t promptTokens, std::uint32_t answerTokens) const;
  bool atPeak(ProviderIndex provider, TimeMs at) const;
  bool fitsBudget(StepIndex step, const Spend& more) const;
  // dispatch.cpp
  void beginPhase(StepIndex step, Purpose purpose);
  void enqueue(StepIndex step, Purpose purpose);
  void dispatch();
  bool dispatchOne();
  Placement place(GroupIndex group, const ReadyItem& item);
  void blocked(const ReadyItem& item, const Placement& placement);
  CallId call(const ReadyItem& item, const Placement& placement);
  void reserve(CallRecord& call, const Offer& offer);
  void tell(const CallRecord& call, CallId id, std::int64_t estimate);
  bool stale(const ReadyItem& item) const;
  // shortage.cpp
  void narrow(const ReadyItem& item, const Placement& placement);
  bool cheaper(const ReadyItem& item);
  void shortage(const ReadyItem& item);
  bool skipOptional();
  void drop(StepIndex step, Reason reason);
  bool declared(Rung rung) const;
  // timers.cpp
  void fireTimers();
  void hedge(CallId call);
  void finishIfOver();
  // run.cpp
  ErrorCode timed(TimeMs now);
  ErrorCode refuse(ErrorCode code, std::string where, std::string detail);
  ErrorCode unknown(ErrorCode code, const char* what, std::uint32_t number);
  double* command(CommandKind kind, StepIndex step, Target target);
  double* note(Reason reason, StepIndex step);
  double* note(Reason reason, StepIndex step, Target target);

  PlanReader reader_;
  RunOptions options_;
  Table table_;
  Router router_;
  Slots slots_;
  GraphLinks links_;
  std::vector<StepRecord> steps_;
  std::vector<CallRecord> calls_;
  std::vector<ReadyQueue> queues_;         // by group
  std::vector<std::int64_t> remainingMs_;  // by step
  std::vector<std::uint32_t> rank_;        // by step, empty unless searched
  std::vector<std::pair<StepIndex, Error>> routeWarnings_;
  std::vector<TokenFactor> factors_;  // by model
  Quotas quotas_;
  Health health_;
  Rng rng_{1};
  Timers delayed_, hedges_, deadlines_;  // of steps, calls, steps
  Spend spent_, reserved_, held_;
  MicroUsd planned_ = 0;  // expected cost of the steps that are not optional and not started
  TimeMs wakeAt_ = kNever;
  std::int64_t epochMs_ = -1;  // wall clock at time 0, −1 unknown
  std::uint32_t hedged_ = 0;
  std::vector<StepIndex> leaders_;  // by key, kNone for none
  CacheTotals cache_;
  bool withheld_ = false, cacheFailed_ = false, skipOptional_ = false, budgetStopped_ = false;
  CommandBuffer commands_, handedOut_;
  CellVisits visits_{};
  Error error_;
  std::uint32_t routed_ = 0;         // steps routed so far
  std::uint32_t pathsKnownFor_ = 0;  // steps at the last refresh of remainingMs_
  std::uint32_t unsettled_ = 0;
  std::uint32_t liveCalls_ = 0;
  TimeMs now_ = 0, beganAt_ = 0;
  bool begun_ = false, planEnded_ = false, finished_ = false, cancelled_ = false, refused_ = false;
  Outcome outcome_ = Outcome::Ok;

  // the prompt being assembled
  StepIndex promptStep_ = kNone;
  Purpose promptPurpose_ = Purpose::Main;
  ConstraintLevel promptLevel_ = ConstraintLevel::Instruct;
  std::vector<std::pair<std::string, std::string>> promptFiles_;
  std::vector<std::pair<StepIndex, std::string>> promptDependencies_;
  std::string promptAnswer_, promptIssues_;
  Prompt prompt_;
};

/// {"tokensBefore","tokensAfter","removals":[{"rule","count","bytes","tokens"}]}: what stripping did to a prompt.
std::string removalsJson(const Prompt& prompt);

}  // namespace aetherflow
