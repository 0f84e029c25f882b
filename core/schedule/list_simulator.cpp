#include "core/schedule/list_simulator.hpp"

#include <algorithm>
#include <bit>

namespace aetherflow {
namespace {

constexpr std::uint32_t kLooksPerDispatch = 4;  // looks at a ready task cost together what a dispatch does

}  // namespace

ListOrder ListOrder::fromTasks(std::vector<std::uint32_t> tasks) {
  ListOrder order;
  order.task = std::move(tasks);
  order.rank.resize(order.task.size());
  for (std::uint32_t r = 0; r < order.task.size(); ++r) order.rank[order.task[r]] = r;
  return order;
}

ListOrder ListOrder::fromRanks(std::vector<std::uint32_t> ranks) {
  ListOrder order;
  order.rank = std::move(ranks);
  order.task.resize(order.rank.size());
  for (std::uint32_t t = 0; t < order.rank.size(); ++t) order.task[order.rank[t]] = t;
  return order;
}

ListSimulator::ListSimulator(const Project& project)
    : tasks_(project.tasks), successorStart_(project.successorStart), successor_(project.successor) {
  start_.missing.assign(tasks_, 0);
  for (std::uint32_t next : successor_) ++start_.missing[next];
  for (std::uint32_t t = 0; t < tasks_; ++t) {
    if (start_.missing[t] == 0) start_.ready.push_back(t);
  }
  packResources(project);
  missing_.resize(tasks_);
  ready_.resize((tasks_ + 63) / 64);
  running_.resize(tasks_);
}

void ListSimulator::packResources(const Project& project) {
  demand_.assign(tasks_, 0);
  std::vector<std::uint32_t> need(tasks_);  // clamped, repeated entries added up
  std::uint32_t used = 0;
  for (std::uint32_t r = 0; r < project.capacity.size(); ++r) {
    const std::uint64_t capacity = project.capacity[r];
    std::uint64_t wanted = 0;
    std::fill(need.begin(), need.end(), 0);
    for (std::uint32_t t = 0; t < tasks_; ++t) {
      for (std::uint32_t i = project.demandStart[t]; i < project.demandStart[t + 1]; ++i) {
        if (project.demandResource[i] != r) continue;
        wanted += project.demandAmount[i];
        need[t] = static_cast<std::uint32_t>(std::min(need[t] + std::uint64_t{project.demandAmount[i]}, capacity));
      }
    }
    // A resource that all tasks may hold at once binds nobody and costs no room.
    if (capacity == 0 || wanted <= capacity) continue;
    contended_ = true;
    const auto bits = static_cast<std::uint32_t>(std::bit_width(capacity));
    if (used + bits >= 64) {
      packed_ = false;
      return;
    }
    field_.push_back(((std::uint64_t{1} << bits) - 1) << used);
    guard_ |= std::uint64_t{1} << (used + bits);
    capacity_ |= capacity << used;
    for (std::uint32_t t = 0; t < tasks_; ++t) demand_[t] |= std::uint64_t{need[t]} << used;
    used += bits + 1;
  }
  capacity_ |= guard_;
}

/// All bits of the resources that the task uses.
std::uint64_t ListSimulator::fields(std::uint32_t task) const {
  std::uint64_t all = 0;
  for (const std::uint64_t field : field_)
    if ((demand_[task] & field) != 0) all |= field;
  return all;
}

std::int64_t ListSimulator::run(const ListOrder& order, const std::int64_t* durations, const ListStart& start) {
  const std::uint32_t* rank = order.rank.data();
  const std::uint32_t* task = order.task.data();
  std::copy(start.missing.begin(), start.missing.end(), missing_.begin());
  std::fill(ready_.begin(), ready_.end(), 0);
  std::uint64_t* ready = ready_.data();
  for (const std::uint32_t t : start.ready) ready[rank[t] / 64] |= std::uint64_t{1} << (rank[t] % 64);
  Running* running = running_.data();
  std::uint64_t free = capacity_;
  std::int64_t now = 0;
  std::uint32_t head = 0, tail = 0, looks = 0;
  waited_ = false;
  const auto begin = [&](std::uint32_t t) {
    ready[rank[t] / 64] &= ~(std::uint64_t{1} << (rank[t] % 64));
    const std::int64_t finish = now + durations[t];
    std::uint32_t place = tail++;
    for (; place > head && running[place - 1].finish > finish; --place) running[place] = running[place - 1];
    running[place] = {finish, t};
  };
  for (const std::uint32_t t : start.first)
    if (take(free, t)) begin(t);
  std::uint64_t kept = start.held == ListStart::kNobody ? 0 : fields(start.held);
  for (;;) {
    for (std::size_t w = 0; w < ready_.size();) {
      bool released = false;
      for (std::uint64_t left = ready[w]; left != 0 && !released; left &= left - 1, ++looks) {
        const std::uint32_t t = task[w * 64 + static_cast<std::size_t>(std::countr_zero(left))];
        if ((kept & demand_[t]) != 0 && t != start.held) continue;
        if (!take(free, t)) {
          waited_ = true;
          continue;
        }
        begin(t);
        released = t == start.held;
      }
      // Once more from the best: those that were held back may go.
      w = released ? 0 : w + 1;
      if (released) kept = 0;
    }
    if (head == tail && kept == 0) break;
    kept = head == tail ? 0 : kept;  // nothing runs that could make it ready
    if (head < tail) now = running[head].finish;
    for (; head < tail && running[head].finish == now; ++head) {
      const std::uint32_t done = running[head].task;
      giveBack(free, done);
      for (std::uint32_t i = successorStart_[done]; i < successorStart_[done + 1]; ++i) {
        const std::uint32_t next = successor_[i];
        if (--missing_[next] == 0) ready[rank[next] / 64] |= std::uint64_t{1} << (rank[next] % 64);
      }
    }
  }
  spent_ += tail + looks / kLooksPerDispatch;
  return now;
}

}  // namespace aetherflow
