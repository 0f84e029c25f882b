#pragma once
// From a ready step to a call: whether it may go to a target now, if not why, and where it goes.

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/base/vocabulary.hpp"
#include "core/limit/budget.hpp"
#include "core/route/table.hpp"

namespace aetherflow {

/// How long a provider without quota or credit is not asked, ms.
inline constexpr std::int64_t kQuotaGoneMs = 31'536'000'000;

/// The answer of one target.
struct Offer {
  bool goes = false;
  bool never = false;  ///< not now and not later: `kind` says which failure that is
  FailureKind kind = FailureKind::Count;
  Reason why = Reason::None;      ///< why not now
  Window window = Window::Count;  ///< of a limit, Count: another reason
  TimeMs until = kNever;          ///< kNever: until a running call ends
  std::uint32_t maxTokens = 0;    ///< most answer tokens
  std::uint32_t promptBound = 0;
  Spend worst;  ///< of money and tokens, to be reserved
};

/// The target chosen for an item, or the preferred one and why it cannot go there.
struct Placement {
  Target target;
  Offer offer;
  bool overflowed = false;
  std::uint32_t lead = kNone;  ///< of a prefix of its prompt that is in the cache
};

}  // namespace aetherflow
