#pragma once
// {{steps.ID.output}} in a step's description: found here, replaced by the prompt.

#include <cstdint>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace aetherflow {

/// A piece of a description.
struct TemplatePiece {
  enum class Kind : std::uint8_t {
    Text,     ///< as it stands
    Output,   ///< `text` is the id of the step whose output belongs there; it need not exist
    Literal,  ///< `text` is "{{" or "}}", written as {{'{{'}} or {{'}}'}}
    Near,     ///< `text`, braces included, looks like a reference and is not one
    Item,  ///< `text`, braces included, is {{item}} or {{item.FIELD}}: what a step with `for_each` is carried out for
    Unknown,  ///< `text`, braces included, is a placeholder that nothing fills
  } kind = Kind::Text;
  std::string_view text;
  std::size_t at = 0;     ///< byte of the description where it begins
  std::size_t bytes = 0;  ///< that it covers there
  bool inCode = false;    ///< of Item: between backticks
};

/// Cuts a description into pieces that cover it without gaps; none is empty. Blanks inside the braces count for
/// nothing; an id has no control characters, and one that holds "{{" or "}}" cannot be named.
///
///     "Join {{steps.a.output}} and {{ steps.b }}"  →  Text "Join ", Output "a", Text " and ", Near "{{ steps.b }}"
///
/// Near is what begins with `steps` or `step` inside two braces, closed or not, and {steps.ID.output} in one. Other
/// braces around a name, a path or a filter are Unknown, but not between backticks, where code is shown. What looks
/// like no placeholder at all ({{1,2},{3,4}}) is text. Borrows the description; linear.
class TemplatePieces {
 public:
  explicit TemplatePieces(std::string_view description) : all_(description) { find(0); }

  /// False when there are no more.
  bool next(TemplatePiece& piece);

 private:
  void find(std::size_t from);
  std::size_t braces(std::size_t open);
  std::size_t literal(std::size_t open);
  void found(TemplatePiece::Kind kind, std::string_view text, std::size_t at, std::size_t end);

  std::string_view all_;
  std::size_t done_ = 0;    ///< bytes given out
  std::size_t fence_ = 0;   ///< backticks that opened the code around the present place; 0 outside
  TemplatePiece upcoming_;  ///< the next that is no text; at the end of the description without bytes
};

/// The name in the braces of an Item: "item", "item.path".
std::string_view itemName(std::string_view text);

/// The reference that `text`, a Near or Unknown piece, was most probably meant to be, or empty: to the step whose id
/// stands in it, else to the one with the nearest id.
std::string meantReference(std::string_view text, const Plan& plan);

}  // namespace aetherflow
