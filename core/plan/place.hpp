#pragma once
// Places in a plan as JSON Pointers (RFC 6901), and texts cut short for people.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/ids.hpp"

namespace aetherflow {

/// As the place of a dependency: a rule of the step names it.
inline constexpr std::uint32_t kOfRule = kNone - 1;

/// `/steps/N` and `tail`, e.g. "/id".
std::string stepPlace(StepIndex step, std::string_view tail = {});
/// `/steps/N/dependencies/K`, or the step's description when a template made the edge (`place` = kNone), or the step when a
/// rule of it did (kOfRule).
std::string dependencyPlace(StepIndex step, std::uint32_t place);
/// "/name" with ~ and / escaped; long names are cut.
std::string memberPlace(std::string_view name);

/// At most about 80 bytes of `text`, cut between characters, "…" where something was left out.
std::string shortened(std::string_view text);
/// shortened() in double quotes, as it is: for details, not for JSON.
std::string quoted(std::string_view text);
/// The same, and what is to be said of it.
std::string quoted(std::string_view text, const char* rest);
/// "more than `limit`" and the rest of the sentence.
std::string moreThan(std::uint64_t limit, const char* rest);

/// A name without folders, which no file system takes for something else.
bool isFileName(std::string_view name);
/// What may name a step: 1 to `maxBytes` bytes without control characters (U+0000–001F, U+007F–009F). `text` is valid UTF-8.
bool isId(std::string_view text, std::size_t maxBytes);

}  // namespace aetherflow
