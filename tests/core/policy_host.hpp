#pragma once
// A host from hell on a virtual clock: calls end in every way and order, late, twice, after they were cancelled;
// prompts outgrow their reservations; limits are learned on the way. What it reports as used never exceeds what was reserved.

#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "policy_ledger.hpp"

namespace aetherflow::testing {

class PolicyHost {
 public:
  PolicyHost(std::uint64_t seed, std::string plan);
  /// To the end of the run, or to the first broken promise.
  void play();
  const std::string& finding() const { return ledger_.finding(); }
  const std::string& options() const { return setting_.json; }
  const std::string& plan() const { return plan_; }
  /// Of all drains.
  const std::string& bytes() const { return bytes_; }
  const Run& run() const { return run_; }
  const auto& told() const { return ledger_.told(); }

 private:
  enum class What : std::uint8_t { Started, Prompted, FirstToken, Progress, End, Verdict, Looked };
  struct Due {
    TimeMs at;
    std::uint32_t order;
    CallId call;  ///< Looked: the step
    What what;
    bool operator<(const Due& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  void add(std::int64_t after, CallId call, What what);
  void begin();
  void feed();
  void drain();
  void script(CallId id);
  void happen(const Due& due);
  void looked(StepIndex step);
  void prompted(CallId id);
  void end(CallId id);
  void succeed(CallId id);
  void fail(CallId id, FailureKind kind);
  void disturb();
  void illegal();
  TokenCounts used(CallId id, bool whole);
  bool oneIn(std::uint32_t n) { return rng_.below(n) == 0; }
  ErrorCode send(EventKind kind, std::vector<double> values);
  void must(ErrorCode code, const std::string& what) {
    if (code != ErrorCode::None) ledger_.expect(false, what + ": " + run_.error().detail);
  }

  Rng rng_;
  std::string plan_;
  PolicySetting setting_;
  Run run_;
  Ledger ledger_;
  StepIndex drafted_ = 0;               // steps whose draft was decided
  std::uint32_t keys_ = 0, fresh_ = 2;  ///< of requests, so far; one in how many is new
  std::vector<Due> due_;                ///< a heap
  std::uint32_t order_ = 0, faults_ = 0;
  TimeMs now_ = 0;
  std::size_t fed_ = 0, chunk_ = 0;
  std::string bytes_;
};

}  // namespace aetherflow::testing
