#include "core/cache/lexical.hpp"

#include <array>
#include <cmath>

#include "core/cache/vectors.hpp"

namespace aetherflow {
namespace {

constexpr std::uint32_t kStart = 2166136261u;

/// FNV-1a: short inputs, no table. The last step spreads the high bits, from which slot and sign are taken.
std::uint32_t mix(std::uint32_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

class Counter {
 public:
  void add(std::uint32_t hash, std::int32_t weight) {
    hash ^= hash >> 15;
    hash *= 0x2c1b3c6du;
    hash ^= hash >> 13;
    counts_[hash % kLexicalDimensions] += (hash >> 31) != 0 ? weight : -weight;
  }

  std::vector<float> unit() const {
    std::int64_t square = 0;
    for (const std::int64_t count : counts_) square += count * count;
    std::vector<float> out(kLexicalDimensions, 0.0f);
    if (square == 0) return out;
    const double length = std::sqrt(static_cast<double>(square));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(counts_[i] / length);
    return out;
  }

 private:
  std::array<std::int32_t, kLexicalDimensions> counts_{};
};

std::int32_t weightOf(const Token& token) {
  if (token.kind == TokenKind::Function) return 3;
  return token.kind == TokenKind::Content ? 10 : 14;
}

}  // namespace

std::vector<float> embedLexically(const ReadSentence& sentence) {
  Counter counter;
  std::uint32_t before = 0;
  for (const Token& token : sentence.tokens) {
    const std::int32_t weight = weightOf(token);
    const std::uint32_t word = mix(kStart, token.key);
    counter.add(word, weight);
    if (!token.counts()) continue;
    if (before != 0) counter.add(mix(before, token.key), 4);
    before = word;
    // Pieces of numbers and identifiers would make 1000 and 10000 alike.
    if (token.kind == TokenKind::Number || token.kind == TokenKind::Hard) continue;
    const std::string edged = "<" + token.key + ">";
    for (std::size_t length = 3; length <= 4; ++length) {
      for (std::size_t at = 0; at + length <= edged.size(); ++at) {
        counter.add(mix(kStart + 1, std::string_view(edged).substr(at, length)), 3);
      }
    }
  }
  return counter.unit();
}

float likeness(const std::vector<float>& a, const std::vector<float>& b) {
  return dot(a.data(), b.data(), a.size());
}

}  // namespace aetherflow
