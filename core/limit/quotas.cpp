#include "core/limit/quotas.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

constexpr std::int64_t kMinute = 60'000, kDay = 86'400'000;

constexpr bool ofTokens(std::size_t window) {
  return window == static_cast<std::size_t>(Window::TokensMinute) ||
         window == static_cast<std::size_t>(Window::TokensDay);
}

}  // namespace

void Quotas::open(const std::vector<QuotaLimits>& groups) {
  groups_.assign(groups.size(), {});
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups_[i].concurrency = groups[i].concurrency;
    for (std::size_t w = 0; w < kWindows; ++w) {
      const bool minute =
          w == static_cast<std::size_t>(Window::RequestsMinute) || w == static_cast<std::size_t>(Window::TokensMinute);
      groups_[i].windows[w].open(minute ? kMinute : kDay, groups[i].most[w]);
      if (ofTokens(w) && groups[i].most[w] >= 0) countsTokens_ = true;
    }
  }
}

QuotaFit Quotas::check(QuotaIndex index, std::int64_t tokens, TimeMs now, bool newCall) {
  Group& group = groups_[index];
  QuotaFit fit;
  if (newCall && group.concurrency > 0 && group.inFlight >= group.concurrency) fit.fits = false;
  TimeMs until = 0;
  for (std::size_t w = 0; w < kWindows; ++w) {
    SlidingWindow& window = group.windows[w];
    const std::int64_t asked = ofTokens(w) ? tokens : newCall ? 1 : 0;
    const std::int64_t amount = window.counted(asked);
    if (window.never(asked)) fit.ever = false;
    if (!window.never(asked) && window.fits(amount, now)) continue;
    const TimeMs at = window.fitsAt(amount, now);
    if (fit.window == Window::Count || at > until) fit.window = static_cast<Window>(w);
    fit.fits = false;
    until = std::max(until, at);
  }
  if (fit.window != Window::Count) fit.until = until;
  return fit;
}

void Quotas::take(QuotaIndex index, std::int64_t tokens) {
  Group& group = groups_[index];
  ++group.inFlight;
  for (std::size_t w = 0; w < kWindows; ++w) group.windows[w].reserve(ofTokens(w) ? tokens : 1);
}

void Quotas::served(QuotaIndex index) {
  Group& group = groups_[index];
  group.pushes = 0;
  // At 64 a provider has recovered: few take more at once.
  group.allowed = group.allowed == 0 || group.allowed >= 32 ? 0 : group.allowed * 2;
}

void Quotas::grow(QuotaIndex index, std::int64_t tokens) {
  for (std::size_t w = 0; w < kWindows; ++w)
    if (ofTokens(w)) groups_[index].windows[w].reserve(tokens);
}

void Quotas::arrived(QuotaIndex index, TimeMs now) {
  for (std::size_t w = 0; w < kWindows; ++w)
    if (!ofTokens(w)) groups_[index].windows[w].settle(1, 1, now);
}

void Quotas::settle(QuotaIndex index, std::int64_t reserved, std::int64_t used, bool counted, bool sent, TimeMs now) {
  Group& group = groups_[index];
  --group.inFlight;
  for (std::size_t w = 0; w < kWindows; ++w) {
    if (ofTokens(w))
      group.windows[w].settle(reserved, used, now);
    else if (!counted)
      group.windows[w].settle(1, sent ? 1 : 0, now);
  }
}

bool Quotas::seen(QuotaIndex index, Window window, std::int64_t limit, std::int64_t remaining, std::int64_t resetMs,
                  TimeMs now) {
  const std::size_t w = static_cast<std::size_t>(window);
  if (ofTokens(w) && limit > 0) countsTokens_ = true;
  return groups_[index].windows[w].seen(limit, remaining, resetMs, now);
}

}  // namespace aetherflow
