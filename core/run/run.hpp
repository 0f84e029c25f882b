#pragma once
// A run as a deterministic state machine: events in, commands out.
//
// Contract
//  · Time never decreases; it is ms on the host's clock, real or virtual.
//  · An event that is not legal returns its error and changes nothing.
//  · After an event, or several, call drain() and carry out the commands; then sleep until nextWake(). An extra tick is harmless.
//    Work is given out only in drain(): a host that feeds a whole plan before it drains gets the order of the whole plan, a
//    host that drains after every chunk gets early starts.
//  · Equal events and drains give equal command bytes, in every build.
//  · A call ends by succeeded or failed, cancelled ones too; its place at the provider is held until then. One that must not
//    leave is over at once: its `prompted` was withheld, or `refused` told that the shared limits had no room.
//  · Used and reserved together never exceed a limit or a budget, as long as a provider reports no more than was reserved.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/expected.hpp"
#include "core/limit/quotas.hpp"
#include "core/limit/slots.hpp"
#include "core/plan/reader.hpp"
#include "core/prompt/constraint.hpp"
#include "core/route/health.hpp"
#include "core/route/router.hpp"
#include "core/run/command.hpp"
#include "core/run/event.hpp"
#include "core/run/options.hpp"
#include "core/run/phases.hpp"
#include "core/run/prompt_desk.hpp"
#include "core/run/purse.hpp"
#include "core/run/state.hpp"

namespace aetherflow {

class Machine;

class Run {
 public:
  /// `phases` is for tests of phases that are not built yet; borrowed for the life of the run.
  explicit Run(PlanLimits limits = {}, const PhaseTable& phases = kPhases);
  ~Run();

  // Plan. An error of the plan ends the run as plan_invalid; its text is in document(Error).
  ErrorCode planBytes(std::string_view bytes, TimeMs now);
  ErrorCode planEnd(TimeMs now);
  // After its end, while a step of it spreads, planBytes begins another text of the same form: what the step spreads into, each with
  // `part_of`, the id of that step, and `values` for its description.

  // Signals.
  ErrorCode begin(std::string_view optionsJson, TimeMs now);
  /// Any event but the plan's and begin, by its numbers: see EVENT in base/vocabulary.def.
  ErrorCode signal(EventKind kind, const double* values, TimeMs now);
  ErrorCode tick(TimeMs now);
  /// The assembled prompt has `tokens`, after stripping saved `stripped`. `withheld`: the call must not leave, and is over.
  ErrorCode prompted(CallId call, std::uint32_t tokens, std::uint32_t stripped, TimeMs now);
  bool withheld() const;
  /// The limits that all runs share refused the call as it was about to leave; it is over, and no attempt was used.
  ErrorCode refused(const Refused& event, TimeMs now);
  /// The shared limits of the model's quota group may have room again.
  ErrorCode freed(ProviderIndex provider, ModelIndex model, TimeMs now);
  ErrorCode started(const Started& event, TimeMs now);
  ErrorCode firstToken(CallId call, TimeMs now);
  ErrorCode progress(CallId call, std::uint32_t tokens, TimeMs now);
  ErrorCode succeeded(const Succeeded& event, TimeMs now);
  ErrorCode failed(const Failed& event, TimeMs now);
  /// `number`: of a draft, how much of it stands, in 1/1000; -1: none.
  ErrorCode verdict(CallId judge, Verdict verdict, TimeMs now, std::int64_t number = -1);
  /// The result of the host's check of an answer, after the command `check`.
  ErrorCode checked(CallId call, bool pass, TimeMs now);
  ErrorCode limitsSeen(const LimitsSeen& event, TimeMs now);
  /// Wall-clock time, ms since 1970, for prices that depend on it.
  ErrorCode wallClock(std::int64_t epochMs, TimeMs now);
  /// The step's output is known from an earlier run: it is delivered without a call.
  /// `joined`: from its parts.
  ErrorCode recalled(StepIndex step, TimeMs now, bool joined = false);
  /// What the step spreads into was told as more of the plan, or its condition holds.
  ErrorCode expanded(StepIndex step, TimeMs now);
  /// The step's context files add `tokens` to its prompt. `file`: told of that one of its list alone, kNone: of all.
  ErrorCode weighed(StepIndex step, std::uint32_t tokens, std::uint32_t file, TimeMs now);
  /// What was found in the documents adds `tokens` to the step's prompt; 0: nothing was found, and it runs without.
  ErrorCode retrieved(StepIndex step, std::uint32_t tokens, TimeMs now);
  ErrorCode looked(const Looked& event, TimeMs now);
  ErrorCode stored(StepIndex step, bool admitted, TimeMs now);
  /// Settled: what the step was for is settled without it, and nothing fails for want of it. Unmet: its condition does not hold, and
  /// what depends on it is skipped as it is, but for an optional one's dependents. Both are skipped; else it is cancelled.
  ErrorCode cancelStep(StepIndex step, TimeMs now, Reason reason = Reason::UserCancelled);
  ErrorCode cancelRun(TimeMs now);

  /// Commands since the last drain; dispatches first. Borrowed until the next call of any method.
  const CommandBuffer& drain();
  /// When something can happen without an event; kNever when only events can move the run.
  TimeMs nextWake() const;
  bool finished() const;
  Outcome outcome() const;
  /// The error of the last refused event, or of the plan.
  const Error& error() const;
  /// All errors of the plan, error() first; empty while there are none.
  const std::vector<Error>& errors() const;

  // Prompts: the host hands over texts, the core assembles. See prompt_desk.hpp.
  ErrorCode promptBegin(CallId call);
  /// The prompt of the step's main call to a provider as if there had been no call yet: what the cache is asked with.
  ErrorCode promptToLook(StepIndex step, ProviderIndex provider);
  /// How strictly the provider of the prompt enforces the output.
  ConstraintLevel promptLevel() const;
  ErrorCode promptFile(std::string_view path, std::string_view text);
  ErrorCode promptDependency(StepIndex step, std::string_view text);
  ErrorCode promptAnswer(std::string_view answer, std::string_view issues);
  const Prompt& promptEnd();
  /// Tokens that a call may use at most, prompt and answer: what the shared limits are asked for. 0 for an unknown call.
  std::int64_t mostTokens(CallId call) const;
  Checked check(StepIndex step, std::string_view answer) const;

  // Documents (UTF-8 JSON, DOT for Dot). `from`: the first to list, for Steps and Warnings. `most`: steps that are listed.
  std::string document(Document kind, std::uint32_t from = 0, std::uint32_t most = kNone) const;

  // For reports, simulation and tests.
  const Plan& plan() const;
  /// Steps that count: with an error in the plan those before it.
  std::uint32_t stepCount() const;
  const Table& table() const;
  const Router& router() const;
  const RunOptions& options() const;
  const std::vector<CallRecord>& calls() const;
  const std::vector<StepRecord>& steps() const;
  const Purse& purse() const;
  const Slots& slots() const;
  const Health& health() const;
  /// Time to read one prompt token, µs; 0 unless measured.
  std::int64_t microsPerToken(ModelIndex model) const;
  Quotas& quotas();
  const CellVisits& visits() const;
  const CacheTotals& cache() const;
  bool planEnded() const;
  bool begun() const;
  TimeMs beganAt() const;
  TimeMs now() const;

 private:
  std::unique_ptr<Machine> machine_;
};

}  // namespace aetherflow
