#pragma once
// Dense integers name things inside the core; hosts keep texts and keys.

#include <cstdint>

namespace aetherflow {

using StepIndex = std::uint32_t;      ///< position in the plan's `steps`, from 0
using CallId = std::uint32_t;         ///< position in the run's list of calls, from 0
using ProviderIndex = std::uint16_t;  ///< position in the provider table
using ModelIndex = std::uint16_t;     ///< position in the table's flat list of models

/// "None" for every id type above, after the usual narrowing.
inline constexpr std::uint32_t kNone = 0xffffffffu;
inline constexpr std::uint16_t kNone16 = 0xffffu;

/// Milliseconds on the host's monotonic clock, or on a virtual one. The core never asks for it; it is told.
using TimeMs = std::int64_t;
inline constexpr TimeMs kNever = INT64_MAX;

/// Money: 1 USD = 1,000,000 micro-USD. Integers, so that sums do not depend on their order.
using MicroUsd = std::int64_t;

}  // namespace aetherflow
