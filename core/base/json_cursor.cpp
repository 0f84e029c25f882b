#include "core/base/json_cursor.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace aetherflow {
namespace {

constexpr bool isBlank(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}
constexpr bool isDigit(char byte) {
  return byte >= '0' && byte <= '9';
}

/// One past the closing quote of the string that begins at `at`. memchr is many times faster than a loop over the bytes.
const char* endOfString(const char* at, const char* end) {
  const char* from = at + 1;
  for (;;) {
    const void* found = std::memchr(from, '"', static_cast<std::size_t>(end - from));
    if (found == nullptr) return end;
    const char* quote = static_cast<const char*>(found);
    const char* slash = quote;
    while (slash - 1 > at && slash[-1] == '\\') --slash;
    if ((quote - slash) % 2 == 0) return quote + 1;
    from = quote + 1;
  }
}

std::uint32_t hexOf(const char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char byte = at[i];
    value = value << 4 | static_cast<std::uint32_t>(isDigit(byte) ? byte - '0' : (byte | 0x20) - 'a' + 10);
  }
  return value;
}

void appendUtf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
    return;
  }
  const int tails = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  out += static_cast<char>((tails == 1 ? 0xc0u : tails == 2 ? 0xe0u : 0xf0u) | point >> (6 * tails));
  for (int shift = 6 * (tails - 1); shift >= 0; shift -= 6) out += static_cast<char>(0x80u | (point >> shift & 0x3fu));
}

/// `at` stands after a backslash. Returns one past the escape.
const char* appendEscape(std::string& out, const char* at) {
  if (*at != 'u') {
    static constexpr char kNames[] = "bfnrt", kBytes[] = "\b\f\n\r\t";
    const char* name = std::strchr(kNames, *at);
    out += name == nullptr ? *at : kBytes[name - kNames];
    return at + 1;
  }
  const std::uint32_t unit = hexOf(at + 1);
  if (unit < 0xd800 || unit >= 0xe000) {
    appendUtf8(out, unit);
    return at + 5;
  }
  appendUtf8(out, 0x10000 + ((unit - 0xd800) << 10) + (hexOf(at + 7) - 0xdc00));
  return at + 11;
}

}  // namespace

void JsonCursor::skipBlanks() {
  while (at_ != end_ && isBlank(*at_)) ++at_;
}

char JsonCursor::peek() {
  skipBlanks();
  return at_ == end_ ? '\0' : *at_;
}

bool JsonCursor::enter() {
  skipBlanks();
  ++at_;
  const char next = peek();
  if (next != '}' && next != ']') return true;
  ++at_;
  return false;
}

bool JsonCursor::more() {
  return peek() != '\0' && *at_++ == ',';
}

void JsonCursor::skipString() {
  at_ = endOfString(at_, end_);
}

std::string_view JsonCursor::key() {
  skipBlanks();
  const char* from = at_;
  skipString();
  const std::string_view quoted(from, static_cast<std::size_t>(at_ - from));
  skipBlanks();
  ++at_;
  return quoted;
}

std::string_view JsonCursor::value() {
  skipBlanks();
  const char* from = at_;
  std::size_t open = 0;
  do {
    const char byte = at_ == end_ ? '\0' : *at_;
    if (byte == '"') {
      skipString();
    } else if (byte == '{' || byte == '[') {
      ++open;
      ++at_;
    } else if (byte == '}' || byte == ']') {
      --open;
      ++at_;
    } else if (open > 0) {
      ++at_;
    } else {
      while (at_ != end_ && !isBlank(*at_) && *at_ != ',' && *at_ != '}' && *at_ != ']') ++at_;
    }
  } while (open > 0 && at_ != end_);
  return {from, static_cast<std::size_t>(at_ - from)};
}

std::string_view decodeString(std::string_view quoted, std::string& scratch) {
  const std::string_view inner = quoted.substr(1, quoted.size() - 2);
  const char* at = inner.data();
  const char* end = at + inner.size();
  const void* slash = inner.empty() ? nullptr : std::memchr(at, '\\', inner.size());
  if (slash == nullptr) return inner;
  scratch.clear();
  while (slash != nullptr) {
    const char* next = static_cast<const char*>(slash);
    scratch.append(at, next);
    at = appendEscape(scratch, next + 1);
    slash = at == end ? nullptr : std::memchr(at, '\\', static_cast<std::size_t>(end - at));
  }
  scratch.append(at, end);
  return scratch;
}

void appendCompact(std::string& out, std::string_view json) {
  const char* at = json.data();
  const char* end = at + json.size();
  while (at != end) {
    const char* from = at;
    if (*at == '"') {
      at = endOfString(at, end);
    } else {
      while (at != end && *at != '"' && !isBlank(*at)) ++at;
    }
    out.append(from, at);
    while (at != end && isBlank(*at)) ++at;
  }
}

Decimal decimalOf(std::string_view text) {
  constexpr std::uint64_t kFull = 1'000'000'000'000'000'000ull;  // a 20th digit might not fit
  constexpr std::int32_t kFar = 1'000'000;                       // exponents past this are all the same: 0 or infinity
  Decimal decimal;
  std::size_t i = 0;
  if (text[i] == '-') {
    decimal.negative = true;
    ++i;
  }
  bool fraction = false;
  for (; i < text.size() && (isDigit(text[i]) || text[i] == '.'); ++i) {
    if (text[i] == '.') {
      fraction = true;
    } else if (decimal.digits < kFull) {
      decimal.digits = decimal.digits * 10 + static_cast<std::uint64_t>(text[i] - '0');
      decimal.exponent -= fraction;
    } else {
      decimal.rounded |= text[i] != '0';
      decimal.exponent += !fraction;
    }
  }
  if (i < text.size()) {
    const bool down = text[i + 1] == '-';
    if (!isDigit(text[i + 1])) ++i;
    std::int32_t exponent = 0;
    while (++i < text.size()) exponent = std::min(exponent * 10 + (text[i] - '0'), kFar);
    decimal.exponent += down ? -exponent : exponent;
  }
  return decimal;
}

double toDouble(const Decimal& decimal) {
  constexpr int kStep = 22;  // 10²² is the largest power of ten that a double holds exactly
  auto value = static_cast<double>(decimal.digits);
  for (std::int64_t left = decimal.exponent; left != 0 && value != 0 && value <= std::numeric_limits<double>::max();) {
    const auto step = static_cast<int>(std::min<std::int64_t>(left < 0 ? -left : left, kStep));
    double power = 1;
    for (int i = 0; i < step; ++i) power *= 10;
    value = left < 0 ? value / power : value * power;
    left += left < 0 ? step : -step;
  }
  return decimal.negative && value != 0 ? -value : value;
}

bool toInteger(const Decimal& decimal, std::int64_t& out) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  std::uint64_t value = decimal.digits;
  std::int32_t exponent = value == 0 ? 0 : decimal.exponent;
  for (; exponent < 0; ++exponent) {
    if (value % 10 != 0) return false;
    value /= 10;
  }
  if (decimal.rounded && decimal.exponent < 0) return false;
  for (; exponent > 0 && value <= kMost; --exponent) value = value > kMost / 10 ? kMost + 1 : value * 10;
  const auto magnitude = static_cast<std::int64_t>(std::min(value, kMost));
  out = decimal.negative ? -magnitude : magnitude;
  return true;
}

}  // namespace aetherflow
