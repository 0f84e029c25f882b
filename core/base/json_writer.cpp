#include "core/base/json_writer.hpp"

namespace aetherflow {
namespace {

void appendDigits(std::string& out, std::uint64_t number) {
  char digits[20];
  char* at = digits + sizeof digits;
  do *--at = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  out.append(at, static_cast<std::size_t>(digits + sizeof digits - at));
}

}  // namespace

void appendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (byte) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[byte >> 4];
        out += kHex[byte & 15];
    }
  }
  out.append(text, from, text.size() - from);
  out += '"';
}

void JsonWriter::separate() {
  if (needsComma_) out_ += ',';
  needsComma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  needsComma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  needsComma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  appendJsonString(out_, name);
  out_ += ':';
  needsComma_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(const char* name) {
  return key(std::string_view(name));
}

JsonWriter& JsonWriter::field(const char* name, std::string_view text) {
  return key(name).string(text);
}

JsonWriter& JsonWriter::field(const char* name, const char* text) {
  return key(name).string(text);
}

JsonWriter& JsonWriter::field(const char* name, std::int64_t value) {
  return key(name).integer(value);
}

JsonWriter& JsonWriter::field(const char* name, bool value) {
  return key(name).boolean(value);
}

JsonWriter& JsonWriter::field(const char* name, double value, int decimals) {
  return key(name).number(value, decimals);
}

JsonWriter& JsonWriter::known(const char* name, std::int64_t value) {
  return value < 0 ? key(name).null() : key(name).integer(value);
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  appendJsonString(out_, text);
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  if (number < 0) out_ += '-';
  const auto bits = static_cast<std::uint64_t>(number);
  appendDigits(out_, number < 0 ? 0 - bits : bits);
  return *this;
}

JsonWriter& JsonWriter::number(double value, int decimals) {
  if (!(value == value) || value > 9.0e15 || value < -9.0e15) return null();
  // Fixed point by integers: printing floats through libm or locale would differ between builds.
  std::int64_t scale = 1;
  for (int i = 0; i < decimals; ++i) scale *= 10;
  const double scaled = value * static_cast<double>(scale);
  if (scaled > 9.0e18 || scaled < -9.0e18) return integer(static_cast<std::int64_t>(value));
  auto units = static_cast<std::int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  separate();
  if (units < 0) {
    out_ += '-';
    units = -units;
  }
  appendDigits(out_, static_cast<std::uint64_t>(units / scale));
  std::int64_t rest = units % scale;
  if (rest != 0) {
    out_ += '.';
    for (std::int64_t digit = scale / 10; rest != 0; digit /= 10) {
      out_ += static_cast<char>('0' + rest / digit);
      rest %= digit;
    }
  }
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace aetherflow
