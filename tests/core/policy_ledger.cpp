#include "policy_ledger.hpp"

#include <algorithm>

namespace aetherflow::testing {
namespace {

constexpr std::int64_t kLength[kWindows] = {60'000, 60'000, 86'400'000, 86'400'000};
constexpr bool ofTokens(std::size_t window) {
  return window % 2 == 1;
}
/// A hedge belongs to the work that it was made for.
std::uint8_t phaseBit(Purpose purpose) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(purpose == Purpose::Hedge ? Purpose::Main : purpose));
}

bool aside(Purpose purpose) {
  return kPhases[static_cast<std::size_t>(purpose)].aside();
}

}  // namespace

Ledger::Ledger(const PolicySetting& setting, const Run& run) : setting_(setting), run_(run) {
  for (const SettingGroup& group : setting.groups) {
    limits_.push_back(group.most);
    countsTokens_ = countsTokens_ || group.most[1] >= 0 || group.most[3] >= 0;
  }
  floors_.assign(setting.groups.size(), -1);
  health_.resize(setting.providers.size());
}

bool Ledger::atPeak(std::size_t provider, TimeMs at) const {
  if (epoch_ < 0) return false;
  const SettingProvider& one = setting_.providers[provider];
  const std::int64_t minutes = (epoch_ + at) / 60'000;
  const std::int64_t sinceMonday = (minutes + 3 * 1440) % (7 * 1440);  // 1970 began on a Thursday
  const std::int64_t ofDay = sinceMonday % 1440;
  return sinceMonday / 1440 + 1 == one.peakDay && ofDay >= one.peakFrom * 60 && ofDay < one.peakTo * 60;
}

MicroUsd Ledger::price(const LedgerCall& call, std::int64_t in, std::int64_t cached, std::int64_t out,
                       bool peak) const {
  const SettingModel& model = setting_.models[call.model];
  const std::int64_t pico = (in - cached) * model.in + cached * model.cached + out * model.out;
  const MicroUsd plain = pico / 1'000'000 + (pico % 1'000'000 > 0 ? 1 : 0);
  const std::int64_t percent = peak ? setting_.providers[call.provider].peakPercent : 100;
  return plain * percent / 100 + (plain * percent % 100 > 0 ? 1 : 0);
}

/// Tokens that a live call may still turn out to have used. What is reserved for its prompt is the core's to say; that
/// it covers the prompt is checked when the prompt is known.
std::int64_t Ledger::mayUse(std::size_t id) const {
  return std::int64_t{run_.calls()[id].promptBound} + calls_[id].most;
}

void Ledger::command(const double* record, TimeMs now) {
  const auto kind = static_cast<CommandKind>(static_cast<int>(record[0]));
  if (kind == CommandKind::Call) called(record, now);
  if (kind == CommandKind::Note) note(record, now);
  if (kind == CommandKind::Look) looks(record);
  if (kind == CommandKind::Store) stores(record);
  if (kind == CommandKind::Finish) ++finishes_;
  if (kind == CommandKind::Cancel) {
    LedgerCall& call = calls_[static_cast<std::size_t>(get(record, CommandField::Call))];
    // Between the event that asked for it and this drain it may have ended by itself.
    expect(call.live || call.ended == now, "a call that is over was cancelled");
    expect(!call.cancelTold, "a call was cancelled twice");
    call.cancelTold = true;
  }
  if (kind == CommandKind::Call && get(record, CommandField::Reason) >= 0)
    ++told_[static_cast<std::size_t>(get(record, CommandField::Reason))];
  if (kind == CommandKind::Deliver) {
    const auto step = static_cast<std::size_t>(get(record, CommandField::Step));
    delivered_.resize(std::max(delivered_.size(), step + 1));
    expect(++delivered_[step] == 1, "a step was delivered twice");
    if (get(record, CommandField::DeliverOrigin) > static_cast<double>(Origin::Recalled)) hit(record);
  }
}

void Ledger::called(const double* record, TimeMs now) {
  LedgerCall call;
  call.step = static_cast<StepIndex>(get(record, CommandField::Step));
  call.model = static_cast<std::size_t>(get(record, CommandField::Model));
  call.provider = static_cast<std::size_t>(get(record, CommandField::Provider));
  call.purpose = static_cast<Purpose>(static_cast<int>(get(record, CommandField::CallPurpose)));
  call.most = static_cast<std::uint32_t>(get(record, CommandField::CallMaxTokens));
  call.group = setting_.models[call.model].group;
  call.at = now;
  call.peak = atPeak(call.provider, now);
  expect(get(record, CommandField::Call) == static_cast<double>(calls_.size()), "calls are not numbered in order");
  expect(call.most > 0, "a call without room for an answer");
  expect(!stopped_, "a call after the budget stopped the run");
  expect(now >= floors_[call.group], "a call before Retry-After had passed");
  expect(aside(call.purpose) || now < run_.steps()[call.step].deadlineAt, "a call after the deadline of its step");
  notCached(call);
  phases(call, now);
  constraint(call, run_.calls()[calls_.size()].level);
  call.bound = run_.calls()[calls_.size()].promptBound;
  // Its verdict reads it, counted twice, and a full answer may follow.
  expect(call.purpose != Purpose::Draft || setting_.stepTokens < 0 ||
             std::int64_t{call.bound} + 3 * std::int64_t{call.most} <= setting_.stepTokens,
         "a draft whose verdict the budget does not hold");
  calls_.push_back(call);
  ++live_;
  if (call.purpose == Purpose::Hedge) ++hedges_;
  expect(hedges_ * std::uint64_t{1000} <= calls_.size() * std::uint64_t{setting_.hedgePermille}, "too many hedges");
  windows(call.group, now);
  budgets();
}

/// An output constraint is asked for more loosely only after a note has said so.
void Ledger::constraint(const LedgerCall& call, ConstraintLevel level) {
  if (kPhases[static_cast<std::size_t>(call.purpose)].judges()) return;
  constraints_.resize(std::max(constraints_.size(), std::size_t{call.step} + 1));
  Constraint& one = constraints_[call.step];
  const Purpose phase = call.purpose == Purpose::Hedge ? Purpose::Main : call.purpose;
  expect(!one.known || one.phase != phase || level <= one.level || one.relaxed, "a constraint was dropped unsaid");
  befores_.resize(calls_.size() + 1);
  befores_.back() = one;
  // A stricter hedge promises nothing: the call that it stands beside may still be the one that answers.
  one = {phase, call.purpose == Purpose::Hedge ? std::max(level, one.level) : level, true, false};
}

/// Attempts, hedges and probes.
void Ledger::phases(const LedgerCall& call, TimeMs now) {
  dead_.resize(std::max(dead_.size(), std::size_t{call.step} + 1));
  expect((dead_[call.step] & phaseBit(call.purpose)) == 0, "a failure fell through that must not");
  std::uint32_t before = 0, running = 0, atProvider = 0, inGroup = 0, probes = 0;
  for (const LedgerCall& other : calls_) {
    if (other.live) {
      atProvider += other.provider == call.provider ? 1 : 0;
      inGroup += other.group == call.group ? 1 : 0;
      probes +=
          other.provider == call.provider && health_[call.provider].open && other.at >= health_[call.provider].until
              ? 1
              : 0;
    }
    if (other.step != call.step || phaseBit(other.purpose) != phaseBit(call.purpose)) continue;
    running += other.live && !other.cancelTold ? 1 : 0;
    before += !other.withheld && !other.free && other.purpose != Purpose::Hedge ? 1 : 0;
  }
  if (call.purpose == Purpose::Hedge) {
    expect(before == 1 && running == 1, "a hedge beside a retry");
  } else {
    expect(before < (call.purpose == Purpose::Judge ? 2 : setting_.attempts), "more attempts than the policy has");
    expect(running == 0, "two live attempts of one step");
  }
  expect(atProvider < setting_.providers[call.provider].concurrency, "over the provider's concurrency");
  const std::uint32_t most = setting_.groups[call.group].concurrency;
  expect(most == 0 || inGroup < most, "over the group's concurrency");
  if (health_[call.provider].open) {
    expect(now >= health_[call.provider].until, "a call through an open breaker");
    expect(probes == 0, "two probes of one breaker");
  }
}

/// Is there a placement of any window that holds too much? Those that end with this moment are the worst: whatever came
/// later was checked later. One call that is larger than all of a limit that only headers told of may have the window to itself.
void Ledger::windows(std::size_t group, TimeMs now) {
  std::int64_t sum[kWindows] = {0, 0, 0, 0};
  int uses[kWindows] = {0, 0, 0, 0};
  for (std::size_t id = 0; id < calls_.size(); ++id) {
    const LedgerCall& call = calls_[id];
    if (call.group != group) continue;
    for (std::size_t w = 0; w < kWindows; ++w) {
      const TimeMs counted = ofTokens(w) ? call.ended : call.arrived;
      if (!call.sent || (counted != kNever && counted <= now - kLength[w])) continue;
      const std::int64_t amount = !ofTokens(w) ? 1 : call.live ? mayUse(id) : call.used;
      sum[w] += amount;
      uses[w] += amount > 0 ? 1 : 0;
    }
  }
  for (std::size_t w = 0; w < kWindows; ++w) {
    const std::int64_t configured = setting_.groups[group].most[w];
    const std::int64_t most = uses[w] == 1 ? configured : limits_[group][w];
    expect(most < 0 || sum[w] <= most, ofTokens(w) ? "tokens over a limit" : "requests over a limit");
  }
}

void Ledger::budgets() {
  MicroUsd usd = 0;
  std::int64_t tokens = 0;
  for (std::size_t id = 0; id < calls_.size(); ++id) {
    const LedgerCall& call = calls_[id];
    const std::int64_t most = call.live ? mayUse(id) : call.used + call.held.tokens;
    const MicroUsd worst =
        call.live
            ? std::max(price(call, run_.calls()[id].promptBound, 0, call.most, call.peak),
                       price(call, run_.calls()[id].promptBound, run_.calls()[id].promptBound, call.most, call.peak))
            : call.cost + call.held.usd;
    usd += worst;
    tokens += most;
    expect(setting_.attemptUsd < 0 || worst <= setting_.attemptUsd, "an attempt over its money");
    expect(setting_.attemptTokens < 0 || most <= setting_.attemptTokens, "an attempt over its tokens");
  }
  expect(setting_.runUsd < 0 || usd <= setting_.runUsd, "the run over its money");
  expect(setting_.runTokens < 0 || tokens <= setting_.runTokens, "the run over its tokens");
  if (calls_.empty() || (setting_.stepUsd < 0 && setting_.stepTokens < 0)) return;
  std::int64_t stepUsd = 0, stepTokens = 0;
  for (std::size_t id = 0; id < calls_.size(); ++id) {
    const LedgerCall& call = calls_[id];
    if (call.step != calls_.back().step) continue;
    stepUsd +=
        call.live ? price(call, run_.calls()[id].promptBound, 0, call.most, call.peak) : call.cost + call.held.usd;
    stepTokens += call.live ? mayUse(id) : call.used + call.held.tokens;
  }
  expect(setting_.stepUsd < 0 || stepUsd <= setting_.stepUsd, "a step over its money");
  expect(setting_.stepTokens < 0 || stepTokens <= setting_.stepTokens, "a step over its tokens");
}

void Ledger::note(const double* record, TimeMs now) {
  const auto reason = static_cast<Reason>(static_cast<int>(get(record, CommandField::Reason)));
  const double provider = get(record, CommandField::Provider);
  ++told_[static_cast<std::size_t>(reason)];
  if (reason == Reason::ConstraintRelaxed) {
    const auto step = static_cast<std::size_t>(get(record, CommandField::Step));
    if (step < constraints_.size()) constraints_[step].relaxed = true;
  }
  if (reason == Reason::BudgetStopped && get(record, CommandField::Step) < 0) stopped_ = true;
  if (reason == Reason::BreakerClosed) health_[static_cast<std::size_t>(provider)].open = false;
  if (reason == Reason::BreakerOpened) {
    Health& health = health_[static_cast<std::size_t>(provider)];
    health = {static_cast<TimeMs>(get(record, CommandField::NoteUntilMs)), true};
    expect(health.until - now <= setting_.maxOpenMs, "a breaker open for longer than stated");
  }
}

void Ledger::firstToken(CallId id, TimeMs now) {
  calls_[id].arrived = std::min(calls_[id].arrived, now);
}

void Ledger::prompted(CallId id, bool withheld, TimeMs now) {
  LedgerCall& call = calls_[id];
  if (withheld) {
    call.withheld = true;
    // It never left, so nothing was asked for.
    if (call.purpose != Purpose::Audit) constraints_[call.step] = befores_[id];
    call.live = call.sent = false;
    call.ended = call.arrived = now;
    --live_;
  } else if (run_.calls()[id].cancelled == Reason::None && run_.calls()[id].promptBound > 0) {
    // (One that was cancelled, if only in a command that is not drained yet, is on its way out whatever its prompt.)
    // The model's own measure may be half of the estimate, no less.
    expect(run_.calls()[id].promptBound * 2 >= run_.calls()[id].promptEstimate,
           "a prompt left that is larger than its reservation");
  }
  // A limit that was learned meanwhile may be below what is used already; only what was taken again has to fit.
  if (run_.calls()[id].promptBound > call.bound) windows(call.group, now);
  call.bound = run_.calls()[id].promptBound;
  budgets();
}

void Ledger::failing(const Failed& event, TimeMs now) {
  LedgerCall& call = calls_[event.call];
  const FailureRule rule = failureRule(event.kind);
  call.free = rule.free || asksToWait(event.kind, event.retryAfterMs, event.mayRetry);
  if (event.retryAfterMs >= 0 && (rule.retry || rule.fallback))
    floors_[call.group] = std::max(floors_[call.group], now + event.retryAfterMs);
  dead_.resize(std::max(dead_.size(), std::size_t{call.step} + 1));
  bool partner = false;
  for (const LedgerCall& other : calls_)
    partner = partner || (&other != &call && other.live && !other.cancelTold && other.step == call.step);
  if (partner || call.cancelTold) return;
  const Interrupt chosen = run_.plan().steps[call.step].onInterrupt;
  const Interrupt interrupt = chosen == Interrupt::Count ? setting_.interrupt : chosen;
  const bool plain = run_.calls()[event.call].level == ConstraintLevel::Instruct || call.purpose == Purpose::Audit;
  refused_.resize(dead_.size());
  const bool refusal = event.kind == FailureKind::BadRequest && plain;
  const bool again = refusal && (refused_[call.step] & phaseBit(call.purpose)) != 0;
  if (refusal) refused_[call.step] |= phaseBit(call.purpose);
  if (event.kind == FailureKind::Auth || again || (event.shown && interrupt == Interrupt::Fail))
    dead_[call.step] |= phaseBit(call.purpose);
}

void Ledger::ended(CallId id, const TokenCounts& told, bool sent, TimeMs now) {
  LedgerCall& call = calls_[id];
  call.live = false;
  call.sent = sent || call.arrived != kNever;
  call.ended = now;
  call.arrived = std::min(call.arrived, now);
  --live_;
  // Where nobody told what was used the core estimates; its estimate, marked as one, is then all there is to add up.
  const TokenCounts& tokens = run_.calls()[id].tokensEstimated ? run_.calls()[id].tokens : told;
  call.used = std::int64_t{tokens.in} + tokens.out;
  call.cost = price(call, tokens.in, std::min(tokens.cached, tokens.in), tokens.out, call.peak);
  const CallRecord& record = run_.calls()[id];
  if (record.failure != FailureKind::Count && record.tokensEstimated) {
    const MicroUsd most = price(call, record.promptBound, 0, call.most, call.peak);
    call.held = {std::max<MicroUsd>(0, most - call.cost), std::max<std::int64_t>(0, mayUse(id) - call.used)};
  }
  budgets();
}

void Ledger::limitSeen(CallId id, Window window, std::int64_t limit) {
  if (limit <= 0) return;
  const std::size_t w = static_cast<std::size_t>(window), group = calls_[id].group;
  if (ofTokens(w) && limit < run_.calls()[id].promptEstimate) return;  // the call itself is larger: a misprint
  const std::int64_t configured = setting_.groups[group].most[w];
  limits_[group][w] = configured >= 0 ? std::min(configured, limit) : limit;
  if (ofTokens(w)) countsTokens_ = true;
}

void Ledger::afterDrain(TimeMs now) {
  MicroUsd sum = 0;
  std::int64_t tokens = 0;
  for (const LedgerCall& call : calls_) {
    sum += call.cost;
    tokens += call.used;
  }
  expect(sum == run_.purse().spent().usd, "money is not counted once a call");
  expect(tokens == run_.purse().spent().tokens, "tokens are not counted once a call");
  expect(run_.nextWake() > now, "wants to be woken in the past");
  bool judging = false;
  for (const StepRecord& step : run_.steps()) judging = judging || step.state == StepState::Judging;
  for (const Cached& one : cached_) judging = judging || one.looking;
  const bool stuck = live_ == 0 && !judging && run_.nextWake() == kNever && !run_.finished() && run_.planEnded();
  expect(!stuck, "stuck");
}

void Ledger::atTheEnd(Run& run, TimeMs now) {
  expect(finishes_ == 1, "finish was not told once");
  expect(live_ == 0, "finished while a call was live");
  expect(run.purse().reserved().usd == 0 && run.purse().reserved().tokens == 0, "money is still reserved at the end");
  for (int p = 0; p < kPurposes; ++p)
    for (int s = 0; s < kStepStates; ++s)
      for (int e = 0; e < kStepEvents; ++e) {
        if (!run.visits()[p][s][e]) continue;
        const auto state = static_cast<StepState>(s);
        const auto event = static_cast<StepEvent>(e);
        const auto purpose = static_cast<Purpose>(p);
        if (stepCell(state, event, shapeOf(kPhases[p], purpose)).kind == CellClass::Never)
          expect(false, "a cell was met that nothing should reach: " + std::string(name(purpose)) + ": " +
                            std::string(name(state)) + " × " + std::string(name(event)));
      }
  delivered_.resize(run.steps().size());
  for (StepIndex i = 0; i < run.steps().size(); ++i) {
    const StepRecord& step = run.steps()[i];
    expect(settled(step.state), "a step without an end");
    expect((delivered_[i] == 1) == (step.state == StepState::Done), "delivered and done differ");
    expect(step.money.reserved().usd == 0 && step.money.reserved().tokens == 0, "a step has money reserved at the end");
  }
  for (std::size_t p = 0; p < setting_.providers.size(); ++p)
    expect(run.slots().inFlight(static_cast<ProviderIndex>(p)) == 0, "a place is still taken at the end");
  for (std::size_t g = 0; g < run.quotas().size(); ++g)
    for (std::size_t w = 0; w < kWindows; ++w)
      expect(run.quotas().window(static_cast<QuotaIndex>(g), static_cast<Window>(w)).taken(now + 3 * 86'400'000) == 0,
             "a limit is still reserved at the end");
  expect(run.cancelRun(now) == ErrorCode::RunOver, "the run goes on after its end");
}

}  // namespace aetherflow::testing
