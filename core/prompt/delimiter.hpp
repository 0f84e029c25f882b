#pragma once
// Texts from outside enter a prompt between tags that they cannot close themselves.

#include <string>
#include <string_view>

namespace aetherflow {

/// Appends
///
///     <tag attribute="name">
///     text
///     </tag>
///
/// and a line end. If the text holds "</tag" in any case, the tag becomes <tag-N> with the smallest N whose end the
/// text does not hold: chosen by the text alone, so equal files give equal bytes in every prompt. `attribute` may be
/// empty. The name is escaped. O(bytes).
void appendTagged(std::string& out, std::string_view tag, std::string_view attribute, std::string_view name,
                  std::string_view text);

/// The same on one line without line ends, for short texts inside a sentence.
void appendTaggedInline(std::string& out, std::string_view tag, std::string_view attribute, std::string_view name,
                        std::string_view text);

}  // namespace aetherflow
