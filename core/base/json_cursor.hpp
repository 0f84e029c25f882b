#pragma once
// Walks over JSON text that JsonScanner has validated: pull, no tree, no recursion, no failure of its own.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// A decimal number as written: ± digits × 10^exponent.
struct Decimal {
  bool negative = false;
  bool rounded = false;  ///< digits past the 19th were cut off, and not all were zero
  std::uint64_t digits = 0;
  std::int32_t exponent = 0;
};

/// `text` is a JSON number.
Decimal decimalOf(std::string_view text);
/// The nearest double, or one beside it when more than 15 digits are written; the same in every build. Infinity when
/// out of range.
double toDouble(const Decimal& decimal);
/// False when the number is not whole (`4.0` and `4e3` are). Out of range becomes the nearest int64.
bool toInteger(const Decimal& decimal, std::int64_t& out);

/// Precondition everywhere: the text is well-formed and the cursor stands where the call expects, which peek() tells.
/// Views borrow the text. A container is read as
///     for (bool more = cursor.enter(); more; more = cursor.more()) { ...exactly one element, or a key and its value...
///     }
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view valid) : at_(valid.data()), end_(valid.data() + valid.size()) {}

  /// First byte of the next value: { [ " t f n - or a digit; '\0' at the end.
  char peek();
  /// Steps into an object or array. False when it is empty; then it is already left.
  bool enter();
  /// Steps over the comma. False when the container ended; then it is already left.
  bool more();
  /// A member's name as written, with its quotes; the colon is passed.
  std::string_view key();
  /// The next value as written, whatever it is.
  std::string_view value();

 private:
  void skipBlanks();
  void skipString();

  const char* at_;
  const char* end_;
};

/// The text of a JSON string given with its quotes: a view into it when it has no escapes, else decoded into `scratch`.
std::string_view decodeString(std::string_view quoted, std::string& scratch);
/// Appends well-formed JSON without the blanks between tokens.
void appendCompact(std::string& out, std::string_view json);

}  // namespace aetherflow
