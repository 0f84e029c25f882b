#include "core/cache/key.hpp"

#include "core/base/json.hpp"
#include "core/base/json_writer.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::uint64_t rotate(std::uint64_t x, int bits) {
  return x << bits | x >> (64 - bits);
}

void canonicalField(KeyHasher& hasher, std::string_view json) {
  const auto value = parseJson(json);
  if (!value) {
    hasher.field(json);
    return;
  }
  std::string canonical;
  JsonWriter writer(canonical);
  writeJson(writer, *value);
  hasher.field(canonical);
}

}  // namespace

std::string CacheKey::text() const {
  std::string out;
  for (const std::uint64_t half : {high, low}) {
    for (int shift = 0; shift < 64; shift += 8) {
      out += "0123456789abcdef"[half >> (shift + 4) & 15];
      out += "0123456789abcdef"[half >> shift & 15];
    }
  }
  return out;
}

bool readKey(std::string_view digits, CacheKey& out) {
  if (digits.size() != 32) return false;
  std::uint64_t halves[2] = {0, 0};
  for (std::size_t i = 0; i < 32; ++i) {
    const char c = digits[i];
    const bool number = c >= '0' && c <= '9';
    if (!number && !(c >= 'a' && c <= 'f')) return false;
    const auto four = static_cast<std::uint64_t>(number ? c - '0' : c - 'a' + 10);
    // Bytes are little endian, the two digits of one are not.
    halves[i / 16] |= four << ((i % 16 / 2) * 8 + (i % 2 == 0 ? 4 : 0));
  }
  out = {halves[0], halves[1]};
  return true;
}

KeyHasher::KeyHasher(CacheKey secret)
    : v_{secret.high ^ 0x736f6d6570736575ull, secret.low ^ 0x646f72616e646f6dull ^ 0xee,
         secret.high ^ 0x6c7967656e657261ull, secret.low ^ 0x7465646279746573ull} {}

void KeyHasher::rounds(int count) {
  for (; count > 0; --count) {
    v_[0] += v_[1];
    v_[2] += v_[3];
    v_[1] = rotate(v_[1], 13) ^ v_[0];
    v_[3] = rotate(v_[3], 16) ^ v_[2];
    v_[0] = rotate(v_[0], 32);
    v_[2] += v_[1];
    v_[0] += v_[3];
    v_[1] = rotate(v_[1], 17) ^ v_[2];
    v_[3] = rotate(v_[3], 21) ^ v_[0];
    v_[2] = rotate(v_[2], 32);
  }
}

void KeyHasher::byte(std::uint8_t byte) {
  word_ |= static_cast<std::uint64_t>(byte) << (8 * (bytes_ & 7));
  if ((++bytes_ & 7) != 0) return;
  v_[3] ^= word_;
  rounds(2);
  v_[0] ^= word_;
  word_ = 0;
}

KeyHasher& KeyHasher::field(std::string_view bytes) {
  for (int shift = 0; shift < 32; shift += 8) byte(static_cast<std::uint8_t>(bytes.size() >> shift));
  for (const char c : bytes) byte(static_cast<std::uint8_t>(c));
  return *this;
}

CacheKey KeyHasher::finish() {
  // The last word ends in the number of bytes.
  word_ |= bytes_ << 56;
  v_[3] ^= word_;
  rounds(2);
  v_[0] ^= word_;
  v_[2] ^= 0xee;
  rounds(4);
  CacheKey key;
  key.high = lanes();
  v_[1] ^= 0xdd;
  rounds(4);
  key.low = lanes();
  return key;
}

CacheKey scopeKey(const CacheScope& scope, CacheKey secret) {
  KeyHasher hasher(secret);
  hasher.field("scope 1").field(scope.tenant).field(scope.provider).field(scope.model);
  canonicalField(hasher, scope.parameters);
  hasher.field(scope.system);
  canonicalField(hasher, scope.tools);
  canonicalField(hasher, scope.constraint);
  canonicalField(hasher, scope.history);
  return hasher.finish();
}

CacheKey spaceKey(CacheKey scope, std::string_view embedder, std::string_view checksum, CacheKey secret) {
  return KeyHasher(secret).field("space 1").field(scope.text()).field(embedder).field(checksum).finish();
}

CacheKey requestKey(CacheKey scope, std::string_view prompt, CacheKey secret) {
  std::string canonical;
  canonical.reserve(prompt.size());
  const std::string_view inner = text::trimmed(prompt);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '\r' && i + 1 < inner.size() && inner[i + 1] == '\n') continue;
    canonical += inner[i];
  }
  return KeyHasher(secret).field("prompt 1").field(scope.text()).field(canonical).finish();
}

}  // namespace aetherflow
