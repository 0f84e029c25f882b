#include "core/base/json_scanner.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace aetherflow {
namespace {

/// Beyond this a text is abandoned: it costs a byte of memory per level only to say json.malformed instead of plan.too_deep.
constexpr std::uint32_t kValidatedDepth = 1u << 20;
/// The outermost levels, of which the listener hears.
constexpr std::uint32_t kReportedDepth = 2;

constexpr bool isBlank(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}
constexpr bool isDigit(char byte) {
  return byte >= '0' && byte <= '9';
}

/// True for the bytes that may stand in a string with nothing more to be checked.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int byte = 0x20; byte < 0x80; ++byte) plain[static_cast<std::size_t>(byte)] = byte != '"' && byte != '\\';
  return plain;
}();

/// The first byte in [at, end) that is not plain. Eight at a time: a borrow may raise a false alarm above a true one,
/// never hide one, and the loop by bytes after it has the last word.
const char* skipPlain(const char* at, const char* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ull, kTops = kOnes * 0x80;
  while (end - at >= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t quote = word ^ (kOnes * '"'), slash = word ^ (kOnes * '\\');
    const std::uint64_t alarm =
        word | ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) | ((slash - kOnes) & ~slash);
    if ((alarm & kTops) != 0) break;
    at += 8;
  }
  while (at != end && kPlain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

}  // namespace

void JsonScanner::push(std::string_view bytes, ScanListener& listener) {
  if (status_ != ScanStatus::Open || bytes.empty()) return;
  chunk_ = keepFrom_ = bytes.data();
  chunkEnd_ = chunk_ + bytes.size();
  setFence();
  const char* at = chunk_;
  while (status_ == ScanStatus::Open) {
    if (at == fence_) {
      if (fence_ == chunkEnd_) break;
      status_ = offsetOf(at) == limits_.bytes ? ScanStatus::TextTooLarge : ScanStatus::SpanTooLarge;
    } else if (state_ <= State::End) {
      at = betweenTokens(at, listener);
    } else if (state_ == State::String) {
      at = inString(at, listener);
    } else if (state_ <= State::LowU) {
      at = state_ == State::Hex ? inHex(at) : inEscape(at);
    } else if (state_ == State::Tail) {
      at = inTail(at);
    } else {
      at = state_ == State::Literal ? inLiteral(at, listener) : inNumber(at, listener);
    }
  }
  if (keeping_) kept_.append(keepFrom_, static_cast<std::size_t>(at - keepFrom_));
  offset_ = offsetOf(at);
  chunk_ = chunkEnd_ = fence_ = keepFrom_ = nullptr;
}

void JsonScanner::end(ScanListener& listener) {
  if (status_ != ScanStatus::Open) return;
  // A number at the outermost level has no byte after it that ends it: a blank does no harm there, nor anywhere else.
  if (state_ >= State::Minus && state_ <= State::ExponentDigits && stack_.empty()) {
    chunk_ = keepFrom_ = " ";
    inNumber(chunk_, listener);
    if (status_ != ScanStatus::Open) return;
  }
  if (state_ == State::End) {
    status_ = ScanStatus::Whole;
    return;
  }
  status_ = ScanStatus::Malformed;
  if (state_ >= State::String && state_ <= State::Tail) {
    problem_ = "the text ends inside a string";
  } else {
    problem_ = stack_.empty() ? "the text ends before its value does" : "the text ends with brackets open";
  }
}

const char* JsonScanner::fail(const char* at, const char* problem) {
  status_ = ScanStatus::Malformed;
  problem_ = problem;
  return at;
}

const char* JsonScanner::betweenTokens(const char* at, ScanListener& listener) {
  const char byte = *at;
  if (isBlank(byte) && state_ != State::Mark2 && state_ != State::Mark3) {
    if (state_ == State::Start) state_ = State::Value;
    return at + 1;
  }
  switch (state_) {
    case State::Start: state_ = byte == '\xef' ? State::Mark2 : State::Value; return byte == '\xef' ? at + 1 : at;
    case State::Mark2: state_ = State::Mark3; return byte == '\xbb' ? at + 1 : fail(at, "not a byte order mark");
    case State::Mark3: state_ = State::Value; return byte == '\xbf' ? at + 1 : fail(at, "not a byte order mark");
    case State::FirstElement:
      if (byte == ']') return close(at, listener);
      return beginValue(at, listener);
    case State::Value: return beginValue(at, listener);
    case State::FirstKey:
      if (byte == '}') return close(at, listener);
      [[fallthrough]];
    case State::Key: return byte == '"' ? beginString(at, true) : fail(at, "expected a member name in quotes");
    case State::Colon: state_ = State::Value; return byte == ':' ? at + 1 : fail(at, "expected ':'");
    case State::After:
      if (byte == ',') {
        state_ = insideObject() ? State::Key : State::Value;
        return at + 1;
      }
      if (byte == (insideObject() ? '}' : ']')) return close(at, listener);
      return fail(at, insideObject() ? "expected ',' or '}'" : "expected ',' or ']'");
    default: return fail(at, "expected nothing after the value");
  }
}

const char* JsonScanner::beginValue(const char* at, ScanListener& listener) {
  const char byte = *at;
  const bool number = byte == '-' || isDigit(byte);
  if (!number && std::strchr("{[\"tfn", byte) == nullptr) return fail(at, "expected a value");
  if (byte == '\0') return fail(at, "expected a value");  // strchr finds the terminator
  if (depth() <= kReportedDepth && listener.valueBegins(depth(), byte)) {
    keeping_ = true;
    keptDepth_ = depth();
    beginSpan(at);
  }
  if (status_ != ScanStatus::Open) return at;
  if (number) {
    state_ = byte == '-' ? State::Minus : byte == '0' ? State::Zero : State::Whole;
    return at + 1;
  }
  switch (byte) {
    case '"': return beginString(at, false);
    case 't': return beginLiteral(at, "rue");
    case 'f': return beginLiteral(at, "alse");
    case 'n': return beginLiteral(at, "ull");
    default:
      if (depth() == limits_.depth) {
        if (keeping_) endSpan();
        listener.tooDeep();
      }
      return open(at);
  }
}

const char* JsonScanner::open(const char* at) {
  if (depth() == kValidatedDepth) {
    status_ = ScanStatus::TooDeep;
    return at;
  }
  stack_ += *at;
  state_ = *at == '{' ? State::FirstKey : State::FirstElement;
  return at + 1;
}

const char* JsonScanner::close(const char* at, ScanListener& listener) {
  stack_.pop_back();
  finishValue(at + 1, listener);
  return at + 1;
}

const char* JsonScanner::beginLiteral(const char* at, const char* word) {
  literal_ = word;
  state_ = State::Literal;
  return at + 1;
}

const char* JsonScanner::inLiteral(const char* at, ScanListener& listener) {
  if (*at != *literal_) return fail(at, "expected true, false or null");
  ++at;
  if (*++literal_ == '\0') finishValue(at, listener);
  return at;
}

void JsonScanner::finishValue(const char* at, ScanListener& listener) {
  state_ = stack_.empty() ? State::End : State::After;
  if (depth() > kReportedDepth) return;
  if (!keeping_ || keptDepth_ != depth()) return listener.valueEnds(depth(), {});
  const std::string_view text = takeSpan(at);
  listener.valueEnds(depth(), text);
  endSpan();
}

const char* JsonScanner::beginString(const char* at, bool key) {
  inKey_ = key;
  state_ = State::String;
  if (keeping_) return at + 1;
  if (key && depth() == 1) {
    keeping_ = true;
    keptDepth_ = 1;
  }
  ownFence_ = !keeping_;
  beginSpan(at);
  return at + 1;
}

const char* JsonScanner::closeString(const char* at, ScanListener& listener) {
  if (ownFence_) {
    ownFence_ = false;
    endSpan();
  }
  if (!inKey_) {
    finishValue(at, listener);
    return at;
  }
  state_ = State::Colon;
  if (depth() == 1) {
    listener.keyEnds(takeSpan(at));
    endSpan();
  }
  return at;
}

const char* JsonScanner::inString(const char* at, ScanListener& listener) {
  at = skipPlain(at, fence_);
  if (at == fence_) return at;
  const auto byte = static_cast<unsigned char>(*at);
  if (byte == '"') return closeString(at + 1, listener);
  if (byte == '\\') {
    state_ = State::Escape;
    return at + 1;
  }
  return byte < 0x20 ? fail(at, "a control character in a string must be escaped") : beginTail(at);
}

const char* JsonScanner::inEscape(const char* at) {
  const char byte = *at;
  if (state_ == State::LowBackslash) {
    state_ = State::LowU;
    return byte == '\\' ? at + 1 : fail(at, "expected the second half of a surrogate pair");
  }
  if (state_ == State::LowU && byte != 'u') return fail(at, "expected the second half of a surrogate pair");
  if (byte == 'u') {
    lowExpected_ = state_ == State::LowU;
    hex_ = hexDigits_ = 0;
    state_ = State::Hex;
    return at + 1;
  }
  if (byte == '\0' || std::strchr("\"\\/bfnrt", byte) == nullptr) return fail(at, "no such escape");
  state_ = State::String;
  return at + 1;
}

const char* JsonScanner::inHex(const char* at) {
  const char byte = *at, lower = static_cast<char>(byte | 0x20);
  if (!isDigit(byte) && !(lower >= 'a' && lower <= 'f')) return fail(at, "expected four hexadecimal digits");
  hex_ = static_cast<std::uint16_t>(hex_ << 4 | (isDigit(byte) ? byte - '0' : lower - 'a' + 10));
  if (++hexDigits_ < 4) return at + 1;
  const bool low = hex_ >= 0xdc00 && hex_ < 0xe000, high = hex_ >= 0xd800 && hex_ < 0xdc00;
  if (low != lowExpected_) {
    return fail(at, low ? "the second half of a surrogate pair without the first"
                        : "expected the second half of a surrogate pair");
  }
  state_ = high ? State::LowBackslash : State::String;
  return at + 1;
}

/// The shortest-form and range rules of UTF-8 (RFC 3629, section 4) are bounds on the second byte.
const char* JsonScanner::beginTail(const char* at) {
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < 0xc2 || byte > 0xf4) return fail(at, "not UTF-8");
  tailBytes_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  tailLow_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  tailHigh_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  state_ = State::Tail;
  return inTail(at + 1);
}

const char* JsonScanner::inTail(const char* at) {
  for (; at != fence_; ++at) {
    const auto byte = static_cast<unsigned char>(*at);
    if (byte < tailLow_ || byte > tailHigh_) return fail(at, "not UTF-8");
    tailLow_ = 0x80;
    tailHigh_ = 0xbf;
    if (--tailBytes_ == 0) {
      state_ = State::String;
      return at + 1;
    }
  }
  return at;
}

const char* JsonScanner::inNumber(const char* at, ScanListener& listener) {
  const char byte = *at;
  const bool digit = isDigit(byte), exponent = byte == 'e' || byte == 'E';
  State next = State::End;  // stands for: the number ends before this byte
  switch (state_) {
    case State::Minus: next = !digit ? State::Minus : byte == '0' ? State::Zero : State::Whole; break;
    case State::Whole:
      if (digit) next = State::Whole;
      [[fallthrough]];
    case State::Zero:
      if (byte == '.') next = State::Point;
      if (exponent) next = State::Exponent;
      break;
    case State::Fraction: next = digit ? State::Fraction : exponent ? State::Exponent : State::End; break;
    case State::Point: next = digit ? State::Fraction : State::Point; break;
    case State::Exponent:
      if (byte == '+' || byte == '-') {
        state_ = State::ExponentSign;
        return at + 1;
      }
      [[fallthrough]];
    case State::ExponentSign: next = digit ? State::ExponentDigits : State::Exponent; break;
    default: next = digit ? State::ExponentDigits : State::End; break;
  }
  // Only a digit may follow these, and none came.
  if (next == State::Minus || (next == State::Point && state_ == State::Point) ||
      (next == State::Exponent && state_ >= State::Exponent)) {
    return fail(at, "expected a digit");
  }
  if (next == State::End) {
    finishValue(at, listener);
    return at;
  }
  state_ = next;
  return at + 1;
}

void JsonScanner::beginSpan(const char* at) {
  keepFrom_ = at;
  limitAt_ = std::min(limits_.bytes, offsetOf(at) + limits_.spanBytes);
  setFence();
}

void JsonScanner::endSpan() {
  keeping_ = false;
  kept_.clear();
  limitAt_ = limits_.bytes;
  setFence();
}

std::string_view JsonScanner::takeSpan(const char* at) {
  if (kept_.empty()) return {keepFrom_, static_cast<std::size_t>(at - keepFrom_)};
  kept_.append(keepFrom_, static_cast<std::size_t>(at - keepFrom_));
  return kept_;
}

void JsonScanner::setFence() {
  const std::uint64_t room = limitAt_ - offset_;
  fence_ = room < static_cast<std::uint64_t>(chunkEnd_ - chunk_) ? chunk_ + room : chunkEnd_;
}

}  // namespace aetherflow
