#pragma once
// What stripping made of texts lately: steps share their instructions, and every call of a step needs them again.

#include <cstddef>
#include <string>
#include <string_view>

#include "core/prompt/strip.hpp"

namespace aetherflow {

class StripMemory {
 public:
  /// strip(text). Borrowed until the next call.
  const Stripped& of(std::string_view text);

 private:
  /// Shorter texts are stripped as fast as they are found here, longer ones would hold much memory: together at most 4 MB.
  static constexpr std::size_t kLeast = 64, kMost = 65536, kPlaces = 32;
  struct Place {
    std::string text;
    Stripped result;
  };
  Place places_[kPlaces];
  Stripped last_;
};

}  // namespace aetherflow
