// Events as numbers: the single entry point for hosts and journals.

#include "core/run/machine.hpp"
#include "core/run/numbers.hpp"

namespace aetherflow {
namespace {

Succeeded success(const double* v) {
  Succeeded event;
  event.call = id(v[0]);
  event.tokens = {count(v[1]), count(v[2]), count(v[3]), count(v[4]), count(v[9])};
  event.finish = oneOf(v[5], FinishReason::Other);
  event.verdict = oneOf(v[6], CheckVerdict::Empty);
  event.providerMs = whole(v[7]);
  event.tokensEstimated = v[8] > 0;
  return event;
}

Failed failure(const double* v) {
  Failed event;
  event.call = id(v[0]);
  event.kind = oneOf(v[1], FailureKind::ServerError);
  event.retryAfterMs = whole(v[2]);
  event.tokens = {count(v[3]), count(v[4]), count(v[5]), count(v[6])};
  event.shown = v[7] > 0;
  event.mayRetry = answer(v[8]);
  return event;
}

}  // namespace

ErrorCode Machine::signal(EventKind kind, const double* v, TimeMs now) {
  switch (kind) {
    case EventKind::Tick: return tick(now);
    case EventKind::Started: return started({id(v[0]), answer(v[1]), whole(v[2])}, now);
    case EventKind::Prompted: return prompted(id(v[0]), count(v[1]), count(v[2]), now);
    case EventKind::FirstToken: return firstToken(id(v[0]), now);
    case EventKind::Progress: return progress(id(v[0]), count(v[1]), now);
    case EventKind::Succeeded: return succeeded(success(v), now);
    case EventKind::Failed: return failed(failure(v), now);
    case EventKind::LimitsSeen:
      return limitsSeen({id(v[0]), oneOf(v[1], Window::RequestsMinute), whole(v[2]), whole(v[3]), whole(v[4])}, now);
    case EventKind::Verdict: return verdict(id(v[0]), oneOf(v[1], Verdict::Unclear), whole(v[2]), now);
    case EventKind::Checked: return checked(id(v[1]), v[2] > 0, now);
    case EventKind::CancelStep: {
      static constexpr Reason kWhy[] = {Reason::UserCancelled, Reason::Settled, Reason::Unmet, Reason::NotSpread};
      return cancelStep(id(v[0]), kWhy[v[1] >= 1 && v[1] <= 3 ? static_cast<int>(v[1]) : 0], now);
    }
    case EventKind::CancelRun: return cancelRun(now);
    case EventKind::Clock: return wallClock(whole(v[0]), now);
    case EventKind::Recalled: return recalled(id(v[0]), v[1] > 0, now);
    case EventKind::Expanded: return expanded(id(v[0]), now);
    case EventKind::Looked:
      return looked({id(v[0]), oneOf(v[1], Found::Failed), id(v[2]), {count(v[4]), count(v[3])}, count(v[5]), v[6]},
                    now);
    case EventKind::Stored: return stored(id(v[0]), v[1] > 0, now);
    case EventKind::Refused:
      return refused({id(v[0]), oneOf(v[1], Refusal::Places), oneOf(v[2], Window::Count), moment(v[3])}, now);
    case EventKind::Weighed: return weighed(id(v[0]), count(v[1]), id(v[2]), now);
    case EventKind::Retrieved: return retrieved(id(v[0]), count(v[1]), now);
    case EventKind::Freed: return freed(id(v[0]), id(v[1]), now);
    case EventKind::Drafting: return drafting(id(v[0]), oneOf(v[1], Reason::DraftOff), v[2] > 0, now);
    default: return refuse(ErrorCode::RunIllegalEvent, "", "no event that a signal can carry");
  }
}

ErrorCode Machine::wallClock(std::int64_t epochMs, TimeMs now) {
  if (const ErrorCode code = timed(now); code != ErrorCode::None) return code;
  epochMs_ = epochMs - now;
  return ErrorCode::None;
}

}  // namespace aetherflow
