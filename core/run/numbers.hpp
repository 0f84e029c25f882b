#pragma once
// Numbers that crossed the boundary as float64, converted to their types. A cast of one that does not fit is undefined,
// and a host may send anything: NaN becomes −1, and more than 1e13 ms (three centuries) becomes that.

#include <cstdint>

#include "core/base/ids.hpp"

namespace aetherflow {

inline std::int64_t whole(double number) {
  constexpr double kMost = 1e13;
  return number >= -kMost && number <= kMost ? static_cast<std::int64_t>(number)
                                             : static_cast<std::int64_t>(number > 0 ? kMost : -1);
}
/// A moment; a negative one is kNever.
inline std::int64_t moment(double number) {
  return number >= 0 ? whole(number) : kNever;
}
inline std::uint32_t count(double number) {
  if (!(number > 0)) return 0;
  return number < 4294967295.0 ? static_cast<std::uint32_t>(number) : 0xffffffffu;
}
inline std::uint32_t id(double number) {
  return number >= 0 && number < 4294967295.0 ? static_cast<std::uint32_t>(number) : kNone;
}
inline std::int8_t answer(double number) {
  return number < 0 ? -1 : number > 0 ? 1 : 0;
}

template <class E>
E oneOf(double number, E fallback) {
  return number >= 0 && number < static_cast<double>(E::Count) ? static_cast<E>(static_cast<int>(number)) : fallback;
}

}  // namespace aetherflow
