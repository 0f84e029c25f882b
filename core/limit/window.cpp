#include "core/limit/window.hpp"

#include <algorithm>

namespace aetherflow {

void SlidingWindow::expire(TimeMs now) {
  while (first_ < entries_.size() && entries_[first_].until <= now) used_ -= entries_[first_++].amount;
  if (first_ > 64 && first_ * 2 > entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (foreignUntil_ <= now) foreign_ = 0;
}

void SlidingWindow::configure(std::int64_t most) {
  configured_ = most;
  limit_ = most < 0 || learned_ < 0 ? std::max(most, learned_) : std::min(most, learned_);
}

std::int64_t SlidingWindow::taken(TimeMs now) {
  expire(now);
  return used_ + reserved_ + foreign_;
}

TimeMs SlidingWindow::fitsAt(std::int64_t amount, TimeMs now) {
  if (fits(amount, now)) return now;
  // What expires, in order of time: our own uses, and in between those of others.
  std::int64_t left = taken(now), foreign = foreign_;
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    if (foreign > 0 && foreignUntil_ <= entries_[i].until) {
      left -= foreign;
      foreign = 0;
      if (left + amount <= limit_) return foreignUntil_;
    }
    left -= entries_[i].amount;
    if (left + amount <= limit_) return entries_[i].until;
  }
  return foreign > 0 && left - foreign + amount <= limit_ ? foreignUntil_ : kNever;
}

void SlidingWindow::settle(std::int64_t reserved, std::int64_t used, TimeMs now) {
  reserved_ -= reserved;
  if (used <= 0) return;
  used_ += used;
  // Rounded up to a 256th of the window, so that a window holds few entries whatever its unit.
  const std::int64_t grain = std::max<std::int64_t>(1, length_ / 256);
  const TimeMs until = (now + length_ + grain - 1) / grain * grain;
  if (first_ < entries_.size() && entries_.back().until == until)
    entries_.back().amount += used;
  else
    entries_.push_back({until, used});
}

bool SlidingWindow::seen(std::int64_t limit, std::int64_t remaining, std::int64_t resetMs, TimeMs now) {
  bool learned = false;
  if (limit > 0) {
    const std::int64_t known = configured_ >= 0 ? std::min(configured_, limit) : limit;
    learned = known != limit_;
    learned_ = limit;
    limit_ = known;
  }
  if (remaining < 0 || !limited()) return learned;
  expire(now);
  const std::int64_t unseen = limit_ - used_ - reserved_ - remaining;
  foreign_ = std::max<std::int64_t>(0, unseen);
  foreignUntil_ = now + (resetMs >= 0 ? std::min(resetMs, length_) : length_);
  return learned;
}

}  // namespace aetherflow
