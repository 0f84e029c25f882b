#pragma once
// Failure is a value in the core: a code, a place, a detail. Nothing here throws.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// Every failure by name; the list is error.def. Crosses the boundary as a negative number.
enum class ErrorCode : std::int16_t {
  None = 0,
#define X(name, code, advice) name,
#include "core/base/error.def"
#undef X
};

/// What went wrong and where. `where` is a JSON Pointer into the plan or the options, or empty.
/// `detail` is for people and never carries prompts, answers or keys.
struct Error {
  ErrorCode code = ErrorCode::None;
  std::string where;
  std::string detail;

  explicit operator bool() const { return code != ErrorCode::None; }
};

/// The dotted name of a code, e.g. "plan.cycle"; static storage.
std::string_view codeName(ErrorCode code);

}  // namespace aetherflow
