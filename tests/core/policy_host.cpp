#include "policy_host.hpp"

#include <algorithm>

namespace aetherflow::testing {
namespace {

constexpr int kTurns = 20'000;

}  // namespace

PolicyHost::PolicyHost(std::uint64_t seed, std::string plan)
    : rng_(seed), plan_(std::move(plan)), setting_(randomSetting(rng_)), ledger_(setting_, run_) {
  faults_ = rng_.below(70);
  fresh_ = oneIn(2) ? 2 : 20;
  chunk_ = oneIn(4) ? 1 + rng_.below(300) : plan_.size();
}

ErrorCode PolicyHost::send(EventKind kind, std::vector<double> values) {
  values.resize(kSignalValues, -1);
  return run_.signal(kind, values.data(), now_);
}

void PolicyHost::add(std::int64_t after, CallId call, What what) {
  due_.push_back({now_ + after, order_++, call, what});
  std::push_heap(due_.begin(), due_.end());
}

void PolicyHost::play() {
  begin();
  drain();
  for (int turn = 0; !run_.finished() && finding().empty(); ++turn) {
    if (turn == kTurns) return ledger_.expect(false, "no end");
    const TimeMs wake = run_.nextWake();
    TimeMs next = due_.empty() ? kNever : due_.front().at;
    if (wake < next) next = wake + (oneIn(5) ? rng_.below(300) : 0);  // hosts wake late, never early
    if (!run_.planEnded()) next = std::min<TimeMs>(next, now_ + rng_.below(50));
    if (next == kNever) return ledger_.expect(false, "nothing to wait for");
    now_ = std::max(now_, next);
    must(send(EventKind::Tick, {}), "a tick is refused");
    if (!run_.planEnded()) feed();
    while (!due_.empty() && due_.front().at <= now_ && !run_.finished()) {
      const Due due = due_.front();
      std::pop_heap(due_.begin(), due_.end());
      due_.pop_back();
      happen(due);
      if (oneIn(3)) drain();
    }
    if (oneIn(20) && !run_.finished()) disturb();
    drain();
  }
  if (finding().empty()) ledger_.atTheEnd(run_, now_);
}

void PolicyHost::begin() {
  if (oneIn(4)) feed();  // some of the plan may be there before the options
  must(run_.begin(setting_.json, now_), "the options are refused");
  if (oneIn(2)) {
    // A random hour of a random week.
    const std::int64_t epoch = 1'790'000'000'000 + std::int64_t{rng_.below(7 * 24)} * 3'600'000;
    must(send(EventKind::Clock, {static_cast<double>(epoch)}), "the clock is refused");
    ledger_.clock(epoch, now_);
  }
  if (!run_.planEnded()) feed();
  for (StepIndex step = 0; step < run_.steps().size(); ++step)
    if (oneIn(12)) must(send(EventKind::Recalled, {static_cast<double>(step)}), "a recalled step is refused");
}

void PolicyHost::feed() {
  const std::string_view piece = std::string_view(plan_).substr(fed_, chunk_);
  fed_ += piece.size();
  must(run_.planBytes(piece, now_), "the plan is refused");
  if (fed_ >= plan_.size()) must(run_.planEnd(now_), "the plan's end is refused");
  for (; drafted_ < run_.steps().size(); ++drafted_) {
    if (oneIn(2)) continue;
    const Reason against = !oneIn(4) ? Reason::None : oneIn(2) ? Reason::DraftOff : Reason::DraftSlow;
    must(send(EventKind::Drafting, {double(drafted_), double(against), oneIn(3) ? 1.0 : 0.0}),
         "a decision on a draft is refused");
  }
}

void PolicyHost::drain() {
  const CommandBuffer& commands = run_.drain();
  bytes_.append(reinterpret_cast<const char*>(commands.data()), commands.count() * kCommandStride * sizeof(double));
  for (std::size_t i = 0; i < commands.count(); ++i) {
    const double* record = commands.data() + i * kCommandStride;
    ledger_.command(record, now_);
    const auto kind = static_cast<CommandKind>(static_cast<int>(record[0]));
    const auto id = static_cast<CallId>(get(record, CommandField::Call));
    if (kind == CommandKind::Call) script(id);
    if (kind == CommandKind::Look)
      add(oneIn(2) ? 0 : rng_.below(oneIn(10) ? 5'000 : 30), static_cast<StepIndex>(get(record, CommandField::Step)),
          What::Looked);
    if (kind == CommandKind::Store && !oneIn(8)) {
      const double step = get(record, CommandField::Step);
      must(send(EventKind::Stored, {step, oneIn(3) ? 0.0 : 1.0}), "stored is refused");
    }
    if (kind == CommandKind::Cancel) add(oneIn(2) ? 0 : rng_.below(60), id, What::End);
  }
  ledger_.afterDrain(now_);
}

/// What the call will live through, unless it is cancelled before.
void PolicyHost::script(CallId id) {
  std::int64_t at = 0;
  if (!oneIn(5)) add(at += oneIn(2) ? 0 : rng_.below(20), id, What::Prompted);
  if (oneIn(12)) add(at + rng_.below(20), id, What::Prompted);
  if (!oneIn(8)) add(at += rng_.below(40), id, What::Started);
  const std::int64_t first = at + (oneIn(6) ? rng_.below(60'000) : rng_.below(1'500));
  std::int64_t end = first;
  if (!oneIn(5)) {
    add(first, id, What::FirstToken);
    for (int i = static_cast<int>(rng_.below(3)); i > 0; --i) add(end += rng_.below(900), id, What::Progress);
  }
  add(end + (oneIn(10) ? rng_.below(600'000) : rng_.below(3'000)), id, What::End);
}

void PolicyHost::happen(const Due& due) {
  if (due.what == What::Looked) return looked(due.call);
  const LedgerCall& call = ledger_.calls()[due.call];
  const double id = due.call;
  if (due.what == What::Verdict) {
    // The step may have been cancelled since.
    const StepRecord& step = run_.steps()[call.step];
    const bool beside = step.beside == due.call;
    const bool judging = beside || (step.state == StepState::Judging && step.call == due.call);
    const bool pass = oneIn(2);
    if (call.purpose == Purpose::Judge) return must(send(EventKind::Verdict, {id, pass ? 1.0 : 0.0}), "no comparison");
    if (judging && pass && !beside) ledger_.praised(call.step);
    const aetherflow::Verdict against = call.purpose == Purpose::Audit ? aetherflow::Verdict::Issues
                                        : oneIn(2)                     ? aetherflow::Verdict::Patch
                                                                       : aetherflow::Verdict::Reject;
    const auto word = static_cast<double>(pass ? aetherflow::Verdict::Pass : against);
    const bool taken = send(EventKind::Verdict, {id, word, double(rng_.below(1200))}) == ErrorCode::None;
    return ledger_.expect(taken == judging, "a verdict is taken when none is due, or the other way round");
  }
  if (!call.live) return;
  switch (due.what) {
    case What::Started: return must(send(EventKind::Started, {id, 1, 3}), "started is refused");
    case What::Prompted: return prompted(due.call);
    case What::FirstToken:
      must(send(EventKind::FirstToken, {id}), "firstToken is refused");
      return ledger_.firstToken(due.call, now_);
    case What::Progress:
      return must(send(EventKind::Progress, {id, static_cast<double>(rng_.below(40))}), "progress is refused");
    default: return end(due.call);
  }
}

/// What the cache has to say; of equal requests it may say different things from look to look.
void PolicyHost::looked(StepIndex step) {
  const bool looking = run_.steps()[step].state == StepState::Looking;
  const auto found = oneIn(3) ? static_cast<Found>(rng_.below(static_cast<std::uint32_t>(Found::Count))) : Found::None;
  if (keys_ < run_.steps().size() && (keys_ == 0 || oneIn(fresh_))) ++keys_;
  const double key = oneIn(10) ? -1 : rng_.below(keys_);
  ledger_.looked(step, found, key < 0 ? kNone : static_cast<std::uint32_t>(key));
  const double score = found == Found::Exact ? 1e6 : 930'000;
  const bool taken =
      send(EventKind::Looked, {double(step), double(found), key, double(rng_.below(5'000)), double(rng_.below(5'000)),
                               double(rng_.below(60'000)), score}) == ErrorCode::None;
  ledger_.expect(taken == looking, "an answer of the cache is taken when none is due, or the other way round");
}

void PolicyHost::prompted(CallId id) {
  const std::uint32_t tokens = 1 + rng_.below(oneIn(4) ? 20'000 : 300);
  must(send(EventKind::Prompted, {static_cast<double>(id), static_cast<double>(tokens), 0}), "prompted is refused");
  ledger_.prompted(id, run_.withheld(), now_);
}

/// No more than was reserved. Where nothing is counted, nothing is reserved, and anything may be reported.
TokenCounts PolicyHost::used(CallId id, bool whole) {
  const bool counted = setting_.counts() || ledger_.countsTokens();
  const std::uint32_t bound = counted ? run_.calls()[id].promptBound : 3'000;
  TokenCounts tokens;
  if (!whole && oneIn(2)) return tokens;
  tokens.in = oneIn(4) ? bound : rng_.below(bound + 1);
  tokens.cached = oneIn(3) ? rng_.below(tokens.in + 1) : 0;
  tokens.out = oneIn(4) ? ledger_.calls()[id].most : rng_.below(ledger_.calls()[id].most + 1);
  return tokens;
}

void PolicyHost::end(CallId id) {
  const bool cancelled = ledger_.calls()[id].cancelTold;
  if (cancelled && !oneIn(6)) return fail(id, FailureKind::Cancelled);
  if (rng_.below(100) >= faults_) return succeed(id);
  fail(id, static_cast<FailureKind>(rng_.below(static_cast<std::uint32_t>(FailureKind::Count))));
}

void PolicyHost::succeed(CallId id) {
  Succeeded event;
  event.call = id;
  event.tokens = used(id, true);
  event.tokensEstimated = oneIn(8);
  if (event.tokensEstimated && oneIn(2)) event.tokens.in = event.tokens.cached = 0;
  if (oneIn(12)) event.finish = oneIn(3) ? FinishReason::ContentFilter : FinishReason::Length;
  if (oneIn(15)) event.finish = FinishReason::Other;
  const LedgerCall call = ledger_.calls()[id];
  if (!kPhases[static_cast<std::size_t>(call.purpose)].judges() && oneIn(12)) event.verdict = CheckVerdict::NotJson;
  const bool whole = event.finish == FinishReason::Stop;
  if (!whole) event.tokensEstimated = false;
  const double v[] = {double(id),
                      double(event.tokens.in),
                      double(event.tokens.cached),
                      double(event.tokens.out),
                      0,
                      double(event.finish),
                      double(event.verdict),
                      -1,
                      event.tokensEstimated ? 1.0 : 0.0};
  must(send(EventKind::Succeeded, {v, v + 9}), "succeeded is refused");
  ledger_.ended(id, event.tokens, true, now_);
  ledger_.answered(id, event.finish == FinishReason::Stop && event.verdict == CheckVerdict::Passed);
  // A comparison is told with its answer: the run may end with it.
  if (whole && call.purpose == Purpose::Judge) return happen({now_, 0, id, What::Verdict});
  const StepRecord& step = run_.steps()[call.step];
  if (whole && (step.state == StepState::Judging || step.beside == id) &&
      kPhases[static_cast<std::size_t>(call.purpose)].judges())
    add(oneIn(4) ? rng_.below(200) : 0, id, What::Verdict);
}

void PolicyHost::fail(CallId id, FailureKind kind) {
  static constexpr double kAfter[] = {0, 1, 300, 2'000, 30'000, 600'000, 3'600'000, 1e9, 1e15, 1e18};
  Failed event;
  event.call = id;
  event.kind = kind;
  if (kind != FailureKind::Input) event.tokens = used(id, false);
  const double after = oneIn(3) ? kAfter[rng_.below(10)] : oneIn(20) ? -5 : -1;
  event.retryAfterMs = static_cast<std::int64_t>(after);
  event.shown = ledger_.calls()[id].arrived != kNever && oneIn(2);
  event.mayRetry = static_cast<std::int8_t>(oneIn(5) ? oneIn(2) : -1);
  const TokenCounts& t = event.tokens;
  ledger_.failing(event, now_);
  must(send(EventKind::Failed, {double(id), double(kind), after, double(t.in), double(t.cached), double(t.out), 0,
                                event.shown ? 1.0 : 0.0, double(event.mayRetry)}),
       "failed is refused");
  ledger_.ended(id, t, kind != FailureKind::Input, now_);
}

/// What people and headers do, and what must be refused.
void PolicyHost::disturb() {
  const std::size_t steps = run_.steps().size();
  if (steps == 0) return;
  const StepIndex step = rng_.below(static_cast<std::uint32_t>(steps));
  switch (rng_.below(8)) {
    case 0: {
      const bool over = settled(run_.steps()[step].state);
      const bool taken = send(EventKind::CancelStep, {double(step)}) == ErrorCode::None;
      return ledger_.expect(taken != over, "cancelStep is taken of a step that is over, or the other way round");
    }
    case 1:
      if (!oneIn(10)) return;
      return must(send(EventKind::CancelRun, {}), "cancelRun is refused");
    case 2: {
      const StepState state = run_.steps()[step].state;
      const bool first = run_.steps()[step].phase == Purpose::Main;
      const bool legal = state == StepState::Waiting || (state == StepState::Ready && first) ||
                         state == StepState::Looking || state == StepState::Following;
      const bool taken = send(EventKind::Recalled, {double(step)}) == ErrorCode::None;
      return ledger_.expect(taken == legal, "recalled is taken of a step that runs, or the other way round");
    }
    case 3:
    case 4: {
      if (ledger_.calls().empty()) return;
      const CallId id = rng_.below(static_cast<std::uint32_t>(ledger_.calls().size()));
      const auto window = static_cast<Window>(rng_.below(kWindows));
      const bool tokens = window == Window::TokensMinute || window == Window::TokensDay;
      const std::int64_t limit = oneIn(3) ? -1 : 1 + rng_.below(tokens ? 40'000 : 20);
      const double remaining = oneIn(3) ? -1 : rng_.below(tokens ? 20'000 : 10);
      must(send(EventKind::LimitsSeen,
                {double(id), double(window), double(limit), remaining, double(rng_.below(90'000)) - 1}),
           "limitsSeen is refused");
      return ledger_.limitSeen(id, window, limit);
    }
    default: return illegal();
  }
}

/// Late, duplicate and senseless events are refused and cost nothing.
void PolicyHost::illegal() {
  static constexpr EventKind kKinds[] = {EventKind::Started,  EventKind::Prompted,  EventKind::FirstToken,
                                         EventKind::Progress, EventKind::Succeeded, EventKind::Failed};
  const auto calls = static_cast<std::uint32_t>(ledger_.calls().size());
  const CallId id = rng_.below(calls + 2);
  const bool judges = id < calls && kPhases[static_cast<std::size_t>(ledger_.calls()[id].purpose)].judges();
  if (id < calls && (!judges || ledger_.calls()[id].live))
    ledger_.expect(send(EventKind::Verdict, {double(id), 1}) != ErrorCode::None,
                   "a verdict on what is no audit was taken");
  if (id < calls && ledger_.calls()[id].live) return;
  const StepIndex step = rng_.below(static_cast<std::uint32_t>(run_.steps().size()));
  if (run_.steps()[step].state != StepState::Looking)
    ledger_.expect(send(EventKind::Looked, {double(step), 1, 0, 1, 1, 1, 1e6}) != ErrorCode::None,
                   "an answer of the cache was taken that nobody waits for");
  const Spend before = run_.purse().spent(), held = run_.purse().reserved();
  const double number = oneIn(5) ? -1 : id;
  const ErrorCode code = send(kKinds[rng_.below(6)], {number, 1, 1, 1, 1, 0, 0, 1, 0});
  ledger_.expect(code != ErrorCode::None, "an event of a call that is over was taken");
  ledger_.expect(run_.purse().spent().usd == before.usd && run_.purse().spent().tokens == before.tokens,
                 "a refused event cost money");
  ledger_.expect(run_.purse().reserved().usd == held.usd && run_.purse().reserved().tokens == held.tokens,
                 "a refused event reserved");
  if (now_ == 0) return;
  --now_;
  ledger_.expect(send(EventKind::Tick, {}) == ErrorCode::RunTimeBackwards, "time went backwards");
  ++now_;
}

}  // namespace aetherflow::testing
