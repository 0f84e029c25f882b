#include "core/base/error.hpp"

namespace aetherflow {

std::string_view codeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::None: return "none";
#define X(name, text, advice) \
  case ErrorCode::name:       \
    return text;
#include "core/base/error.def"
#undef X
  }
  return "unknown";
}

}  // namespace aetherflow
