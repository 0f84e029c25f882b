#pragma once
// SHA-256 (FIPS 180-4): what sections are recognised by after edits. A shorter hash could be aimed at.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

/// Lower-case hexadecimal digits of the first `bytes`.
std::string hexOf(const Sha256& hash, std::size_t bytes = 32);

}  // namespace aetherflow
