#pragma once
// Lossless JSON minification.

#include <string>
#include <string_view>

namespace aetherflow {

/// The text without the white space between JSON tokens; strings and numbers keep their bytes. A text that is not valid
/// JSON (RFC 8259, UTF-8 without a byte order mark) comes back unchanged. O(bytes).
std::string minifyJson(std::string_view text);

}  // namespace aetherflow
