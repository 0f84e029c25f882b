// Changes of meaning that no cosine sees (tests/bench/cache-traps*.txt): none is served at any share, however near the vectors lie; and
// rewordings of the same kinds are.
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "core/cache/lexical.hpp"
#include "tests/core/cache_testing.hpp"

namespace aetherflow {
namespace {

struct Group {
  std::string family;
  std::vector<std::string> same;
  std::vector<std::string> other;  ///< what the answer of none of `same` serves
};

std::vector<Group> readGroups(const std::string& name) {
  std::ifstream file(AETHERFLOW_ROOT "/tests/bench/" + name);
  std::vector<Group> groups;
  std::string line, family;
  bool open = false;
  while (std::getline(file, line)) {
    if (!line.empty() && line[0] == '#' && line.substr(0, 2) == "# ") continue;
    if (line.empty()) {
      open = false;
    } else if (line[0] == '[' && line.back() == ']' && !open) {
      family = line.substr(1, line.size() - 2);
    } else {
      if (!open) groups.push_back({family, {}, {}});
      open = true;
      if (line[0] == '!') {
        groups.back().other.push_back(line.substr(2));
      } else {
        groups.back().same.push_back(line);
      }
    }
  }
  return groups;
}

class CacheTraps : public ::testing::Test {
 protected:
  CacheTraps() { options_.mode = CacheMode::Semantic; }

  bool served(const Decider& decider, const std::string& stored, const std::string& asked, float score, double share) {
    options_.maxWrongShare = share;
    std::string exactOnly;
    const std::vector<Judged> judged = decider.decide(asked, {{1, score, stored, {}}}, options_, exactOnly);
    return !judged.empty() && judged.back().hit;
  }

  static float letters(const Decider& decider, const std::string& a, const std::string& b) {
    return likeness(embedLexically(readSentence(decider.lexicon(), a)),
                    embedLexically(readSentence(decider.lexicon(), b)));
  }

  const Decider model_ = testing::fullDecider();
  const Decider lexical_ = testing::fullDecider(kLexicalModel);
  DecisionOptions options_;
};

TEST_F(CacheTraps, NoneIsServedAtAnyShareHoweverNear) {
  std::map<std::string, std::size_t> pairs;
  for (const char* file : {"cache-traps.txt", "cache-traps-held.txt"}) {
    for (const Group& group : readGroups(file)) {
      for (const std::string& a : group.same) {
        for (const std::string& b : group.other) {
          ++pairs[group.family];
          for (const float score : {0.85f, 1.0f}) {
            EXPECT_FALSE(served(model_, a, b, score, 0.05)) << a << " | " << b;
            EXPECT_FALSE(served(model_, b, a, score, 0.05)) << b << " | " << a;
          }
        }
      }
    }
  }
  EXPECT_EQ(pairs.size(), 8u);
  for (const auto& [family, count] : pairs) EXPECT_GE(count, 40u) << family;
}

TEST_F(CacheTraps, RewordingsOfTheSameKindsAre) {
  options_.lexical = true;
  std::size_t all = 0;
  std::size_t hits = 0;
  std::size_t wrong = 0;
  for (const char* file : {"cache-traps.txt", "cache-traps-held.txt"}) {
    for (const Group& group : readGroups(file)) {
      for (std::size_t i = 0; i < group.same.size(); ++i) {
        for (std::size_t j = i + 1; j < group.same.size(); ++j) {
          ++all;
          hits += served(lexical_, group.same[i], group.same[j], letters(lexical_, group.same[i], group.same[j]), 0.01);
        }
        for (const std::string& b : group.other) {
          wrong += served(lexical_, group.same[i], b, letters(lexical_, group.same[i], b), 0.05);
        }
      }
    }
  }
  EXPECT_GE(all, 60u);
  EXPECT_GE(10 * hits, 6 * all) << hits << " of " << all;
  EXPECT_EQ(wrong, 0u);
}

TEST_F(CacheTraps, NeedlessRefusalsAreGone) {
  const std::pair<const char*, const char*> same[] = {
      {"How do I rename the column of a table?", "How do I reanme the column of a table?"},
      {"Where is the database stored?", "Where is the data base stored?"},
      {"Sort the list in order to find the median", "Sort the list to find the median"},
      {"What does ticket #12 describe?", "What does ticket 12 describe?"},
      {"Open the .csv file with pandas", "Open the csv file with pandas"},
      {"Set the mode to 0644", "Set the mode to 644"},
      {"Why do n't the lights work?", "Why don't the lights work?"},
      {"Comment puis-je démarrer le serveur ?", "Comment démarrer le serveur ?"},
  };
  for (const auto& [a, b] : same) EXPECT_TRUE(served(model_, a, b, 0.97f, 0.02)) << a << " | " << b;
  // Beside one another, and per department: no passive whose parties are exchanged.
  EXPECT_TRUE(served(model_, "Show both plans side by side", "Show me both plans side by side", 0.97f, 0.02));
  EXPECT_EQ(model_.onlyExactBecause("How do I reset my password?", options_), "");
  EXPECT_NE(model_.onlyExactBecause("What is my balance?", options_), "");
}

}  // namespace
}  // namespace aetherflow
