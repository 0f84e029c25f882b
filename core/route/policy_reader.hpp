#pragma once
// Policy and limits in the table's JSON.

#include "core/limit/quotas.hpp"
#include "core/route/policy.hpp"
#include "core/route/reading.hpp"

namespace aetherflow {

/// Members retry, breaker, hedge, floor, interrupt and budget of the table.
Policy readPolicy(Reading& reading, const JsonValue& table);
/// One group of the member `limits`.
QuotaLimits readQuota(Reading& reading, const JsonValue& group);

}  // namespace aetherflow
