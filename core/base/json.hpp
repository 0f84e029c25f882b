#pragma once
// A small tree of JSON values, for what is read whole: options, routing tables, schemas, audits. Plans never become
// one.
//
// Why not nlohmann::json, which this replaced: at -Oz -flto the module weighed 123 KB (gzip) with it and 98 KB with
// this, for its own code, its maps and vectors, and the C library's printf, strtod and long double behind it. The
// budget for module and glue is 100 KB. Here the reader of plans does the work, so JSON means the same everywhere. The
// tests hold this against nlohmann::json.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

class JsonWriter;

/// One value. Members of an object are its `items`, each with its name, in ascending order of the names (by bytes):
/// what walks over an object does so in the same order in every build.
struct JsonValue {
  enum class Kind : std::uint8_t { Null, False, True, Number, String, Array, Object };

  Kind kind = Kind::Null;
  std::string name;              ///< of a member, decoded; else empty
  std::string text;              ///< a string decoded, or a number as written
  std::vector<JsonValue> items;  ///< of an array or object

  bool isNull() const { return kind == Kind::Null; }
  bool isBoolean() const { return kind == Kind::True || kind == Kind::False; }
  bool isTrue() const { return kind == Kind::True; }
  bool isNumber() const { return kind == Kind::Number; }
  bool isString() const { return kind == Kind::String; }
  bool isArray() const { return kind == Kind::Array; }
  bool isObject() const { return kind == Kind::Object; }

  /// Of a number: see toDouble() for its accuracy.
  double number() const;
  /// A number written as a whole one, without sign, fraction or exponent, that fits; else nothing.
  std::optional<std::uint64_t> unsignedInteger() const;
  /// The member, or nullptr: also when this is no object. O(log members).
  const JsonValue* find(std::string_view member) const;
  const JsonValue* find(const char* member) const;
  /// Written alike, but for blanks and the order of members: numbers by their text, unlike compareJson().
  bool operator==(const JsonValue&) const = default;
};

/// Nesting that parseJson() takes: nobody means more, and what walks a tree may recurse.
inline constexpr std::uint32_t kJsonDepth = 64;

/// Whether `text` is one well-formed JSON value, of any depth up to `depth`. Linear; nothing recurses.
bool isJson(std::string_view text, std::uint32_t depth = UINT32_MAX);

/// The tree of `text`; nothing when it is not well-formed or deeper than kJsonDepth. Of members with one name the last counts.
std::optional<JsonValue> parseJson(std::string_view text);

/// Negative, zero or positive, in a total order, which for numbers is theirs, by their first 19 digits. Zero means
/// equal as JSON: 1 and 1.0 are, as are objects whatever the order they were written in. The names of `a` and `b`
/// themselves do not count.
int compareJson(const JsonValue& a, const JsonValue& b);

/// Whether no two elements of an array are equal. O(n log n) comparisons.
bool allDistinct(const JsonValue& array);

/// RFC 7396: members of `patch` replace those of `target`, null removes them, objects are merged in depth.
void mergePatch(JsonValue& target, const JsonValue& patch);

/// Writes the value without blanks; numbers as they were written.
void writeJson(JsonWriter& writer, const JsonValue& value);

}  // namespace aetherflow
