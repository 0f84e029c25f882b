// The token estimate by run classes, and the factor that providers' own counts teach.

#include <gtest/gtest.h>

#include <string>

#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

TEST(PromptTokens, CountsRunsByTheirClass) {
  struct Case {
    std::string text;
    std::uint32_t tokens;
  };
  const Case cases[] = {
      {"", 0},
      {" ", 1},  // never 0 for a text that has bytes
      {"word", 1},
      {"two words", 2},
      {"abcdefg", 1},
      {std::string(20, 'a'), 3},  // 1 + 13 / 6.5
      {"123", 1},
      {"1234", 2},
      {"1234567", 3},
      {"\n\n\n\n\n\n\n\n\n\n", 7},
      {"a    b", 3},               // 1 + 0.6 + 1
      {std::string(22, '-'), 10},  // 22 / 2.2
      {"漢字漢字漢", 4},
  };
  for (const Case& each : cases) EXPECT_EQ(estimateTokens(each.text), each.tokens) << '[' << each.text << ']';
}

TEST(PromptTokens, TakesAnyBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_GT(estimateTokens(all), 0u);
  EXPECT_GT(estimateTokens(std::string("\xf0\x9f")), 0u) << "a cut-off sequence";
  EXPECT_EQ(estimateTokens(std::string(7'000'000, 'a')), 1'076'923u) << "long runs do not overflow";
}

TEST(PromptTokens, GrowsWithTheText) {
  const std::string sentence = "The reader cuts the plan into steps as the bytes arrive. ";
  std::string text;
  std::uint32_t before = 0;
  for (int i = 0; i < 50; ++i) {
    text += sentence;
    const std::uint32_t now = estimateTokens(text);
    EXPECT_GT(now, before);
    before = now;
  }
}

TEST(PromptTokenFactor, StartsAtOneAndFollowsTheReports) {
  TokenFactor factor;
  EXPECT_EQ(factor.corrected(100), 100u);
  factor.learn(100, 120);
  EXPECT_EQ(factor.millionths(), 1'200'000u) << "the first report replaces the start value";
  EXPECT_EQ(factor.corrected(100), 120u);
  for (int i = 0; i < 200; ++i) factor.learn(100, 90);
  EXPECT_NEAR(factor.millionths(), 900'000, 1000) << "old reports are forgotten";
}

TEST(PromptTokenFactor, BeginsWithWhatEarlierRunsCameTo) {
  TokenFactor factor(1.4);
  EXPECT_EQ(factor.corrected(100), 140u);
  factor.learn(100, 100);
  EXPECT_EQ(factor.millionths(), 1'350'000u) << "one report of this run weighs as much as each of those before";
}

TEST(PromptTokenFactor, StaysInBounds) {
  TokenFactor high;
  for (int i = 0; i < 100; ++i) high.learn(1, 1'000'000);
  EXPECT_EQ(high.millionths(), 3'000'000u);
  TokenFactor low;
  for (int i = 0; i < 100; ++i) low.learn(1'000'000, 1);
  EXPECT_EQ(low.millionths(), 500'000u);
  EXPECT_EQ(low.corrected(1), 1u);
  EXPECT_EQ(low.corrected(0), 0u);
  EXPECT_EQ(high.corrected(0xffffffffu), 0xffffffffu);
}

TEST(PromptTokenFactor, IgnoresUnknownCounts) {
  TokenFactor factor;
  factor.learn(0, 10);
  factor.learn(10, 0);
  EXPECT_EQ(factor.millionths(), 1'000'000u);
}

}  // namespace
}  // namespace aetherflow
