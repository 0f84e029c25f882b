#include "core/run/prefix_leads.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

/// Sums stay far from 64 bits: of so many samples, then halved, each at most so large.
constexpr std::int64_t kSamples = 64, kMost = 1'000'000;
/// Prompts of almost equal length say nothing about the slope.
constexpr std::int64_t kLeastSpread = 500;

}  // namespace

void ReadingSpeed::learn(std::uint32_t tokens, std::int64_t ms) {
  const std::int64_t t = std::min<std::int64_t>(tokens, kMost), m = std::min(ms, kMost);
  const std::int64_t more[] = {1, t, m, t * t, t * m};
  const bool full = sums_[0] == kSamples;
  for (int i = 0; i < 5; ++i) sums_[i] = (full ? sums_[i] / 2 : sums_[i]) + more[i];
}

std::int64_t ReadingSpeed::microsPerToken(std::uint32_t planned) const {
  const auto& [n, tokens, ms, squares, products] = sums_;
  const std::int64_t spread = n * squares - tokens * tokens, slope = n * products - tokens * ms;
  if (n < 4 || spread < n * n * kLeastSpread * kLeastSpread || slope <= 0) return planned;
  // In two steps, so that no product leaves 64 bits.
  return slope / spread * 1000 + slope % spread / (spread / 1000);
}

WaitAnswer weighWait(const WaitQuestion& q) {
  WaitAnswer answer;
  answer.addsMs = q.leaderMs - q.readMs;
  answer.saves = std::min(q.others, q.places) * q.tokens * q.savedPerMtok / 1'000'000;
  const bool shared = q.others + 1 >= kFewestSharers && answer.saves > 0;
  answer.waits = shared && (q.always || answer.addsMs <= q.slackMs || answer.addsMs * 5 <= q.runMs);
  return answer;
}

}  // namespace aetherflow
