// The core's own sort and hash table, each against the library's.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "core/base/sort.hpp"
#include "core/base/text_index.hpp"

namespace aetherflow::testing {
namespace {

struct Item {
  std::uint32_t key;
  std::uint32_t place;
  std::uint64_t load;
  bool operator==(const Item&) const = default;
};

TEST(SortItems, IsStableAndAgreesWithTheLibrary) {
  Rng rng(7);
  for (std::uint32_t round = 0; round < 2'000; ++round) {
    std::vector<Item> items(rng.below(round % 50 == 0 ? 3'000 : 40));
    const std::uint32_t keys = 1 + rng.below(20);
    for (std::uint32_t i = 0; i < items.size(); ++i) items[i] = {rng.below(keys), i, rng.next()};
    std::vector<Item> expected = items;
    const auto byKey = [](const Item& a, const Item& b) { return a.key < b.key; };
    std::stable_sort(expected.begin(), expected.end(), byKey);
    sortItems(items, byKey);
    ASSERT_EQ(items, expected) << "round " << round;
  }
}

TEST(TextIndex, AgreesWithAMapUnderAdditionsAndErasures) {
  Rng rng(11);
  TextIndex index;
  std::map<std::string, std::uint32_t> expected;
  for (std::uint32_t turn = 0; turn < 60'000; ++turn) {
    // Long and short texts, one the beginning of another, bytes above 127, empty.
    std::string text(rng.below(4), 'a');
    for (std::uint32_t left = rng.below(4); left > 0; --left) text += static_cast<char>(rng.below(256));
    if (rng.below(3) == 0) {
      const auto* found = index.find(text);
      ASSERT_EQ(found != nullptr, expected.count(text) == 1);
      if (found == nullptr) continue;
      index.erase(found);
      expected.erase(text);
    } else {
      const auto [entry, isNew] = index.emplace(text, turn);
      ASSERT_EQ(isNew, expected.emplace(text, turn).second);
      ASSERT_EQ(entry->first, text);
    }
    ASSERT_EQ(index.size(), expected.size());
  }
  ASSERT_GT(expected.size(), 1'000u);
  for (const auto& [text, number] : expected) {
    ASSERT_NE(index.find(text), nullptr);
    ASSERT_EQ(index.at(text), number);
  }
}

}  // namespace
}  // namespace aetherflow::testing
