#pragma once
// The one hash table of the core: texts → numbers. Each other pair of types would be another two kilobytes of module.

#include <cstdint>
#include <string>
#include <unordered_map>

namespace aetherflow {

/// For look-ups only: its order differs between builds, so it is never iterated. Keys stay where they are.
using TextIndex = std::unordered_map<std::string, std::uint32_t>;

}  // namespace aetherflow
