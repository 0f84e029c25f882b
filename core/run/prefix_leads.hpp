#pragma once
// Who fills a model's prompt cache with a beginning that several prompts share: one leads (two where a provider only recognises
// what it has seen twice), the others wait for its first token. What a wait is worth is `weighWait`: numbers in, numbers out.

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/run/prefixes.hpp"

namespace aetherflow {

/// One beginning at one model, in one form of its output: a schema that a provider enforces stands before all else in its prompt.
struct Lead {
  std::uint32_t node = 0;
  ModelIndex model = 0;
  bool missed = false, told = false;
  std::uint32_t others = 0;  ///< steps that would find it, counted when the first of them could wait; 0: not counted
  std::uint32_t followers = 0;
  CallId calls[2] = {kNone, kNone};
  TimeMs usedAt = -1;                  ///< when it was last read
  std::int64_t expected = 0, got = 0;  ///< tokens that followers should have read from the cache, and did
};

/// How fast a model reads prompts: a line through the last first-token times over the tokens that were not in its cache.
class ReadingSpeed {
 public:
  void learn(std::uint32_t tokens, std::int64_t ms);
  /// µs a token; `planned` until enough prompts of different length are known.
  std::int64_t microsPerToken(std::uint32_t planned) const;

 private:
  std::int64_t sums_[5] = {};  ///< of 1, tokens, ms, tokens², tokens · ms
};

/// What is known when a step could wait.
struct WaitQuestion {
  std::int64_t others = 0;        ///< steps that would find the beginning in the cache, this one included
  std::int64_t places = 1;        ///< of the provider
  std::int64_t tokens = 0;        ///< that each would find
  std::int64_t readMs = 0;        ///< to read them afresh
  std::int64_t leaderMs = 0;      ///< until the leader's first token
  std::int64_t savedPerMtok = 0;  ///< micro-USD between a token that is not in the cache and one that is
  std::int64_t slackMs = 0;       ///< that the step may be late without the run being so
  std::int64_t runMs = 0;         ///< of the run as far as is known: what has passed and what is left
  bool always = false;            ///< money comes first
};

struct WaitAnswer {
  bool waits = false;
  MicroUsd saves = 0;
  std::int64_t addsMs = 0;  ///< to the step's end; negative: it ends sooner
};

/// A call that leaves at once pays for the prefix itself; one that waits starts after the leader's first token. Only as many
/// as find a place at once would pay in full: the next wave finds the cache filled in any case. A wait pays when it saves money, and
/// is no longer than the slack or a fifth of the run, or when it takes no time at all.
WaitAnswer weighWait(const WaitQuestion& question);

}  // namespace aetherflow
