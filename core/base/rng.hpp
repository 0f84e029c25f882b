#pragma once
// The seeded generator: the only chance in the core, and the same in every build.

#include <cstdint>

namespace aetherflow {

/// SplitMix64 (Steele, Lea, Flood 2014): one 64-bit state, full period, good enough for jitter and sampling.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1) with 53 bits.
  double unit() { return static_cast<double>(next() >> 11) * (1.0 / 9007199254740992.0); }

  /// Uniform in [0, bound); bound ≥ 1. The bias is below bound/2³², irrelevant for jitter.
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(((next() >> 32) * bound) >> 32); }

 private:
  std::uint64_t state_;
};

}  // namespace aetherflow
