#pragma once
// Moments at which something falls due. A binary heap; the owner has to check whether an entry is still valid.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"

namespace aetherflow {

class Timers {
 public:
  /// `tag` is the owner's, next to the `id` that it is about.
  struct Due {
    TimeMs at = kNever;
    std::uint32_t id = kNone;
    std::uint32_t tag = 0;
  };

  void add(TimeMs at, std::uint32_t id, std::uint32_t tag = 0) {
    heap_.push_back({at, id, tag});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  TimeMs next() const { return heap_.empty() ? kNever : heap_.front().at; }
  /// The earliest that is due; of one moment the smallest id first.
  bool take(TimeMs now, Due& due) {
    if (next() > now) return false;
    due = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(), later);
    heap_.pop_back();
    return true;
  }

 private:
  static bool later(const Due& a, const Due& b) { return a.at != b.at ? a.at > b.at : a.id > b.id; }
  std::vector<Due> heap_;
};

}  // namespace aetherflow
