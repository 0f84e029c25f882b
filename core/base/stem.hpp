#pragma once
// Two inflections of one word, by their spelling alone.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

enum class Language : std::uint8_t { English, French, Unknown };

/// The stem by which two inflections are equal: "running", "runs" → "run"; "colours", "colored" → "color". Light: it
/// may leave two forms apart and seldom joins two words. `word`: lower case, without accents.
std::string stemOf(Language language, std::string_view word);

}  // namespace aetherflow
