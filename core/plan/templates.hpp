#pragma once
// {{steps.ID.output}} in a step's description: found here, replaced by the prompt.

#include <cstdint>
#include <string_view>

namespace aetherflow {

/// A piece of a description: literal text, or the id of the step whose output belongs there.
struct TemplatePiece {
  enum class Kind : std::uint8_t { Text, Output } kind = Kind::Text;
  std::string_view text;
};

/// Cuts a description into pieces that cover it without gaps: Text pieces are never empty, Output pieces hold a
/// non-empty id without control characters, which need not exist. An id that holds "{{" or "}}" cannot be named this
/// way, and every other `{{…}}` stays text. Borrows the description; linear, because no byte behind an opening is
/// looked at twice.
///
///     "Join {{steps.a.output}} and {{x}}"  →  Text "Join ", Output "a", Text " and {{x}}"
class TemplatePieces {
 public:
  explicit TemplatePieces(std::string_view description) : rest_(description) { find(); }

  /// False when there are no more.
  bool next(TemplatePiece& piece);

 private:
  void find();

  std::string_view rest_;
  std::size_t at_ = 0;    ///< of the next reference in rest_, or its size
  std::size_t size_ = 0;  ///< of that reference with its braces
  std::string_view id_;
};

}  // namespace aetherflow
