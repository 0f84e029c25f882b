// Several runs over one authority, in seeded schedules with faults: no limit is ever exceeded, nobody starves or is stuck, and each
// run alone, given its events again without an authority, hands out the same bytes.
//   AETHERFLOW_SCHEDULES=100000  how many schedules; the default is what CI has time for

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <queue>

#include "core/base/rng.hpp"
#include "core/limit/authority.hpp"
#include "core/run/run.hpp"

namespace aetherflow::testing {
namespace {

#ifdef __EMSCRIPTEN__
constexpr std::uint64_t kSchedules = 1'000;
#else
constexpr std::uint64_t kSchedules = 4'000;
#endif

struct Told {
  EventKind kind;
  std::vector<double> values;
  TimeMs at;
  bool drained;  ///< the run was drained before it
};

/// One run, what was told to it, and what it handed out.
struct Member {
  Run run;
  std::string options;
  MemberId id = 0;
  std::vector<Told> told;
  std::string bytes;
  bool gone = false, drainedSince = false;
};

struct Call {
  std::size_t member = 0;
  CallId id = kNone;
  std::int64_t most = 0;
};

class Schedule {
 public:
  explicit Schedule(std::uint64_t seed) : rng_(seed) {}

  void play() {
    limit_ = 1 + rng_.below(3);
    tokens_ = rng_.below(3) == 0 ? 6'000 + rng_.below(20'000) : 0;
    faults_ = rng_.below(4) == 0 ? 30 : rng_.below(10);
    const std::size_t runs = 2 + rng_.below(3);
    for (std::size_t i = 0; i < runs; ++i) begin();
    for (std::size_t i = 0; i < members_.size(); ++i) drain(i);
    for (int turn = 0; turn < 4'000; ++turn) {
      if (allOver()) return atTheEnd();
      const TimeMs next = nextTime();
      ASSERT_NE(next, kNever) << "stuck";
      now_ = std::max(now_, next);
      step();
      if (::testing::Test::HasFatalFailure()) return;
    }
    FAIL() << "no end";
  }
  std::uint64_t refusals = 0, calls = 0;

 private:
  struct Due {
    TimeMs at;
    std::uint64_t order;
    Call call;
    bool operator>(const Due& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  void begin() {
    members_.push_back(std::make_unique<Member>());
    Member& member = *members_.back();
    const std::uint32_t own = rng_.below(3) == 0 ? limit_ : 4;
    member.options = R"({"available":["groq"],"seed":)" + std::to_string(rng_.below(1000)) +
                     R"(,"concurrency":{"groq":)" + std::to_string(own) +
                     R"(},"table":{"retry":{"attempts":4},"breaker":{"failures":6}}})";
    ASSERT_EQ(member.run.begin(member.options, 0), ErrorCode::None) << member.run.error().detail;
    std::string plan = R"({"task_id":"t","description":"d","steps":[)";
    const std::uint32_t steps = 1 + rng_.below(5);
    for (std::uint32_t i = 0; i < steps; ++i)
      plan += (i > 0 ? "," : "") + std::string(R"({"id":"s)") + std::to_string(i) +
              R"(","type":"testing","description":"d","estimated_tokens":)" + std::to_string(50 + rng_.below(300)) +
              R"(,"priority":)" + std::to_string(rng_.below(3)) + "}";
    plans_.push_back(plan + "]}");
    ASSERT_EQ(member.run.planBytes(plans_.back(), 0), ErrorCode::None);
    ASSERT_EQ(member.run.planEnd(0), ErrorCode::None);
    member.id = authority_.join();
    SharedLimits limits;
    limits.places = limit_;
    if (tokens_ > 0) limits.most[1] = tokens_;
    limits.breakerFailures = 6;
    bool narrowed = false;
    group_ = authority_.group(member.id, "groq", limits, narrowed);
  }

  void tell(std::size_t index, EventKind kind, std::vector<double> values) {
    Member& member = *members_[index];
    values.resize(kSignalValues, -1);
    member.run.signal(kind, values.data(), now_);
    member.told.push_back({kind, values, now_, member.drainedSince});
    member.drainedSince = false;
  }

  /// Carries out what a run hands out, until it hands out nothing.
  void drain(std::size_t index) {
    Member& member = *members_[index];
    for (bool again = true; again && !member.gone;) {
      const CommandBuffer& commands = member.run.drain();
      member.drainedSince = true;
      again = commands.count() > 0;
      const std::vector<double> records(commands.data(), commands.data() + commands.count() * kCommandStride);
      member.bytes.append(reinterpret_cast<const char*>(records.data()), records.size() * sizeof(double));
      for (std::size_t at = 0; at < records.size(); at += kCommandStride)
        if (static_cast<CommandKind>(static_cast<int>(records[at])) == CommandKind::Call)
          leave(index, static_cast<CallId>(get(&records[at], CommandField::Call)));
    }
    if (member.run.finished() && !member.gone) {
      authority_.leave(member.id, now_);
      member.gone = true;
    }
  }

  /// A call is about to leave.
  void leave(std::size_t index, CallId id) {
    Member& member = *members_[index];
    const CallRecord& record = member.run.calls()[id];
    Call call{index, id, member.run.mostTokens(id)};
    SharedAsk ask;
    ask.member = member.id;
    ask.call = id;
    ask.group = group_;
    ask.tokens = call.most;
    ask.priority = member.run.plan().steps[record.step].priority;
    const SharedAnswer answer = authority_.ask(ask, now_);
    if (!answer.granted) {
      ++refusals;
      tell(index, EventKind::Refused,
           {double(id), double(answer.why), answer.window == Window::Count ? -1.0 : double(answer.window),
            answer.until == kNever ? -1.0 : double(answer.until)});
      return;
    }
    ++calls;
    live_.push_back(call);
    check();
    due_.push({now_ + 20 + rng_.below(900), order_++, call});
  }

  /// What the provider would count.
  void check() {
    ASSERT_LE(live_.size(), limit_) << "too many calls at once";
    if (tokens_ == 0) return;
    std::int64_t sum = 0;
    for (const Call& call : live_) sum += call.most;
    for (const auto& [at, used] : used_)
      if (at > now_ - 60'000) sum += used;
    ASSERT_LE(sum, tokens_) << "tokens over the limit";
  }

  TimeMs nextTime() {
    TimeMs next = due_.empty() ? kNever : due_.top().at;
    next = std::min(next, authority_.nextWake(now_));
    for (const auto& member : members_)
      if (!member->gone) next = std::min(next, member->run.nextWake());
    return next;
  }

  void step() {
    authority_.tick(now_);
    while (!due_.empty() && due_.top().at <= now_) {
      const Call call = due_.top().call;
      due_.pop();
      if (!members_[call.member]->gone) end(call);
    }
    // A process that dies takes its run with it.
    if (rng_.below(200) == 0) die(rng_.below(static_cast<std::uint32_t>(members_.size())));
    freed();
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i]->gone) continue;
      tell(i, EventKind::Tick, {});
      drain(i);
    }
    freed();
  }

  void freed() {
    MemberId member = 0;
    SharedGroup group = 0;
    while (authority_.takeFreed(member, group))
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (members_[i]->gone || members_[i]->id != member) continue;
        const Target groq = members_[i]->run.table().findTarget("groq");
        tell(i, EventKind::Freed, {double(groq.provider), double(groq.model)});
        drain(i);
      }
  }

  void forget(const Call& call, std::int64_t used) {
    for (std::size_t i = 0; i < live_.size(); ++i)
      if (live_[i].member == call.member && live_[i].id == call.id) {
        live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
    used_.emplace_back(now_, used);
  }

  void end(const Call& call) {
    Member& member = *members_[call.member];
    const auto out = static_cast<double>(rng_.below(200));
    const bool fails = rng_.below(100) < faults_;
    SharedEnd how;
    how.tokens = static_cast<std::int64_t>(out) + 10;
    how.ok = !fails;
    how.unwell = fails && rng_.below(2) == 0;
    const bool limited = fails && !how.unwell;
    if (limited) how.retryAfterMs = rng_.below(400);
    forget(call, how.tokens);
    authority_.settle(member.id, call.id, how, now_);
    if (fails)
      tell(call.member, EventKind::Failed,
           {double(call.id), double(limited ? FailureKind::RateLimited : FailureKind::ServerError),
            double(how.retryAfterMs), 10, 0, out, 0, 0, -1});
    else
      tell(call.member, EventKind::Succeeded, {double(call.id), 10, 0, out, 0, 0, 0, -1, 0});
    drain(call.member);
  }

  void die(std::size_t index) {
    if (members_[index]->gone) return;
    members_[index]->gone = true;
    for (std::size_t i = live_.size(); i-- > 0;)
      if (live_[i].member == index) {
        used_.emplace_back(now_, live_[i].most);
        live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    authority_.leave(members_[index]->id, now_);
  }

  bool allOver() const {
    for (const auto& member : members_)
      if (!member->gone) return false;
    return true;
  }

  /// Each run replayed by itself.
  void atTheEnd() {
    ASSERT_EQ(authority_.inFlight(group_), 0u) << "a place is still taken";
    for (std::size_t i = 0; i < members_.size(); ++i) {
      const Member& member = *members_[i];
      Run twin;
      ASSERT_EQ(twin.begin(member.options, 0), ErrorCode::None);
      twin.planBytes(plans_[i], 0);
      twin.planEnd(0);
      std::string bytes;
      const auto drainTwin = [&] {
        for (;;) {
          const CommandBuffer& commands = twin.drain();
          if (commands.count() == 0) return;
          bytes.append(reinterpret_cast<const char*>(commands.data()),
                       commands.count() * kCommandStride * sizeof(double));
        }
      };
      for (const Told& told : member.told) {
        if (told.drained) drainOnce(twin, bytes);
        twin.signal(told.kind, told.values.data(), told.at);
      }
      drainTwin();
      ASSERT_EQ(bytes, member.bytes) << "run " << i << " replayed alone decides otherwise";
    }
  }

  static void drainOnce(Run& run, std::string& bytes) {
    const CommandBuffer& commands = run.drain();
    bytes.append(reinterpret_cast<const char*>(commands.data()), commands.count() * kCommandStride * sizeof(double));
  }

  Rng rng_;
  Authority authority_;
  SharedGroup group_ = 0;
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::string> plans_;
  std::vector<Call> live_;
  std::vector<std::pair<TimeMs, std::int64_t>> used_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::uint64_t order_ = 0;
  std::uint32_t limit_ = 1, faults_ = 0;
  std::int64_t tokens_ = 0;
  TimeMs now_ = 0;
};

TEST(SharedRuns, KeepTheLimitsAndReplayAlone) {
  const char* asked = std::getenv("AETHERFLOW_SCHEDULES");
  const std::uint64_t last = asked == nullptr ? kSchedules : std::strtoull(asked, nullptr, 10);
  std::uint64_t refusals = 0, calls = 0;
  for (std::uint64_t seed = 1; seed <= last; ++seed) {
    Schedule schedule(seed);
    schedule.play();
    refusals += schedule.refusals;
    calls += schedule.calls;
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
  std::printf("%llu schedules, %llu calls, %llu refusals\n", static_cast<unsigned long long>(last),
              static_cast<unsigned long long>(calls), static_cast<unsigned long long>(refusals));
  EXPECT_GT(refusals, last / 10) << "the limits were hardly ever reached";
}

}  // namespace
}  // namespace aetherflow::testing
