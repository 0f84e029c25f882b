#pragma once
// What a watchful provider and a watchful payer would write down of a run: from the commands that left the core and the
// events that went in, never from the core's own counters. The first broken promise stays as its finding.

#include <deque>
#include <string>
#include <vector>

#include "core/run/run.hpp"
#include "policy_setting.hpp"

namespace aetherflow::testing {

struct LedgerCall {
  StepIndex step = kNone;
  std::size_t model = 0, provider = 0, group = 0;
  Purpose purpose = Purpose::Main;
  TimeMs at = 0;
  TimeMs arrived = kNever;  ///< the latest moment at which the provider can have counted the request
  TimeMs ended = kNever;
  bool whole = false;  ///< its answer came to its end and keeps the constraint
  bool live = true, cancelTold = false, withheld = false, sent = true, peak = false;
  bool free = false;        ///< it was no attempt: its provider asked to wait, or nothing was asked of the model
  std::uint32_t most = 0;   ///< answer tokens
  std::uint32_t bound = 0;  ///< prompt tokens, as last reserved
  std::int64_t used = 0;    ///< tokens
  MicroUsd cost = 0;
  Spend held;  ///< what it may have cost beyond that, when it failed and nobody said
};

class Ledger {
 public:
  Ledger(const PolicySetting& setting, const Run& run);

  // What the core said.
  void command(const double* record, TimeMs now);
  // What the host said, after the core has taken it.
  void clock(std::int64_t epochMs, TimeMs now) { epoch_ = epochMs - now; }
  void firstToken(CallId id, TimeMs now);
  void prompted(CallId id, bool withheld, TimeMs now);
  void ended(CallId id, const TokenCounts& told, bool sent, TimeMs now);
  /// Before the core hears of it: whether any further call of that phase is still allowed.
  void failing(const Failed& event, TimeMs now);
  /// Before the core hears of it.
  void looked(StepIndex step, Found found, std::uint32_t key);
  void answered(CallId id, bool whole) { calls_[id].whole = whole; }
  void praised(StepIndex step) { cached(step).praised = true; }
  void limitSeen(CallId id, Window window, std::int64_t limit);

  void afterDrain(TimeMs now);
  void atTheEnd(Run& run, TimeMs now);

  const std::vector<LedgerCall>& calls() const { return calls_; }
  bool countsTokens() const { return countsTokens_; }
  /// How often each reason was told.
  const std::array<std::uint32_t, static_cast<std::size_t>(Reason::Count)>& told() const { return told_; }
  /// Empty while every promise was kept.
  const std::string& finding() const { return finding_; }
  void expect(bool kept, const char* promise) {
    if (!kept && finding_.empty()) finding_ = promise;
  }
  void expect(bool kept, const std::string& promise) {
    if (!kept && finding_.empty()) finding_ = promise;
  }

 private:
  struct Health {
    TimeMs until = 0;
    bool open = false;
  };
  /// What the cache has to do with a step.
  struct Cached {
    std::uint32_t key = kNone, looks = 0;
    Found found = Found::None;
    bool looking = false, failed = false, praised = false, owed = false;
  };
  Cached& cached(StepIndex step) {
    if (step >= cached_.size()) cached_.resize(step + 1);
    return cached_[step];
  }
  CacheUse allowed(StepIndex step) const;
  void looks(const double* record);
  void hit(const double* record);
  void stores(const double* record);
  void notCached(const LedgerCall& call);
  void called(const double* record, TimeMs now);
  void windows(std::size_t group, TimeMs now);
  void phases(const LedgerCall& call, TimeMs now);
  void budgets();
  void note(const double* record, TimeMs now);
  std::int64_t mayUse(std::size_t id) const;
  MicroUsd price(const LedgerCall& call, std::int64_t in, std::int64_t cached, std::int64_t out, bool peak) const;
  bool atPeak(std::size_t provider, TimeMs at) const;

  const PolicySetting& setting_;
  const Run& run_;
  std::vector<LedgerCall> calls_;
  std::vector<std::array<std::int64_t, kWindows>> limits_;  ///< by group, as configured and learned
  std::vector<TimeMs> floors_;                              ///< by group: what Retry-After asked for
  std::vector<Health> health_;                              ///< by provider, from the notes
  struct Constraint {
    Purpose phase = Purpose::Main;
    ConstraintLevel level = ConstraintLevel::Instruct;
    bool known = false, relaxed = false;
  };
  void constraint(const LedgerCall& call, ConstraintLevel level);
  std::vector<Constraint> befores_;      ///< by call: what was told before it
  std::vector<Constraint> constraints_;  ///< by step: how strictly its answer is asked for, as far as was told
  std::deque<Cached> cached_;            ///< by step
  /// By step; dead: bits of phases without further calls, refused: of those that went elsewhere after an unknown refusal.
  std::vector<std::uint8_t> delivered_, dead_, refused_;
  std::int64_t epoch_ = -1;
  std::uint32_t live_ = 0, hedges_ = 0, finishes_ = 0;
  std::array<std::uint32_t, static_cast<std::size_t>(Reason::Count)> told_{};
  bool countsTokens_ = false, stopped_ = false;
  std::string finding_;
};

}  // namespace aetherflow::testing
