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
//  · A call ends by succeeded or failed, cancelled ones too; its place at the provider is held until then.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/expected.hpp"
#include "core/limit/slots.hpp"
#include "core/plan/reader.hpp"
#include "core/prompt/assemble.hpp"
#include "core/prompt/constraint.hpp"
#include "core/prompt/tokens.hpp"
#include "core/route/router.hpp"
#include "core/run/command.hpp"
#include "core/run/event.hpp"
#include "core/run/options.hpp"
#include "core/run/records.hpp"
#include "core/schedule/graph_links.hpp"
#include "core/schedule/ready_queue.hpp"

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
  ErrorCode tick(TimeMs now);
  ErrorCode started(const Started& event, TimeMs now);
  ErrorCode firstToken(CallId call, TimeMs now);
  ErrorCode progress(CallId call, std::uint32_t tokens, TimeMs now);
  ErrorCode succeeded(const Succeeded& event, TimeMs now);
  ErrorCode failed(const Failed& event, TimeMs now);
  ErrorCode verdict(CallId audit, bool pass, TimeMs now);
  ErrorCode cancelStep(StepIndex step, TimeMs now);
  ErrorCode cancelRun(TimeMs now);

  /// Commands since the last drain; dispatches first. Borrowed until the next call of any method.
  const CommandBuffer& drain();
  /// When something can happen without an event; kNever when only events can move the run.
  TimeMs nextWake() const { return kNever; }
  bool finished() const { return finished_; }
  Outcome outcome() const { return outcome_; }
  /// The error that the last refused event or the plan met.
  const Error& error() const { return reader_.error() ? reader_.error() : error_; }

  // Prompts: the host hands over texts, the core assembles. See prompts.cpp.
  ErrorCode promptBegin(CallId call);
  ErrorCode promptFile(std::string_view path, std::string_view text);
  ErrorCode promptDependency(StepIndex step, std::string_view text);
  ErrorCode promptAnswer(std::string_view answer, std::string_view issues);
  const Prompt& promptEnd();
  /// How strictly the call's provider can enforce the step's output.
  ConstraintLevel constraintLevel(CallId call) const;
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
  const CellVisits& visits() const { return visits_; }
  bool planEnded() const { return planEnded_; }
  bool begun() const { return begun_; }
  TimeMs beganAt() const { return beganAt_; }
  TimeMs now() const { return now_; }
  MicroUsd cost() const { return cost_; }

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
  StepEvent answerEvent(const CallRecord& call, const StepRecord& step, bool violated) const;
  void applyAnswer(StepIndex step, StepEvent event, CallId call);
  // settle.cpp
  ErrorCode move(StepIndex step, StepEvent event);
  void deliver(StepIndex step);
  void settle(StepIndex step);
  void passOn(StepIndex step, std::vector<StepIndex>& skipped);
  void cancelOne(StepIndex step, Reason reason);
  void cancelAll(Reason reason);
  // dispatch.cpp
  void enqueue(StepIndex step, Purpose purpose);
  void dispatch();
  bool place(GroupIndex group, const ReadyItem& item, Target& target, bool& overflowed) const;
  void call(const ReadyItem& item, Target target, bool overflowed);
  bool stale(const ReadyItem& item) const;
  std::uint32_t answerLimit(const Step& step, const Model& model, Purpose purpose) const;
  std::uint32_t answerEstimate(const Step& step, Purpose purpose) const;
  void finishIfOver();
  // run.cpp
  ErrorCode timed(TimeMs now);
  ErrorCode refuse(ErrorCode code, std::string where, std::string detail);
  double* note(Reason reason, StepIndex step);

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
  CommandBuffer commands_, handedOut_;
  CellVisits visits_{};
  Error error_;
  std::uint32_t routed_ = 0;         // steps routed so far
  std::uint32_t pathsKnownFor_ = 0;  // steps at the last refresh of remainingMs_
  std::uint32_t unsettled_ = 0;
  std::uint32_t liveCalls_ = 0;
  MicroUsd cost_ = 0;
  TimeMs now_ = 0, beganAt_ = 0;
  bool begun_ = false, planEnded_ = false, finished_ = false, cancelled_ = false, refused_ = false;
  Outcome outcome_ = Outcome::Ok;

  // the prompt being assembled
  CallId promptCall_ = kNone;
  std::vector<std::pair<std::string, std::string>> promptFiles_;
  std::vector<std::pair<StepIndex, std::string>> promptDependencies_;
  std::string promptAnswer_, promptIssues_;
  Prompt prompt_;
};

/// {"tokensBefore","tokensAfter","removals":[{"rule","count","bytes","tokens"}]}: what stripping did to a prompt.
std::string removalsJson(const Prompt& prompt);

}  // namespace aetherflow
