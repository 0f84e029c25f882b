#include "core/cache/lru.hpp"

#include <algorithm>

namespace aetherflow {

Admission CacheBook::admit(const Answer& answer) const {
  if (answer.failed) return Admission::Failed;
  if (!answer.whole) return Admission::CutOff;
  if (!answer.holdsConstraint) return Admission::Constraint;
  if (answer.empty) return Admission::Empty;
  if (answer.bytes > std::min(limits_.entryBytes, limits_.bytes)) return Admission::TooLarge;
  return answer.ttlMs < 0 || limits_.entries == 0 ? Admission::Refused : Admission::Stored;
}

/// Position in `order_` of the key, or where it would be inserted. A sorted list of numbers, not another hash table:
/// moving 400 KB for an insert at 100,000 entries takes some 10 µs.
std::size_t CacheBook::placeOf(CacheKey key) const {
  const auto found = std::lower_bound(order_.begin(), order_.end(), key,
                                      [&](std::uint32_t id, CacheKey k) { return entries_[id].key < k; });
  return static_cast<std::size_t>(found - order_.begin());
}

void CacheBook::link(std::uint32_t id) {
  entries_[id].older = newest_;
  entries_[id].newer = kNone;
  (newest_ == kNone ? oldest_ : entries_[newest_].newer) = id;
  newest_ = id;
}

void CacheBook::unlink(std::uint32_t id) {
  const Entry& entry = entries_[id];
  (entry.older == kNone ? oldest_ : entries_[entry.older].newer) = entry.newer;
  (entry.newer == kNone ? newest_ : entries_[entry.newer].older) = entry.older;
}

Admission CacheBook::put(CacheKey key, CacheKey space, const Answer& answer, TimeMs now, std::uint32_t& id,
                         std::vector<std::uint32_t>& gone) {
  id = kNone;
  const Admission admission = admit(answer);
  if (admission != Admission::Stored) return admission;
  std::size_t place = placeOf(key);
  if (place < order_.size() && entries_[order_[place]].key == key) {
    id = order_[place];
    bytes_ -= entries_[id].bytes;
    unlink(id);
  } else {
    if (free_.empty()) {
      id = static_cast<std::uint32_t>(entries_.size());
      entries_.emplace_back();
    } else {
      id = free_.back();
      free_.pop_back();
    }
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(place), id);
  }
  const std::int64_t ttl = answer.ttlMs == 0 ? limits_.ttlMs : answer.ttlMs;
  Entry& entry = entries_[id];
  entry = {key, space, answer.bytes, ttl > kNever - now ? kNever : now + ttl, kNone, kNone, true};
  link(id);
  bytes_ += answer.bytes;
  while (bytes_ > limits_.bytes || order_.size() > limits_.entries) {
    gone.push_back(oldest_);
    erase(oldest_);
  }
  return admission;
}

std::uint32_t CacheBook::find(CacheKey key, TimeMs now, std::vector<std::uint32_t>& gone) {
  const std::size_t place = placeOf(key);
  if (place == order_.size() || entries_[order_[place]].key != key) return kNone;
  const std::uint32_t id = order_[place];
  if (alive(id, now)) return id;
  gone.push_back(id);
  erase(id);
  return kNone;
}

bool CacheBook::alive(std::uint32_t id, TimeMs now) const {
  return id < entries_.size() && entries_[id].used && now < entries_[id].expiresAt;
}

void CacheBook::touch(std::uint32_t id) {
  unlink(id);
  link(id);
}

bool CacheBook::erase(std::uint32_t id) {
  if (id >= entries_.size() || !entries_[id].used) return false;
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(placeOf(entries_[id].key)));
  release(id);
  return true;
}

void CacheBook::release(std::uint32_t id) {
  unlink(id);
  bytes_ -= entries_[id].bytes;
  entries_[id].used = false;
  free_.push_back(id);
}

/// One pass over the list of keys: erasing many one by one would move it as often.
void CacheBook::releaseAll(const std::vector<std::uint32_t>& gone, std::size_t from) {
  for (std::size_t i = from; i < gone.size(); ++i) release(gone[i]);
  std::erase_if(order_, [&](std::uint32_t id) { return !entries_[id].used; });
}

std::size_t CacheBook::clear(const CacheKey* space, std::vector<std::uint32_t>& gone) {
  const std::size_t from = gone.size();
  for (const std::uint32_t id : order_) {
    if (!space || entries_[id].space == *space) gone.push_back(id);
  }
  releaseAll(gone, from);
  return gone.size() - from;
}

void CacheBook::expire(TimeMs now, std::vector<std::uint32_t>& gone) {
  const std::size_t from = gone.size();
  for (const std::uint32_t id : order_) {
    if (!alive(id, now)) gone.push_back(id);
  }
  releaseAll(gone, from);
}

std::vector<std::uint32_t> CacheBook::byUse() const {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t id = oldest_; id != kNone; id = entries_[id].newer) ids.push_back(id);
  return ids;
}

}  // namespace aetherflow
