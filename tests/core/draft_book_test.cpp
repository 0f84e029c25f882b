// The tests that switch drafts off: their error rates over seeded streams, and the way back.

#include "core/limit/draft_book.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "core/base/rng.hpp"

namespace aetherflow::testing {
namespace {

constexpr int kStreams = 10'000, kAnswers = 1000;
/// As the tests are stated, see draft_book.hpp.
constexpr double kAlpha = 0.05, kBeta = 0.1;

/// A stream of answers: the answer with which the pair was switched off, 0 never. `good`: the first so many are all good ones.
int offAt(DraftOutcome well, DraftOutcome ill, std::uint32_t illPermille, std::uint64_t seed, int good) {
  Rng rng(seed);
  DraftRecord record;
  for (int n = 0; n < good; ++n) record.tell(well);
  for (int n = 1; n <= kAnswers; ++n) {
    record.tell(rng.below(1000) < illPermille ? ill : well);
    if (record.get(DraftField::Off) != 0) return n;
  }
  return 0;
}

struct Rates {
  double off = 0, within50 = 0, within200 = 0;
  int median = 0;
};

Rates rates(DraftOutcome well, DraftOutcome ill, std::uint32_t illPermille, int good = 0) {
  std::vector<int> answers;
  int within50 = 0, within200 = 0;
  for (std::uint64_t seed = 1; seed <= kStreams; ++seed) {
    const int off = offAt(well, ill, illPermille, seed, good);
    if (off == 0) continue;
    answers.push_back(off);
    within50 += off <= 50 ? 1 : 0;
    within200 += off <= 200 ? 1 : 0;
  }
  Rates found{double(answers.size()) / kStreams, double(within50) / kStreams, double(within200) / kStreams, 0};
  if (!answers.empty()) {
    const auto middle = answers.begin() + static_cast<std::ptrdiff_t>(answers.size() / 2);
    std::nth_element(answers.begin(), middle, answers.end());
    found.median = *middle;
  }
  std::printf("%6.1f %% %s: off %6.2f %% of %d streams, within 50 %6.2f %%, within 200 %6.2f %%, median %d\n",
              illPermille / 10.0, good > 0 ? "after 100 good ones" : "from the first one", found.off * 100, kStreams,
              found.within50 * 100, found.within200 * 100, found.median);
  return found;
}

Rates refusals(std::uint32_t permille, int good = 0) {
  return rates(DraftOutcome::Accepted, DraftOutcome::Rejected, permille, good);
}

Rates regrets(std::uint32_t permille, int good = 0) {
  return rates(DraftOutcome::Agrees, DraftOutcome::Regrets, permille, good);
}

TEST(DraftBook, SwitchesOffWhenTooFewAreAcceptedAtTheStatedErrorRates) {
  std::printf("share not accepted, over %d answers:\n", kAnswers);
  refusals(100);
  EXPECT_LE(refusals(200).off, kAlpha / 5);
  EXPECT_LE(refusals(250).off, kAlpha) << "wrongly off, at the first test or ever after";
  refusals(300);
  EXPECT_GE(refusals(400).off, 1 - kBeta) << "wrongly on";
  EXPECT_GE(refusals(500).within50, 1 - kBeta) << "by itself within 50 answers";
  EXPECT_GE(refusals(500, 100).within200, 1 - kBeta) << "a pair that was good for long";
  EXPECT_GE(refusals(400, 100).off, 1 - kBeta);
}

TEST(DraftBook, SwitchesOffWhenTooManyAreRegrettedAtTheStatedErrorRates) {
  std::printf("share regretted, over %d comparisons:\n", kAnswers);
  EXPECT_EQ(regrets(0).off, 0);
  EXPECT_LE(regrets(20).off, kAlpha) << "wrongly off, at the first test or ever after";
  regrets(50);
  EXPECT_GE(regrets(80).off, 1 - kBeta) << "wrongly on";
  EXPECT_GE(regrets(150).within50, 1 - kBeta) << "planted bad drafts that the verifier misses";
  EXPECT_GE(regrets(150, 100).within200, 1 - kBeta);
}

TEST(DraftBook, ACleanPairPassesAfter36Comparisons) {
  DraftRecord record;
  int n = 0;
  std::int64_t before = 0;
  do {
    before = record.get(DraftField::RegretTest);
    record.tell(DraftOutcome::Agrees);
    ++n;
  } while (n < 1000 && before - record.get(DraftField::RegretTest) < 100'000);
  EXPECT_EQ(n, 36) << "from here on it is watched, with farther to climb";
  const std::int64_t watched = record.get(DraftField::RegretTest);
  for (int more = 0; more < 100; ++more) record.tell(DraftOutcome::Agrees);
  EXPECT_EQ(record.get(DraftField::RegretTest), watched) << "what was good for long is forgotten";
  EXPECT_EQ(record.get(DraftField::Audited), 136);
}

TEST(DraftBook, APatchedOrRejectedDraftIsNeverCountedAsAccepted) {
  DraftRecord record;
  for (const DraftOutcome outcome : {DraftOutcome::Patched, DraftOutcome::Rejected}) record.tell(outcome);
  EXPECT_EQ(record.get(DraftField::Drafted), 2);
  EXPECT_EQ(record.get(DraftField::Accepted), 0);
  EXPECT_EQ(record.get(DraftField::Patched), 1);
}

TEST(DraftBook, ASwitchedOffPairIsProbedAndComesBack) {
  DraftRecord record;
  while (record.get(DraftField::Off) == 0) record.tell(DraftOutcome::Rejected);
  EXPECT_EQ(record.get(DraftField::Off), 1);
  EXPECT_EQ(record.get(DraftField::Drafted), 7) << "7 × 0.47 > 2.89";
  int refused = 0;
  while (record.get(DraftField::Off) != 0 && refused < 10'000) {
    // The run tries one when the count has come to its end.
    if (record.get(DraftField::ProbeIn) > 1) {
      record.tell(DraftOutcome::Refused);
      ++refused;
    } else {
      record.tell(DraftOutcome::Accepted);
    }
  }
  EXPECT_EQ(record.get(DraftField::Off), 0);
  EXPECT_EQ(record.get(DraftField::Accepted), 11) << "11 × 0.22 > 2.25";
  EXPECT_GE(refused, 10 * (kDraftProbe - 2));
  EXPECT_EQ(record.get(DraftField::Switched), 1);
}

TEST(DraftBook, WhatAFileSaysStaysWithinBounds) {
  DraftRecord record;
  record.set(DraftField::Drafted, -5);
  record.set(DraftField::AcceptTest, INT64_MAX);
  record.set(DraftField::RegretTest, INT64_MIN);
  EXPECT_EQ(record.get(DraftField::Drafted), 0);
  EXPECT_EQ(record.get(DraftField::AcceptTest), 10'000'000);
  EXPECT_EQ(record.get(DraftField::RegretTest), -10'000'000);
  record.tell(DraftOutcome::Rejected);
  EXPECT_NE(record.get(DraftField::Off), 0) << "a bound that was passed decides with the next answer";
}

}  // namespace
}  // namespace aetherflow::testing
