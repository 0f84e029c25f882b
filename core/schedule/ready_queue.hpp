#pragma once
// Ready work of one route group, best first. Several groups stand side by side: a full provider blocks only its own.

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"

namespace aetherflow {

/// What orders ready work. Total and deterministic: `step` is unique among items of one phase.
struct ReadyItem {
  std::int32_t priority = 0;     ///< explicit; higher first
  bool chosen = false;           ///< goes before all others of its priority; see rollout.hpp
  std::int64_t remainingMs = 0;  ///< longest remaining path; longer first
  double complexity = 0;         ///< higher first
  std::uint32_t tokens = 0;      ///< more first
  StepIndex step = kNone;        ///< plan order, earlier first
  Purpose purpose = Purpose::Main;
  TimeMs readyAt = 0;
};

/// True when `a` goes before `b`.
bool before(const ReadyItem& a, const ReadyItem& b);

/// A binary heap. Entries of steps that are no longer ready stay until they come up; the owner drops them then.
class ReadyQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  const ReadyItem& top() const { return heap_.front(); }
  void push(const ReadyItem& item);  ///< O(log n)
  void pop();                        ///< O(log n)
  void remove(std::size_t at);       ///< the item at that place of `items`; O(n)
  std::vector<ReadyItem>& items() { return heap_; }
  void restore();  ///< after keys changed in place; O(n)

 private:
  std::vector<ReadyItem> heap_;
};

}  // namespace aetherflow
