#include "core/schedule/ready_queue.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

// std heaps keep the greatest at the front.
bool after(const ReadyItem& a, const ReadyItem& b) {
  return before(b, a);
}

}  // namespace

bool before(const ReadyItem& a, const ReadyItem& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  if (a.chosen != b.chosen) return a.chosen;
  if (a.remainingMs != b.remainingMs) return a.remainingMs > b.remainingMs;
  if (a.complexity != b.complexity) return a.complexity > b.complexity;
  if (a.tokens != b.tokens) return a.tokens > b.tokens;
  return a.step < b.step;
}

void ReadyQueue::push(const ReadyItem& item) {
  heap_.push_back(item);
  std::push_heap(heap_.begin(), heap_.end(), after);
}

void ReadyQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), after);
  heap_.pop_back();
}

void ReadyQueue::remove(std::size_t at) {
  heap_[at] = heap_.back();
  heap_.pop_back();
  restore();
}

void ReadyQueue::restore() {
  std::make_heap(heap_.begin(), heap_.end(), after);
}

}  // namespace aetherflow
