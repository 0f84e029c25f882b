#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/rng.hpp"
#include "core/cache/pooling.hpp"
#include "core/cache/vectors.hpp"

namespace aetherflow {
namespace {

std::vector<float> randomStates(std::size_t pieces, std::size_t dimensions, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<float> states(pieces * dimensions);
  for (float& value : states) value = static_cast<float>(static_cast<int>(rng.below(2001)) - 1000) / 333.0f;
  return states;
}

TEST(PoolMean, IsTheDirectionOfTheMean) {
  std::vector<float> states{3, 0, 1, 4, 5, 0};  // three pieces of two dimensions
  ASSERT_TRUE(poolMean(states.data(), 3, 2));
  EXPECT_FLOAT_EQ(states[0], 9 / std::sqrt(97.0f));
  EXPECT_FLOAT_EQ(states[1], 4 / std::sqrt(97.0f));
}

TEST(PoolMean, OnePieceIsItselfAtUnitLength) {
  std::vector<float> states = randomStates(1, 384, 3);
  const std::vector<float> before = states;
  ASSERT_TRUE(poolMean(states.data(), 1, 384));
  EXPECT_NEAR(dot(states.data(), states.data(), 384), 1, 1e-6);
  const float ratio = before[0] / states[0];
  for (std::size_t i = 0; i < 384; ++i) EXPECT_NEAR(before[i], states[i] * ratio, 1e-5);
}

TEST(PoolMean, HasNoDirectionWithoutPiecesOrWhenTheyCancelOrAreNoNumbers) {
  std::vector<float> none{1, 2}, opposite{1, 2, -1, -2}, infinite{1, INFINITY}, unknown{NAN, 1};
  EXPECT_FALSE(poolMean(none.data(), 0, 2));
  EXPECT_FALSE(poolMean(none.data(), 1, 0));
  EXPECT_FALSE(poolMean(opposite.data(), 2, 2));
  EXPECT_FALSE(poolMean(infinite.data(), 1, 2));
  EXPECT_FALSE(poolMean(unknown.data(), 1, 2));
  EXPECT_EQ(none, (std::vector<float>{1, 2}));
  EXPECT_EQ(opposite, (std::vector<float>{1, 2, -1, -2}));
}

/// The same constant under GCC, Clang and Emscripten: an embedding must not depend on where it was made.
TEST(PoolMean, HasTheSameBitsInEveryBuild) {
  std::uint64_t hash = 1469598103934665603ull;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::vector<float> states = randomStates(seed * 12, 384, seed);
    ASSERT_TRUE(poolMean(states.data(), seed * 12, 384));
    for (std::size_t i = 0; i < 384; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &states[i], sizeof bits);
      hash = (hash ^ bits) * 1099511628211ull;
    }
  }
  EXPECT_EQ(hash, 11697154862785793205ull);
}

}  // namespace
}  // namespace aetherflow
