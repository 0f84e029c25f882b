// Steps whose prompts share a prefix: one is sent, the others wait until the provider has read it, where that pays.

#include <algorithm>

#include "core/run/machine.hpp"

namespace aetherflow {
namespace {

/// A plan may hold 200,000 steps, and any number of beginnings: the steps after the first that could wait are enough to count.
constexpr StepIndex kCounted = 1000;

}  // namespace

/// The trie of the known steps; while a plan streams in it is rebuilt at each doubling, which forgets the leaders.
void Machine::knowPrefixes() {
  const auto steps = static_cast<std::uint32_t>(steps_.size());
  if (!planEnded_ && prefixesFor_ > 0 && steps < 2 * prefixesFor_) return;
  prefixesFor_ = steps;
  if (!prefixes_.update(plan(), steps)) return;
  leadIndex_ = {};
  leads_.clear();
  for (CallRecord& call : calls_) call.lead = kNone;
  for (const StepIndex waiting : parked_) steps_[waiting].parkedLead = kNone;
}

/// The deepest node of the prompt. A judge's prompt has no additions to the system text.
std::uint32_t Machine::leafOf(StepIndex step, Purpose purpose) const {
  return phase(purpose).judges() && !plan().steps[step].system.empty() ? kNone : prefixes_.leaf(step);
}

bool Machine::worthKnowing(std::uint32_t node, Target target) const {
  const std::uint32_t minimum = table_.providers[target.provider].cacheMinimum;
  return node != kNone && minimum > 0 && prefixes_.tokens(node) >= minimum;
}

/// The lead of a beginning at a model; the form is that of the step's output, where the provider enforces it.
std::uint32_t Machine::leadOf(std::uint32_t node, StepIndex step, Target target, Purpose purpose) {
  const ConstraintLevel level = std::max(steps_[step].strictest, strictest(step, target.provider, purpose));
  std::uint32_t form = static_cast<std::uint32_t>(level);
  if (level == ConstraintLevel::Native) form = TextIndex::hashOf(plan().steps[step].schema);
  const std::uint32_t key[] = {node, target.model, form};
  const auto next = static_cast<std::uint32_t>(leads_.size());
  const std::uint32_t lead = leadIndex_.emplace(keyOf(key), next).first->second;
  if (lead == next) {
    leads_.emplace_back();
    leads_[lead].node = node;
    leads_[lead].model = target.model;
  }
  return lead;
}

/// Whether the prefix can be read from the cache, and if not, whether enough calls are reading it now.
Machine::LeadState Machine::stateOf(const Lead& lead) const {
  const Provider& provider = table_.providers[table_.models[lead.model].provider];
  LeadState state;
  TimeMs usedAt = lead.usedAt;
  std::uint32_t known = 0;
  for (const CallId id : lead.calls) {
    if (id == kNone) continue;
    const CallRecord& call = calls_[id];
    if (call.firstTokenAt >= 0) {
      ++known;
      usedAt = std::max(usedAt, call.firstTokenAt);
    } else if (call.live && call.cancelled == Reason::None) {
      ++known;
      state.leader = id;
    }
  }
  const bool enough = known >= provider.cacheLeaders;
  state.full = enough && state.leader != kNone;
  state.warm = enough && !state.full && now_ - usedAt <= provider.cacheIdleMs;
  return state;
}

/// Finds what the item would read from the target's prompt cache, and whether it waits for more of it.
bool Machine::waitsForPrefix(const ReadyItem& item, Placement& placement) {
  if (options_.promptCache == PromptCacheUse::Off) return false;
  knowPrefixes();
  std::uint32_t awaited = kNone;
  for (std::uint32_t node = leafOf(item.step, item.purpose); worthKnowing(node, placement.target);
       node = prefixes_.parent(node)) {
    const std::uint32_t lead = leadOf(node, item.step, placement.target, item.purpose);
    const LeadState state = stateOf(leads_[lead]);
    if (state.warm) {
      placement.lead = lead;
      break;
    }
    if (awaited == kNone && state.full && !leads_[lead].missed) awaited = lead;
  }
  return awaited != kNone && !steps_[item.step].cold && awaits(item, placement, awaited);
}

/// Where the group's steps go now: the first model that is not known to be gone.
ModelIndex Machine::nextModel(GroupIndex group) const {
  for (const Target target : router_.group(group).admissible)
    if (gone_[target.model] == FailureKind::Count) return target.model;
  return kNone16;
}

std::uint32_t Machine::countOthers(const Lead& lead, const ReadyItem& item) const {
  std::uint32_t others = 0;
  const StepIndex end = std::min<StepIndex>(prefixesFor_, item.step + kCounted);
  for (StepIndex i = item.step; i < end; ++i) {
    const StepRecord& step = steps_[i];
    if (settled(step.state) || step.group == kNone || !prefixes_.begins(i, lead.node)) continue;
    // Those that are in this phase and not at its call; before a verdict those too whose answers will be judged.
    if (step.phase == item.purpose)
      others += step.state != StepState::Calling && step.state != StepState::Judging &&
                (item.purpose != Purpose::Main || nextModel(step.group) == lead.model);
    else
      others += step.phase == Purpose::Main && phase(item.purpose).judges();
  }
  return others;
}

/// Decides, reports the decision with its numbers, and lets the item wait where that pays.
bool Machine::awaits(const ReadyItem& item, const Placement& placement, std::uint32_t index) {
  Lead& lead = leads_[index];
  StepRecord& record = steps_[item.step];
  const Model& model = table_.models[lead.model];
  const CallRecord& leader = calls_[stateOf(lead).leader];
  if (lead.others == 0) lead.others = std::max(1u, countOthers(lead, item));
  WaitQuestion question;
  question.others = lead.others;
  question.places = table_.providers[placement.target.provider].concurrency;
  question.tokens = prefixes_.tokens(lead.node);
  if (placement.lead != kNone) question.tokens -= prefixes_.tokens(leads_[placement.lead].node);
  question.readMs = question.tokens * reading_[lead.model].microsPerToken(model.microsPerToken) / 1000;
  question.leaderMs = std::max<TimeMs>(0, leader.dispatchedAt + model.firstTokenMs + question.readMs - now_);
  question.savedPerMtok = std::max(model.price.inPerMtok, model.price.writtenPerMtok) - model.price.cachedPerMtok;
  const std::int64_t longest = longestLeft();
  question.slackMs = longest - item.remainingMs;
  question.runMs = now_ - beganAt_ + longest;
  question.always = options_.promptCache == PromptCacheUse::Always;
  WaitAnswer answer = weighWait(question);
  // A wait is bounded: a leader whose first token is late is not waited for.
  const TimeMs until =
      leader.dispatchedAt + health_.firstTokenP95(lead.model, model.firstTokenMs) + 2 * question.readMs;
  if (until <= now_ || (record.deadlineAt != kNever && until + record.estimateMs > record.deadlineAt))
    answer.waits = false;
  const PrefixNumbers numbers{question.tokens, question.others, answer.saves, answer.addsMs};
  const bool said = answer.waits ? record.waiting == Reason::WaitingForPrefix : lead.told;
  if (!said)
    notes_.prefix(answer.waits ? Reason::WaitingForPrefix : Reason::PrefixNotAwaited, item.step, placement.target,
                  leader.step, answer.waits ? until : kNever, numbers);
  if (!answer.waits) {
    lead.told = true;
    return false;
  }
  record.waiting = Reason::WaitingForPrefix;
  record.parkedLead = index;
  record.parkedUntil = until;
  record.queuedAt = item.readyAt;
  parked_.push_back(item.step);
  return true;
}

/// The longest remaining path of all steps that are not settled.
std::int64_t Machine::longestLeft() {
  // Recomputed only when a step has settled.
  if (longestFor_ == unsettled_) return longest_;
  longestFor_ = unsettled_;
  longest_ = 0;
  for (StepIndex i = 0; i < remainingMs_.size(); ++i)
    if (!settled(steps_[i].state)) longest_ = std::max(longest_, remainingMs_[i]);
  return longest_;
}

/// Steps whose wait is over return to their queues: the prefix was read, its leader failed, or it takes too long.
void Machine::unpark() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < parked_.size(); ++i) {
    const StepIndex index = parked_[i];
    StepRecord& record = steps_[index];
    if (record.state != StepState::Ready) continue;
    const bool late = record.parkedUntil <= now_;
    if (!late && record.parkedLead != kNone && stateOf(leads_[record.parkedLead]).full) {
      parked_[kept++] = index;
      continue;
    }
    if (late) {
      record.cold = true;
      notes_.tell(Reason::PrefixLate, index);
    }
    enqueue(index);
  }
  parked_.resize(kept);
}

/// A call leaves: it reads the cached part of its prompt's prefix, and leads the rest.
void Machine::sharePrefix(CallRecord& call, CallId id, std::uint32_t lead) {
  if (options_.promptCache == PromptCacheUse::Off) return;
  knowPrefixes();
  if (lead != kNone) {
    call.lead = lead;
    call.leader = leads_[lead].calls[0];
    call.sharedTokens = prefixes_.tokens(leads_[lead].node);
  }
  std::uint32_t node = leafOf(call.step, call.purpose);
  call.shares = worthKnowing(node, call.target);
  for (; worthKnowing(node, call.target); node = prefixes_.parent(node)) {
    Lead& one = leads_[leadOf(node, call.step, call.target, call.purpose)];
    const LeadState state = stateOf(one);
    if (state.warm) one.usedAt = now_;
    if (state.warm || state.full) continue;
    // The first slot whose call failed, or the very first where what was read has expired.
    const CallId first = one.calls[0];
    const bool busy = first != kNone && calls_[first].cancelled == Reason::None &&
                      (calls_[first].live || now_ - calls_[first].firstTokenAt <= providerOf(call).cacheIdleMs) &&
                      (calls_[first].live || calls_[first].firstTokenAt >= 0);
    one.calls[busy ? 1 : 0] = id;
  }
}

/// An answer arrived: how long reading its prompt took, and whether the cache held what was expected.
void Machine::learnReading(CallRecord& call, const TokenCounts& tokens) {
  if (call.firstTokenAt >= 0)
    reading_[call.target.model].learn(tokens.in - std::min(tokens.in, tokens.cached),
                                      call.firstTokenAt - call.dispatchedAt);
  if (call.lead == kNone) return;
  Lead& lead = leads_[call.lead];
  lead.expected += call.sharedTokens;
  lead.got += std::min(tokens.cached, call.sharedTokens);
  if (++lead.followers < 2 || lead.missed || 2 * lead.got >= lead.expected) return;
  // No one waits for it any longer.
  lead.missed = true;
  notes_.prefix(Reason::PrefixMissed, call.step, call.target, kNone, kNever, {lead.got, lead.followers, 0, 0},
                lead.expected);
}

}  // namespace aetherflow
