#pragma once
// Which entries a cache holds: admission, time to live, limits, and who goes first when there is no room.

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/cache/key.hpp"

namespace aetherflow {

/// Of an answer that may be stored. What is not whole, or not right, would be served again and again.
struct Answer {
  std::uint64_t bytes = 0;  ///< prompt, answer and what is kept with them
  std::int64_t ttlMs = 0;   ///< from now on; 0: the cache's own, negative: do not store
  bool whole = true;        ///< the model stopped by itself: neither cut off nor filtered
  bool failed = false;      ///< an error text in place of an answer
  bool holdsConstraint = true;
  bool empty = false;
};

struct CacheLimits {
  std::uint64_t bytes = 256u << 20;  ///< of all entries
  std::uint32_t entries = 100'000;
  std::uint64_t entryBytes = 1u << 20;  ///< of one entry
  std::int64_t ttlMs = 7LL * 24 * 3600 * 1000;
};

/// The book of a cache: ids, not texts. Ids are dense and used again after an entry has gone, so that the vectors'
/// table stays small. Time is told, on any clock that does not run backwards across openings (wall clock, ms). Every
/// call that can let entries go appends their ids to `gone`: the host drops texts and files, and the vectors go with
/// VectorIndex::erase.
class CacheBook {
 public:
  explicit CacheBook(CacheLimits limits = {}) : limits_(limits) {}

  /// Stores or refuses; `id` gets the entry's place. An entry of the same key keeps its id and counts as new.
  /// Evicts the least recently used until the rest fits. O(log n), plus the entries that go.
  Admission put(CacheKey key, CacheKey space, const Answer& answer, TimeMs now, std::uint32_t& id,
                std::vector<std::uint32_t>& gone);

  /// The entry of this key, or kNone; an entry past its time goes. Does not count as a use: that is touch().
  std::uint32_t find(CacheKey key, TimeMs now, std::vector<std::uint32_t>& gone);
  /// False when the entry is gone or past its time (semantic candidates are asked about by their id).
  bool alive(std::uint32_t id, TimeMs now) const;

  /// It was used: of the entries that are there, it goes last.
  void touch(std::uint32_t id);

  bool erase(std::uint32_t id);
  /// All entries of a space, or of all; returns how many.
  std::size_t clear(const CacheKey* space, std::vector<std::uint32_t>& gone);
  /// Drops what is past its time. O(n).
  void expire(TimeMs now, std::vector<std::uint32_t>& gone);

  /// For a store that is opened again: the entries in the order of their last use, oldest first.
  std::vector<std::uint32_t> byUse() const;

  CacheKey key(std::uint32_t id) const { return entries_[id].key; }
  CacheKey space(std::uint32_t id) const { return entries_[id].space; }
  TimeMs expiresAt(std::uint32_t id) const { return entries_[id].expiresAt; }
  std::size_t size() const { return order_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    CacheKey key;
    CacheKey space;
    std::uint64_t bytes = 0;
    TimeMs expiresAt = 0;
    std::uint32_t older = kNone;  ///< ring of uses, by id
    std::uint32_t newer = kNone;
    bool used = false;  ///< else the place is free
  };

  Admission admit(const Answer& answer) const;
  std::size_t placeOf(CacheKey key) const;
  void release(std::uint32_t id);
  void releaseAll(const std::vector<std::uint32_t>& gone, std::size_t from);
  void link(std::uint32_t id);
  void unlink(std::uint32_t id);

  CacheLimits limits_;
  std::vector<Entry> entries_;  ///< by id
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> order_;  ///< ids sorted by key
  std::uint32_t oldest_ = kNone;
  std::uint32_t newest_ = kNone;
  std::uint64_t bytes_ = 0;
};

}  // namespace aetherflow
