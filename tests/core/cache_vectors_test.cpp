// The byte scan must answer exactly as the float scan does: ids, order and score bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "core/cache/vectors.hpp"
#include "tests/core/cache_testing.hpp"

namespace aetherflow {
namespace {

using testing::unitVector;

constexpr CacheKey kSpace{1, 2};

void expectSame(const std::vector<Neighbour>& scan, const std::vector<Neighbour>& floats) {
  ASSERT_EQ(scan.size(), floats.size());
  for (std::size_t i = 0; i < scan.size(); ++i) {
    EXPECT_EQ(scan[i].id, floats[i].id);
    EXPECT_EQ(std::memcmp(&scan[i].score, &floats[i].score, sizeof(float)), 0);
  }
}

/// Rows in tight clusters, the hard case for an approximate scan: many neighbours differ by less than the codes can tell.
void compareScans(std::size_t rows, std::size_t dimensions, int queries) {
  Rng rng(rows * 31 + dimensions);
  VectorIndex index(dimensions);
  std::vector<std::vector<float>> centres;
  for (int i = 0; i < 20; ++i) centres.push_back(unitVector(rng, dimensions));
  for (std::uint32_t id = 0; id < rows; ++id) {
    const double spread = id % 3 == 0 ? 0.001 : 0.1;
    ASSERT_FALSE(index.insert(kSpace, id, unitVector(rng, dimensions, &centres[rng.below(20)], spread).data()));
  }
  for (int i = 0; i < queries; ++i) {
    const std::vector<float> query = unitVector(rng, dimensions, i % 2 == 0 ? &centres[rng.below(20)] : nullptr, 0.01);
    expectSame(index.nearest(kSpace, query.data(), 10), index.nearestByFloats(kSpace, query.data(), 10));
    for (const float floor : {0.5f, 0.7f, 0.9f, 0.99f}) {
      expectSame(index.nearest(kSpace, query.data(), 3, floor), index.nearestByFloats(kSpace, query.data(), 3, floor));
    }
  }
}

TEST(CacheVectors, ScanEqualsFloatsAt1k) {
  compareScans(1000, 384, 40);
}
TEST(CacheVectors, ScanEqualsFloatsAt10k) {
  compareScans(10'000, 384, 20);
}
TEST(CacheVectors, ScanEqualsFloatsAt100k) {
  compareScans(100'000, 64, 10);
}
TEST(CacheVectors, ScanEqualsFloatsAtOddDimensions) {
  for (const std::size_t dimensions : {1u, 3u, 15u, 17u, 100u, 1536u, 4096u}) compareScans(300, dimensions, 5);
}

TEST(CacheVectors, TiesGoToTheSmallerIdWhateverTheOrderOfInsertion) {
  Rng rng(7);
  VectorIndex index(384);
  const std::vector<float> same = unitVector(rng, 384);
  for (const std::uint32_t id : {9u, 2u, 30u, 4u, 0u, 17u}) ASSERT_FALSE(index.insert(kSpace, id, same.data()));
  const std::vector<Neighbour> found = index.nearest(kSpace, same.data(), 4);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].id, 0u);
  EXPECT_EQ(found[1].id, 2u);
  EXPECT_EQ(found[2].id, 4u);
  EXPECT_EQ(found[3].id, 9u);
}

TEST(CacheVectors, SpacesNeverMix) {
  Rng rng(3);
  VectorIndex index(32);
  const std::vector<float> vector = unitVector(rng, 32);
  ASSERT_FALSE(index.insert({1, 1}, 0, vector.data()));
  ASSERT_FALSE(index.insert({1, 2}, 1, vector.data()));
  EXPECT_EQ(index.nearest({1, 1}, vector.data(), 10).size(), 1u);
  EXPECT_EQ(index.nearest({1, 2}, vector.data(), 10)[0].id, 1u);
  EXPECT_TRUE(index.nearest({9, 9}, vector.data(), 10).empty());
  EXPECT_EQ(index.clear({1, 1}), 1u);
  EXPECT_EQ(index.clear({1, 1}), 0u);
  EXPECT_FALSE(index.contains(0));
  EXPECT_EQ(index.size(), 1u);
}

/// Random inserts, replacements and deletions beside a plain list.
TEST(CacheVectors, FollowsAModelThroughRandomChanges) {
  Rng rng(11);
  constexpr std::size_t kDim = 24;
  VectorIndex index(kDim);
  struct Row {
    bool used = false;
    CacheKey space;
    std::vector<float> vector;
  };
  std::vector<Row> model(900);
  for (int step = 0; step < 6000; ++step) {
    const std::uint32_t id = rng.below(900);
    if (rng.below(3) == 0) {
      EXPECT_EQ(index.erase(id), model[id].used);
      model[id].used = false;
    } else {
      model[id] = {true, {0, rng.below(3)}, unitVector(rng, kDim)};
      ASSERT_FALSE(index.insert(model[id].space, id, model[id].vector.data()));
    }
    if (step % 500 != 0) continue;
    if (step % 1000 == 0) index.compact();
    const std::vector<float> query = unitVector(rng, kDim);
    for (std::uint64_t space = 0; space < 3; ++space) {
      std::vector<Neighbour> expected;
      for (std::uint32_t i = 0; i < model.size(); ++i) {
        if (model[i].used && model[i].space.low == space)
          expected.push_back({i, dot(query.data(), model[i].vector.data(), kDim)});
      }
      EXPECT_EQ(index.size({0, space}), expected.size());
      std::sort(expected.begin(), expected.end(), [](const Neighbour& a, const Neighbour& b) {
        return a.score != b.score ? a.score > b.score : a.id < b.id;
      });
      if (expected.size() > 7) expected.resize(7);
      expectSame(index.nearest({0, space}, query.data(), 7), expected);
    }
  }
}

TEST(CacheVectors, RefusesWhatIsNoUnitVector) {
  VectorIndex index(4);
  const float zero[4] = {};
  const float lengthy[4] = {1, 1, 0, 0};
  const float broken[4] = {NAN, 0, 0, 1};
  const float good[4] = {0, 0, 0, 1};
  for (const float* bad : {zero, lengthy, broken}) {
    EXPECT_EQ(index.insert(kSpace, 0, bad).code, ErrorCode::CacheBadVector);
    EXPECT_TRUE(index.nearest(kSpace, bad, 1).empty());
  }
  EXPECT_EQ(index.size(), 0u);
  EXPECT_FALSE(index.insert(kSpace, 0, good));
  EXPECT_EQ(index.nearest(kSpace, good, 1)[0].score, 1.0f);
  EXPECT_TRUE(index.nearest(kSpace, good, 0).empty());
}

/// The order of summation is part of the contract: these bits were printed by one build and hold in every other.
TEST(CacheVectors, ScoresAreTheSameBitsInEveryBuild) {
  Rng rng(2026);
  std::uint32_t mixed = 0;
  for (int i = 0; i < 50; ++i) {
    const std::vector<float> a = unitVector(rng, 384);
    const std::vector<float> b = unitVector(rng, 384);
    const float score = dot(a.data(), b.data(), 384 - static_cast<std::size_t>(i) % 17);
    std::uint32_t bits;
    std::memcpy(&bits, &score, sizeof bits);
    mixed = mixed * 31 + bits;
  }
  EXPECT_EQ(mixed, 3140641209u);
}

TEST(CacheVectors, MemoryPerEntryIsAsStated) {
  Rng rng(5);
  VectorIndex index(384);
  constexpr std::uint32_t kRows = 1024;
  for (std::uint32_t id = 0; id < kRows; ++id) ASSERT_FALSE(index.insert(kSpace, id, unitVector(rng, 384).data()));
  index.compact();
  const std::size_t perEntry = index.bytes() / kRows;
  EXPECT_GE(perEntry, 21 * 384u / 4);
  EXPECT_LE(perEntry, 21 * 384u / 4 + 36u);
}

}  // namespace
}  // namespace aetherflow
