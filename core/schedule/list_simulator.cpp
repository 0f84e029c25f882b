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
  predecessors_.assign(tasks_, 0);
  for (std::uint32_t next : successor_) ++predecessors_[next];
  for (std::uint32_t t = 0; t < tasks_; ++t) {
    if (predecessors_[t] == 0) source_.push_back(t);
  }
  packResources(project);
  missing_.resize(tasks_);
  free_.resize(words_);
  ready_.resize(tasks_ / 64 + 1);  // never empty: the small path reads word 0 of no tasks, too
  running_.resize(tasks_);
}

void ListSimulator::packResources(const Project& project) {
  const std::size_t resources = project.capacity.size();
  std::vector<std::uint32_t> total(resources * tasks_, 0);  // clamped demand by task, repeated entries added up
  std::vector<std::uint64_t> wanted(resources, 0);
  for (std::uint32_t t = 0; t < tasks_; ++t) {
    for (std::uint32_t i = project.demandStart[t]; i < project.demandStart[t + 1]; ++i) {
      const std::uint32_t r = project.demandResource[i];
      std::uint32_t& slot = total[std::size_t{t} * resources + r];
      const std::uint64_t sum = std::uint64_t{slot} + project.demandAmount[i];
      wanted[r] += project.demandAmount[i];
      slot = static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, project.capacity[r]));
    }
  }
  // A resource that all tasks may hold at once binds nobody and costs no room.
  std::vector<std::uint32_t> word(resources, 0), shift(resources, 0);
  std::vector<std::uint32_t> binds(resources, 0);
  std::uint32_t used = 0, last = 0;
  for (std::size_t r = 0; r < resources; ++r) {
    binds[r] = project.capacity[r] > 0 && wanted[r] > project.capacity[r];
    if (binds[r] == 0) continue;
    contended_ = true;
    const std::uint32_t bits = static_cast<std::uint32_t>(std::bit_width(project.capacity[r])) + 1;
    if (used + bits > 64) ++last, used = 0;
    word[r] = last;
    shift[r] = used;
    used += bits;
  }
  words_ = last + 1;
  capacity_.assign(words_, 0);
  guard_.assign(words_, 0);
  demand_.assign(std::size_t{tasks_} * words_, 0);
  for (std::size_t r = 0; r < resources; ++r) {
    if (binds[r] == 0) continue;
    guard_[word[r]] |= std::uint64_t{1} << (shift[r] + static_cast<std::uint32_t>(std::bit_width(project.capacity[r])));
    capacity_[word[r]] |= std::uint64_t{project.capacity[r]} << shift[r];
    for (std::uint32_t t = 0; t < tasks_; ++t) {
      demand_[std::size_t{t} * words_ + word[r]] |= std::uint64_t{total[std::size_t{t} * resources + r]} << shift[r];
    }
  }
  for (std::uint32_t w = 0; w < words_; ++w) capacity_[w] |= guard_[w];
}

template <bool kSmall>
bool ListSimulator::take(std::uint32_t task) {
  if constexpr (kSmall) {
    const std::uint64_t left = free_[0] - demand_[task];
    if ((left & guard_[0]) != guard_[0]) return false;
    free_[0] = left;
    return true;
  } else {
    const std::uint64_t* need = &demand_[std::size_t{task} * words_];
    for (std::uint32_t w = 0; w < words_; ++w) {
      if (((free_[w] - need[w]) & guard_[w]) != guard_[w]) return false;
    }
    for (std::uint32_t w = 0; w < words_; ++w) free_[w] -= need[w];
    return true;
  }
}

template <bool kSmall>
void ListSimulator::giveBack(std::uint32_t task) {
  const std::uint32_t words = kSmall ? 1 : words_;
  for (std::uint32_t w = 0; w < words; ++w) free_[w] += demand_[std::size_t{task} * words + w];
}

void ListSimulator::reset(const ListOrder& order) {
  std::copy(predecessors_.begin(), predecessors_.end(), missing_.begin());
  std::copy(capacity_.begin(), capacity_.end(), free_.begin());
  std::fill(ready_.begin(), ready_.end(), 0);
  for (std::uint32_t t : source_) ready_[order.rank[t] / 64] |= std::uint64_t{1} << (order.rank[t] % 64);
}

template <bool kSmall, bool kTraced>
std::int64_t ListSimulator::simulate(const ListOrder& order, const std::int64_t* durations, ListTrace* trace) {
  reset(order);
  if constexpr (kTraced) {
    for (std::uint32_t t : source_) trace->readyPass[t] = 0;
    trace->endBegin[0] = trace->endBegin[1] = 0;
  }
  const std::uint32_t* rank = order.rank.data();
  const std::uint32_t* task = order.task.data();
  const std::size_t readyWords = kSmall ? 1 : ready_.size();
  std::uint64_t* ready = ready_.data();
  Running* running = running_.data();
  std::int64_t now = 0;
  std::uint32_t head = 0, tail = 0, looks = 0;
  for (std::uint32_t pass = 0;;) {
    if constexpr (kTraced) trace->startBegin[pass] = tail;
    for (std::size_t w = 0; w < readyWords; ++w) {
      for (std::uint64_t left = ready[w]; left != 0; left &= left - 1, ++looks) {
        const std::uint32_t t = task[w * 64 + static_cast<std::size_t>(std::countr_zero(left))];
        if (!take<kSmall>(t)) continue;
        ready[w] ^= left & (~left + 1);
        const std::int64_t finish = now + durations[t];
        if constexpr (kTraced) {
          trace->startPass[t] = pass;
          trace->started[tail] = t;
        }
        std::uint32_t place = tail++;
        for (; place > head && running[place - 1].finish > finish; --place) running[place] = running[place - 1];
        running[place] = {finish, t};
      }
    }
    if constexpr (kTraced) trace->passes = pass + 1, trace->startBegin[pass + 1] = tail;
    if (head == tail) {
      spent_ += tasks_ + looks / kLooksPerDispatch;
      return now;
    }
    now = running[head].finish;
    ++pass;
    if constexpr (kTraced) trace->endBegin[pass] = head;
    for (; head < tail && running[head].finish == now; ++head) {
      const std::uint32_t done = running[head].task;
      giveBack<kSmall>(done);
      if constexpr (kTraced) trace->ended[head] = done;
      for (std::uint32_t i = successorStart_[done]; i < successorStart_[done + 1]; ++i) {
        const std::uint32_t next = successor_[i];
        if (--missing_[next] != 0) continue;
        ready[rank[next] / 64] |= std::uint64_t{1} << (rank[next] % 64);
        if constexpr (kTraced) trace->readyPass[next] = pass;
      }
    }
    if constexpr (kTraced) trace->endBegin[pass + 1] = head;
  }
}

std::int64_t ListSimulator::run(const ListOrder& order, const std::int64_t* durations) {
  if (tasks_ <= 64 && words_ == 1) return simulate<true, false>(order, durations, nullptr);
  return simulate<false, false>(order, durations, nullptr);
}

std::int64_t ListSimulator::run(const ListOrder& order, const std::int64_t* durations, ListTrace& trace) {
  // Rare enough to leave the small case out: it is a kilobyte.
  return simulate<false, true>(order, durations, &trace);
}

}  // namespace aetherflow
