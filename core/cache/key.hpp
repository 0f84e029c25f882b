#pragma once
// The exact key: which requests are the same request.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// 128 bits. Equal keys are taken for equal requests.
struct CacheKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const CacheKey&) const = default;
  bool operator<(const CacheKey& other) const { return high != other.high ? high < other.high : low < other.low; }
  /// 32 hexadecimal digits, the bytes of `high` and of `low` as little endian: the name of a file, the key of a database.
  std::string text() const;
};
/// Reads what CacheKey::text() wrote; false for anything else.
bool readKey(std::string_view digits, CacheKey& out);

/// SipHash-2-4 with 128 bits of output (Aumasson, Bernstein 2012): four 64-bit lanes of additions, rotations and xors,
/// two rounds for each 8 bytes read as little endian, four at the end. The secret keeps whoever writes prompts from
/// constructing two with one key; a cache that only trusted prompts reach needs none.
class KeyHasher {
 public:
  /// `secret`: two numbers that the host keeps with the cache; the same ones whenever it is opened.
  explicit KeyHasher(CacheKey secret = {});

  /// Appends a field with its length in front, so that ("ab", "c") and ("a", "bc") differ. An absent field is an empty one.
  KeyHasher& field(std::string_view bytes);
  CacheKey finish();

 private:
  void byte(std::uint8_t byte);
  void rounds(int count);
  std::uint64_t lanes() const { return v_[0] ^ v_[1] ^ v_[2] ^ v_[3]; }

  std::uint64_t v_[4];
  std::uint64_t word_ = 0;
  std::uint64_t bytes_ = 0;
};

/// Everything besides the prompt that an answer depends on. Two requests that differ in any of it never share an
/// answer, not even an exact one. Borrowed texts; JSON is compared as JSON (blanks and the order of members do not
/// count), and what is no JSON as text.
struct CacheScope {
  std::string_view tenant;
  std::string_view provider;
  std::string_view model;
  std::string_view parameters;  ///< JSON: temperature, top_p, max tokens, seed, …
  std::string_view system;      ///< system text
  std::string_view tools;       ///< JSON
  std::string_view constraint;  ///< output constraint, JSON
  std::string_view history;     ///< the earlier messages, JSON
};

CacheKey scopeKey(const CacheScope& scope, CacheKey secret = {});
/// The namespace of the semantic index: candidates are looked for nowhere else. A scope, and the embedder with the
/// checksum of its file; exact matches need no embedder and outlive its change.
CacheKey spaceKey(CacheKey scope, std::string_view embedder, std::string_view checksum, CacheKey secret = {});
/// The exact key of a prompt in a scope. \r\n counts as \n, and white space around the whole prompt not at all.
CacheKey requestKey(CacheKey scope, std::string_view prompt, CacheKey secret = {});

}  // namespace aetherflow
