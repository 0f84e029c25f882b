#pragma once
// The machine behind a Run: how its parts (purse, limits, health, queues, leaders, notes) work together on an event.
// The contract is in run.hpp. One .cpp per family:
//
//   plan_events  plan bytes arrive, the run begins        call_events  signals of calls in flight
//   dispatch     ready work is given out                 call_ends    what an answer or a failure means to its step
//   offers       may it go to that target now?            flow         the automaton, settling, passing on, cancelling
//   shortage     what can never run, and the budget ladder lookups      the cache, identical requests
//   timers       what falls due without an event          signals      events as numbers
//   prefix_waits prompts that begin alike: who leads
//   holds        places that are held back for steps about to become ready
//   drafts       drafts, their verdicts, and what they are compared with

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/rng.hpp"
#include "core/limit/quotas.hpp"
#include "core/limit/slots.hpp"
#include "core/plan/reader.hpp"
#include "core/prompt/constraint.hpp"
#include "core/prompt/tokens.hpp"
#include "core/route/health.hpp"
#include "core/route/router.hpp"
#include "core/run/attempts.hpp"
#include "core/run/event.hpp"
#include "core/run/leaders.hpp"
#include "core/run/notes.hpp"
#include "core/run/offer.hpp"
#include "core/run/options.hpp"
#include "core/run/phases.hpp"
#include "core/run/prefix_leads.hpp"
#include "core/run/prefixes.hpp"
#include "core/run/pricing.hpp"
#include "core/run/prompt_desk.hpp"
#include "core/run/purse.hpp"
#include "core/run/state.hpp"
#include "core/schedule/graph_links.hpp"
#include "core/schedule/ready_queue.hpp"
#include "core/schedule/rollout.hpp"
#include "core/schedule/timers.hpp"

namespace aetherflow {

class Machine {
 public:
  Machine(PlanLimits limits, const PhaseTable& phases);
  Machine(const Machine&) = delete;  // the router points into the table
  Machine& operator=(const Machine&) = delete;

  // The events and questions of run.hpp.
  ErrorCode planBytes(std::string_view bytes, TimeMs now);
  ErrorCode planEnd(TimeMs now);
  ErrorCode begin(std::string_view optionsJson, TimeMs now);
  ErrorCode signal(EventKind kind, const double* values, TimeMs now);
  ErrorCode tick(TimeMs now);
  ErrorCode prompted(CallId call, std::uint32_t tokens, std::uint32_t stripped, TimeMs now);
  ErrorCode refused(const Refused& event, TimeMs now);
  ErrorCode freed(std::uint32_t provider, std::uint32_t model, TimeMs now);
  ErrorCode started(const Started& event, TimeMs now);
  ErrorCode firstToken(CallId call, TimeMs now);
  ErrorCode progress(CallId call, std::uint32_t tokens, TimeMs now);
  ErrorCode succeeded(const Succeeded& event, TimeMs now);
  ErrorCode failed(const Failed& event, TimeMs now);
  ErrorCode verdict(CallId judge, Verdict verdict, std::int64_t number, TimeMs now);
  ErrorCode checked(CallId call, bool pass, TimeMs now);
  ErrorCode limitsSeen(const LimitsSeen& event, TimeMs now);
  ErrorCode wallClock(std::int64_t epochMs, TimeMs now);
  ErrorCode recalled(StepIndex step, bool joined, TimeMs now);
  ErrorCode expanded(StepIndex step, TimeMs now);
  ErrorCode weighed(StepIndex step, std::uint32_t tokens, std::uint32_t file, TimeMs now);
  ErrorCode retrieved(StepIndex step, std::uint32_t tokens, TimeMs now);
  ErrorCode looked(const Looked& event, TimeMs now);
  ErrorCode stored(StepIndex step, bool admitted, TimeMs now);
  ErrorCode drafting(StepIndex step, Reason against, bool beside, TimeMs now);
  ErrorCode cancelStep(StepIndex step, Reason reason, TimeMs now);
  ErrorCode cancelRun(TimeMs now);
  const CommandBuffer& drain();
  TimeMs nextWake() const;
  ErrorCode promptBegin(CallId call);
  ErrorCode promptToLook(StepIndex step, ProviderIndex provider);
  ErrorCode promptDependency(StepIndex step, std::string_view text);
  std::int64_t mostTokens(CallId call) const;
  Checked check(StepIndex step, std::string_view answer) const;

 private:
  friend class Run;

  // machine.cpp
  ErrorCode timed(TimeMs now);
  ErrorCode refuse(ErrorCode code, std::string where, std::string detail);
  ErrorCode unknown(ErrorCode code, const char* what, std::uint32_t number);
  const Error& error() const { return reader_.error() ? reader_.error() : error_; }
  void finishIfOver();
  const std::vector<Error>& errors() const { return reader_.error() ? reader_.errors() : refusals_; }
  const Plan& plan() const { return reader_.plan(); }
  const Phase& phase(Purpose purpose) const { return phases_[static_cast<std::size_t>(purpose)]; }
  const Provider& providerOf(const CallRecord& call) const { return table_.providers[call.target.provider]; }
  const Model& modelOf(const CallRecord& call) const { return table_.models[call.target.model]; }
  std::int64_t wallMs() const { return epochMs_ < 0 ? -1 : epochMs_ + now_; }
  // plan_events.cpp
  ErrorCode afterPlanBytes();
  void adoptSteps();
  void connect(StepIndex step, StepIndex input);
  void routeSteps();
  void routeStep(StepIndex step);
  void becomeReady(StepIndex step);
  void refuseRoutes(StepIndex first);
  void refreshPaths();
  void invalidPlan();
  // call_events.cpp
  ErrorCode liveCall(CallId call, TimeMs now, StepEvent event);
  bool grow(CallRecord& call, std::uint32_t bound);
  void neverLeft(CallId call, FailureKind kind, Refusal why = Refusal::Count);
  void firstOfPair(CallId winner);
  void cancelCall(CallId call, Reason reason);
  void checkSpeed(CallId call);
  // call_ends.cpp
  struct Meaning {
    StepEvent event = StepEvent::Succeeded;
    Purpose next = kNoPhase;
  };
  Meaning meaningOf(const CallRecord& call, bool accepted) const;
  void applyAnswer(StepIndex step, CallId call, const Meaning& meaning);
  bool audits(StepIndex step) const;
  Purpose nextPhase(StepIndex step, Purpose next) const;
  bool isChecked(StepIndex step) const;
  bool checks(const CallRecord& call, bool accepted) const;
  ErrorCode ended(const Failed& event, bool cut, TimeMs now);
  Again afterFailure(const Failed& event, bool cut, TimeMs now) const;
  void settleCall(CallRecord& call, const TokenCounts& tokens, bool uncertain, bool sent);
  void endCall(CallRecord& call);
  TokenCounts usedBy(CallRecord& call, const Failed& event) const;
  std::uint32_t promptGuess(const CallRecord& call) const;
  void learnFromFailure(const CallRecord& call, const Failed& event);
  void remember(Target target, FailureKind kind);
  void relax(CallId call, FailureKind kind);
  void tryAgain(CallId call, const Failed& event, const Again& again);
  bool keepsFirst(const StepRecord& step) const;
  Interrupt interruptPolicy(StepIndex step) const;
  void giveUp(StepIndex step, FailureKind kind);
  void deliverFirst(StepIndex step, FailureKind kind);
  void breakerChanged(ProviderIndex provider, BreakerChange change);
  // flow.cpp
  ErrorCode move(StepIndex step, StepEvent event);
  ErrorCode stepEvent(StepIndex step, StepEvent event, TimeMs now);
  void deliver(StepIndex step);
  void settle(StepIndex step);
  bool endedWell(StepIndex index) const;
  Reason lostBecause(StepIndex input) const;
  void passOn(StepIndex step, std::vector<StepIndex>& skipped);
  void cancelOne(StepIndex step, Reason reason);
  void cancelAll(Reason reason);
  // prompts.cpp
  ConstraintLevel constraintLevel(CallId call) const;
  ConstraintLevel strictest(StepIndex step, ProviderIndex provider, Purpose purpose) const;
  // lookups.cpp
  CacheUse cacheUse(StepIndex step) const;
  void look(StepIndex step);
  bool follows(StepIndex step, std::uint32_t key);
  void hit(StepIndex step, Origin origin, const Saving& worth, double score, StepIndex from);
  void share(StepIndex step, StepIndex leader);
  void releaseFollowers(StepIndex leader, std::vector<StepIndex>& settled);
  void store(StepIndex step);
  // drafts.cpp
  GroupIndex routeOf(StepIndex step, PhaseRoute route);
  bool drafts(StepIndex step);
  bool affordsDraft(StepIndex step);
  void goOn(StepIndex step, Reason why, FailureKind kind);
  ErrorCode verified(CallId call, Verdict verdict, std::int64_t kept);
  CallId atOnce(ReadyItem item, GroupIndex group, ProviderIndex except);
  void asides();
  void aside(StepIndex step);
  CallId callBeside(StepIndex step, Purpose purpose, GroupIndex group);
  void draftBeside(StepIndex step);
  void verifyBeside(StepIndex step);
  void besideAnswered(CallId call);
  void besideEnded(StepIndex step, Reason why, FailureKind kind);
  ErrorCode verifiedBeside(CallId judge, Verdict verdict, std::int64_t kept);
  bool mayDraft(StepIndex step);
  void accept(StepIndex step, CallId judge, bool patched, std::int64_t kept);
  ErrorCode compared(CallId judge, Verdict verdict);
  // offers.cpp
  Offer offer(const ReadyItem& item, Target target);
  Offer priced(const ReadyItem& item, Target target, Offer offer);
  std::int64_t affordable(Target target, const Offer& offer, const Spend& rest) const;
  bool blockedByOthers(QuotaIndex quota, Offer& offer) const;
  bool countsPrompts() const;
  std::uint32_t promptBoundOf(StepIndex step, ModelIndex model);
  bool fitsRun(StepIndex step, const Spend& more) const {
    return purse_.fitsRun(more, plan().steps[step].optional || phase(steps_[step].phase).aside());
  }
  // dispatch.cpp
  ReadyItem itemOf(StepIndex step) const;
  void beginPhase(StepIndex step, Purpose purpose, bool continuing = false);
  void enqueue(StepIndex step);
  void dispatch();
  bool dispatchOne();
  bool skipped(StepIndex step) const;
  bool leftOut(GroupIndex group, const ReadyItem& item);
  bool turnsToDraft(GroupIndex group, const ReadyItem& item);
  ReadyItem take(GroupIndex group, Placement& placement, bool inOrder);
  Placement place(GroupIndex group, const ReadyItem& item);
  void blocked(const ReadyItem& item, const Placement& placement);
  CallId call(const ReadyItem& item, const Placement& placement);
  void reserve(CallRecord& call, const Offer& offer);
  void remark(const CallRecord& call, bool moved);
  void tell(const CallRecord& call, CallId id);
  // holds.cpp
  Target preferred(const StepRecord& step) const { return router_.group(step.group).admissible.front(); }
  Project projectOf(const std::vector<StepIndex>& steps) const;
  void planHolds();
  bool holdsBack(const ReadyItem& item, const Placement& placement);
  bool heldBack(StepIndex step);
  bool sameMoment();
  bool chosen(StepIndex step);
  bool fewPlaces(Target target) const;
  TimeMs heldUntil(StepIndex step) const;
  // prefix_waits.cpp
  struct LeadState {
    bool warm = false, full = false;
    CallId leader = kNone;  ///< one that reads it now
  };
  void knowPrefixes();
  std::uint32_t leafOf(StepIndex step, Purpose purpose) const;
  bool worthKnowing(std::uint32_t node, Target target) const;
  std::uint32_t leadOf(std::uint32_t node, StepIndex step, Target target, Purpose purpose);
  LeadState stateOf(const Lead& lead) const;
  bool waitsForPrefix(const ReadyItem& item, Placement& placement);
  ModelIndex nextModel(GroupIndex group) const;
  std::uint32_t countOthers(const Lead& lead, const ReadyItem& item) const;
  bool awaits(const ReadyItem& item, const Placement& placement, std::uint32_t lead);
  std::int64_t longestLeft();
  void unpark();
  void sharePrefix(CallRecord& call, CallId id, std::uint32_t lead);
  void learnReading(CallRecord& call, const TokenCounts& tokens);
  // shortage.cpp
  void narrow(const ReadyItem& item, const Placement& placement);
  void withoutTarget(StepIndex step, Target target, FailureKind kind);
  bool cheaper(const ReadyItem& item);
  void shortage(const ReadyItem& item);
  bool shrink(const ReadyItem& item);
  Shortfall shortfall(const ReadyItem& item);
  bool skipOptional();
  void drop(StepIndex step, Reason reason);
  bool declared(Rung rung) const;
  // timers.cpp
  void fireTimers();
  void hedge(CallId call);
  void expire(StepIndex step);

  const PhaseTable& phases_;
  PlanReader reader_;
  RunOptions options_;
  Table table_;
  Router router_;
  std::vector<StepRecord> steps_;
  std::vector<CallRecord> calls_;

  // What decides between ready work and calls.
  Purse purse_;
  Slots slots_;
  Quotas quotas_;
  Health health_;
  std::vector<TokenFactor> factors_;  // by model
  std::vector<FailureKind> gone_;     // by model: why it is no longer asked; Count: still asked
  struct Looser {
    ModelIndex model;
    StepIndex step;  // whose output it rejected
    ConstraintLevel strictest;
  };
  std::vector<Looser> looser_;  // what models refused to enforce
  GraphLinks links_;
  std::vector<ReadyQueue> queues_;         // by group
  std::vector<std::int64_t> remainingMs_;  // by step
  /// Places held back; see schedule/rollout.hpp.
  struct Holds {
    std::unique_ptr<Rollout> rollout;
    std::vector<StepIndex> steps;  ///< by task of the rollout, ascending
    std::uint32_t known = 0;       ///< steps of the run when that was made
    std::uint64_t spent = 0;       ///< by earlier ones
    DurationSpread spread;
    struct Held {
      StepIndex step;
      TimeMs until;
    };
    std::vector<Held> held;                ///< for whom, and until when at most
    std::array<std::int64_t, 4> moment{};  ///< when that was decided: it holds as long as nothing happens
  };
  Holds holds_;
  Timers delayed_, hedges_, deadlines_;  // of steps, calls, steps
  Prefixes prefixes_;
  TextIndex leadIndex_;  // bytes of (node, model, form) → leads_
  std::vector<Lead> leads_;
  std::vector<ReadingSpeed> reading_;  // by model
  std::vector<StepIndex> parked_;      // wait for a prompt cache
  std::uint32_t prefixesFor_ = 0;      // steps that the trie knows
  std::uint32_t longestFor_ = kNone;   // unsettled steps when `longest_` was looked for
  std::int64_t longest_ = 0;
  std::vector<StepIndex> asides_;  // steps beside which a call is due with the next drain
  Leaders leaders_;
  PromptDesk desk_;
  Notes notes_;
  Rng rng_{1};

  TimeMs now_ = 0, beganAt_ = 0, wakeAt_ = kNever;
  std::int64_t epochMs_ = -1;  // wall clock at time 0, −1 unknown
  std::uint32_t hedged_ = 0;
  std::uint32_t routed_ = 0;         // steps routed so far
  std::uint32_t pathsKnownFor_ = 0;  // steps at the last refresh of remainingMs_
  std::uint32_t unsettled_ = 0;
  std::uint32_t liveCalls_ = 0;
  bool begun_ = false, planEnded_ = false, finished_ = false, cancelled_ = false, refused_ = false;
  bool spreads_ = false;  // some step of the plan does
  bool withheld_ = false, cacheFailed_ = false, skipOptional_ = false, budgetStopped_ = false;
  Outcome outcome_ = Outcome::Ok;
  CacheTotals cache_;
  CellVisits visits_{};
  Error error_;
  std::vector<Error> refusals_;  ///< steps that cannot be routed
};

}  // namespace aetherflow
