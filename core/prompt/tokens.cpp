#include "core/prompt/tokens.hpp"

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

enum class Class : std::uint8_t { Letter, Digit, Punctuation, Newline, Blank, Ideograph, OtherLetter, Longer };

constexpr bool isIdeograph(std::uint32_t c) {
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7af) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

constexpr Class classOf(std::uint32_t c) {
  if (c < 0x80) {
    const char byte = static_cast<char>(c);
    if (text::isAlpha(byte)) return Class::Letter;
    if (text::isDigit(byte)) return Class::Digit;
    if (byte == '\n' || byte == '\r') return Class::Newline;
    return text::isBlank(byte) ? Class::Blank : Class::Punctuation;
  }
  if (isIdeograph(c)) return Class::Ideograph;
  // General punctuation, symbols, arrows, CJK punctuation: they merge into runs as ASCII punctuation does.
  if ((c >= 0x2000 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x303f)) return Class::Punctuation;
  return Class::OtherLetter;
}

/// Thousandths of a token for a run of `length` code points of one class.
std::uint64_t costOf(Class kind, std::uint64_t length) {
  switch (kind) {
    case Class::Letter: return length <= 7 ? 1000 : 1000 + (length - 7) * 2000 / 13;
    case Class::Digit: return (length + 2) / 3 * 1000;
    case Class::Punctuation: return length <= 2 ? 800 : length * 5000 / 11;
    case Class::Newline: return 700 * length;
    case Class::Blank: return length == 1 ? 0 : 600;  // one blank belongs to the word after it
    case Class::Ideograph: return length * 800;
    case Class::OtherLetter: return length * 2000 / 7;
    case Class::Longer: break;  // of bytes, not of code points
  }
  return 0;
}

struct ByteRuns {
  constexpr ByteRuns() {
    for (unsigned c = 0; c < 256; ++c) of[c] = c < 128 ? classOf(c) : Class::Longer;
  }
  Class of[256] = {};
};
constexpr ByteRuns kRuns;

}  // namespace

std::uint32_t estimateTokens(std::string_view utf8) {
  const auto classAt = [&](std::size_t i) { return kRuns.of[static_cast<unsigned char>(utf8[i])]; };
  std::uint64_t thousandths = 0;
  std::uint64_t length = 0;
  Class run = Class::Blank;
  for (std::size_t i = 0; i < utf8.size();) {
    std::size_t bytes = 1;
    Class kind = classAt(i);
    if (kind == Class::Longer) {
      const auto point = text::decode(utf8, i);
      kind = classOf(point.value);
      bytes = point.bytes;
    }
    if (kind != run && length != 0) {
      thousandths += costOf(run, length);
      length = 0;
    }
    run = kind;
    ++length;
    i += bytes;
    // Most runs are ASCII: their bytes are counted without a look at anything else.
    const std::size_t from = i;
    while (i < utf8.size() && classAt(i) == run) ++i;
    length += i - from;
  }
  if (length != 0) thousandths += costOf(run, length);
  const std::uint64_t tokens = (thousandths + 999) / 1000;
  if (tokens == 0 && !utf8.empty()) return 1;
  return tokens > 0xffffffffu ? 0xffffffffu : static_cast<std::uint32_t>(tokens);
}

void TokenFactor::learn(std::uint32_t estimated, std::uint32_t reported) {
  if (estimated == 0 || reported == 0) return;
  std::uint64_t ratio = static_cast<std::uint64_t>(reported) * 1'000'000 / estimated;
  if (ratio < 500'000) ratio = 500'000;
  if (ratio > 3'000'000) ratio = 3'000'000;
  // A plain mean over the first reports, then an average that forgets: the start value must not linger.
  if (seen_ < kRemembered) ++seen_;
  const auto now = static_cast<std::int64_t>(millionths_);
  millionths_ =
      static_cast<std::uint32_t>(now + (static_cast<std::int64_t>(ratio) - now) / static_cast<std::int64_t>(seen_));
}

std::uint32_t TokenFactor::corrected(std::uint32_t estimated) const {
  const std::uint64_t tokens = (static_cast<std::uint64_t>(estimated) * millionths_ + 500'000) / 1'000'000;
  if (tokens == 0 && estimated != 0) return 1;
  return tokens > 0xffffffffu ? 0xffffffffu : static_cast<std::uint32_t>(tokens);
}

}  // namespace aetherflow
