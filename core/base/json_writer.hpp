#pragma once
// Writes JSON text straight into a string: documents of 100,000 steps need no tree in memory.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// Appends `text` as a JSON string with its quotes. Control characters are escaped; UTF-8 passes through.
void appendJsonString(std::string& out, std::string_view text);

/// Streams one JSON value. Commas are placed by the writer; the caller balances begin and end.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& beginObject() { return open('{'); }
  JsonWriter& endObject() { return close('}'); }
  JsonWriter& beginArray() { return open('['); }
  JsonWriter& endArray() { return close(']'); }
  JsonWriter& key(std::string_view name);
  // Names are literals nearly always, and a pointer alone is a third of the code at each of these calls.
  JsonWriter& key(const char* name);
  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t number);
  /// Shortest decimal with at most `decimals` places; not a number becomes null.
  JsonWriter& number(double value, int decimals = 3);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  /// Text that is JSON already.
  JsonWriter& raw(std::string_view json);

  JsonWriter& field(const char* name, std::string_view text);
  JsonWriter& field(const char* name, const char* text);
  JsonWriter& field(const char* name, std::int64_t value);
  JsonWriter& field(std::string_view name, std::int64_t value) { return key(name).integer(value); }
  JsonWriter& field(const char* name, bool value);
  JsonWriter& field(const char* name, double value, int decimals = 3);
  /// Writes null for negative numbers: "unknown" in metrics.
  JsonWriter& known(const char* name, std::int64_t value);

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string& out_;
  bool needsComma_ = false;
};

}  // namespace aetherflow
