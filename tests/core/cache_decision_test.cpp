#include <gtest/gtest.h>

#include <cmath>

#include "core/cache/decision.hpp"
#include "core/cache/lexical.hpp"
#include "core/cache/vectors.hpp"
#include "tests/core/cache_testing.hpp"

namespace aetherflow {
namespace {

class CacheDecision : public ::testing::Test {
 protected:
  void SetUp() override { options_.mode = CacheMode::Semantic; }

  Judged judge(std::string_view stored, std::string_view asked, float score, Belief belief = {}) {
    std::string exactOnly;
    const std::vector<Judged> judged = decider_.decide(asked, {{7, score, stored, belief}}, options_, exactOnly);
    EXPECT_EQ(judged.size(), 1u) << exactOnly;
    return judged.empty() ? Judged{} : judged[0];
  }

  Decider decider_ = testing::fullDecider();
  DecisionOptions options_;
};

TEST_F(CacheDecision, ServesRewordingsAndNothingElse) {
  EXPECT_TRUE(judge("How do I delete a branch in git?", "How can I remove a branch in git?", 0.97f).hit);
  EXPECT_FALSE(judge("How do I delete a branch in git?", "How do I create a branch in git?", 0.97f).hit);
  EXPECT_FALSE(judge("How do I delete a branch in git?", "How do I delete a tag in git?", 0.999f).hit);
}

TEST_F(CacheDecision, NoCosineOverridesAVetoOrAClosedPair) {
  options_.maxWrongShare = 1;
  for (const auto& [a, b] : {std::pair{"Open port 80 on the router", "Open port 81 on the router"},
                             {"Turn the mode on", "Turn the mode off"},
                             {"Paint the garden fence", "Paint the garden bench"}}) {
    const Judged judged = judge(a, b, 1.0f);
    EXPECT_FALSE(judged.hit) << judged.why;
  }
}

TEST_F(CacheDecision, TheFloorCannotBeLowered) {
  const char* text = "How do I delete a branch in git?";
  options_.floor = -5;
  options_.maxWrongShare = 1e9;
  EXPECT_EQ(judge(text, text, std::nextafter(kFloor, 0.0f)).why, "below.floor");
  EXPECT_TRUE(judge(text, text, 0.99f).hit);
  options_.floor = 0.995f;
  EXPECT_EQ(judge(text, text, 0.99f).why, "below.floor");
  options_.floor = NAN;
  EXPECT_FALSE(judge(text, text, 0.5f).hit);
  options_.floor = 0;
  EXPECT_FALSE(judge(text, text, NAN).hit);
}

TEST_F(CacheDecision, AStricterShareServesLess) {
  const char* a = "What are the steps to configure a linter for a small project?";
  const char* b = "Which steps do I take to set up a linter in a small project?";
  double last = 0;
  for (const double share : {1.0, 0.05, 0.02, 0.01, 0.005, 0.002, 0.0, -1.0}) {
    options_.maxWrongShare = share;
    const double needed = judge(a, b, 0.93f).needed;
    EXPECT_GE(needed, last) << share;
    last = needed;
  }
  options_.maxWrongShare = NAN;
  EXPECT_EQ(judge(a, b, 0.93f).needed, last);
}

/// A word that narrows the request, all else equal: the near miss that one cosine in three takes for a rewording.
TEST_F(CacheDecision, ANarrowerRequestIsServedAtNoShare) {
  options_.maxWrongShare = 0.05;
  const std::pair<const char*, const char*> pairs[] = {
      {"Is Adam Parker an economist?", "Is Adam Parker an elite economist?"},
      {"Is Emma Perez an analyst?", "Is Emma Perez a real analyst?"},
      {"What is the return policy for shoes?", "What is the return policy for worn shoes?"},
      {"Plan a weekend trip to Lisbon", "Plan a cheap weekend trip to Lisbon"},
      {"How many airports are in a country?", "How many busy airports are in a country?"},
      {"What does the yield keyword do in Python?", "What does the return keyword do in Python?"},
  };
  for (const auto& [a, b] : pairs) {
    EXPECT_FALSE(judge(a, b, 0.95f).hit) << a << " | " << b;
    EXPECT_FALSE(judge(b, a, 0.95f).hit) << b << " | " << a;
  }
}

TEST_F(CacheDecision, ModesAndTheWindowComeFirst) {
  const std::vector<Candidate> stored{{1, 0.99f, "How do I sort a list?", {}}};
  std::string why;
  options_.insideWindow = false;
  EXPECT_TRUE(decider_.decide("How do I sort a list?", stored, options_, why).empty());
  EXPECT_EQ(why, "exact.window");
  options_.mode = CacheMode::Exact;
  EXPECT_TRUE(decider_.decide("How do I sort a list?", stored, options_, why).empty());
  EXPECT_EQ(why, "mode.exact");
  options_ = {};
  options_.mode = CacheMode::Semantic;
  EXPECT_TRUE(decider_.decide("What is the weather?", stored, options_, why).empty());
  EXPECT_EQ(why, "exact.fresh: weather");
}

TEST_F(CacheDecision, LooksPastTheNearestAndStopsAtTheHit) {
  const std::vector<Candidate> stored{{1, 0.99f, "How do I enable the linter?", {}},
                                      {2, 0.98f, "How can I disable the linter?", {}},
                                      {3, 0.97f, "How do I disable a linter?", {}}};
  std::string why;
  const std::vector<Judged> judged = decider_.decide("How do I disable the linter?", stored, options_, why);
  ASSERT_EQ(judged.size(), 2u);
  EXPECT_EQ(judged[0].why, "veto.polarity: enable/disable");
  EXPECT_TRUE(judged[1].hit);
  EXPECT_EQ(judged[1].id, 2u);
}

TEST_F(CacheDecision, LabelsMoveAnEntryAndThePoolALittle) {
  const char* a = "How do I delete a branch in git?";
  const char* b = "How can I remove a branch in git?";
  const Judged before = judge(a, b, 0.97f);
  Belief belief;
  for (int i = 0; i < 4; ++i) belief = decider_.feedback(belief, before.eta, false);
  const Judged after = judge(a, b, 0.97f, belief);
  EXPECT_LT(after.probability, before.probability);
  EXPECT_FALSE(after.hit);
  EXPECT_LT(decider_.pool().mean, 0);
  EXPECT_GT(decider_.pool().mean, belief.mean);
}

TEST(CacheBelief, LearningIsTheModeOfThePosterior) {
  const double eta = 1.5;
  const Belief learnt = learn({}, kEntryVariance, eta, false);
  const double p = logistic(eta + learnt.mean);
  EXPECT_NEAR(-p - learnt.mean / kEntryVariance, 0, 1e-6);
  EXPECT_LT(learnt.variance, kEntryVariance);
}

TEST(CacheBelief, LogisticIsTheUsualOne) {
  for (double eta = -45; eta < 45; eta += 0.37) {
    const double clamped = std::fmin(40, std::fmax(-40, eta));
    EXPECT_NEAR(logistic(eta), 1 / (1 + std::exp(-clamped)), 1e-12) << eta;
  }
}

TEST(CacheBelief, TheBoundLiesBelowTheProbabilityAndFallsWithTheSpread) {
  double last = 1;
  for (double deviation = 0; deviation < 2; deviation += 0.1) {
    const double bound = lowerBound(3, deviation);
    EXPECT_LT(bound, logistic(3));
    EXPECT_LE(bound, last);
    last = bound;
  }
}

/// A higher cosine never makes a hit a miss: the model is fitted under that condition.
TEST(CacheModel, TheCosineOnlyRaisesTheProbability) {
  const Decider decider = testing::fullDecider();
  DecisionOptions options;
  options.mode = CacheMode::Semantic;
  std::string why;
  for (const char* asked : {"How can I remove a branch in git?", "Removing branches in git, how is it done by hand?"}) {
    double last = -1e9;
    for (float score = 0.7f; score <= 1.0f; score += 0.01f) {
      const auto judged = decider.decide(asked, {{0, score, "How do I delete a branch in git?", {}}}, options, why);
      ASSERT_EQ(judged.size(), 1u);
      EXPECT_GE(judged[0].eta, last);
      last = judged[0].eta;
    }
  }
}

TEST(CacheModel, DamagedOnesAreRefused) {
  DecisionModel model;
  const std::string good(kLexicalModel);
  EXPECT_TRUE(readModel(good, model));
  EXPECT_EQ(model.trees.size(), 40u);
  for (const std::string& bad :
       {std::string(), good + "0", good.substr(1), good.substr(0, good.size() - 2), "0000" + good}) {
    EXPECT_FALSE(readModel(bad, model));
  }
  std::string other = good;
  other[2] = 'f';  // an input that there is not
  EXPECT_FALSE(readModel(other, model));
  EXPECT_EQ(model.trees.size(), 40u);
}

TEST(CacheModel, WithoutAModelNothingIsServed) {
  Decider decider;
  decider.lexicon() = testing::fullLexicon();
  DecisionOptions options;
  options.mode = CacheMode::Semantic;
  std::string why;
  const char* text = "How do I sort a list?";
  EXPECT_FALSE(decider.decide(text, {{0, 1.0f, text, {}}}, options, why).back().hit);
}

TEST(LexicalEmbedder, IsAUnitVectorThatSeesSpellingOnly) {
  const Lexicon lexicon = testing::fullLexicon();
  const auto embed = [&](std::string_view text) { return embedLexically(readSentence(lexicon, text)); };
  const auto a = embed("How do I sort a list of numbers?");
  EXPECT_EQ(a.size(), kLexicalDimensions);
  EXPECT_NEAR(likeness(a, a), 1.0, 1e-6);
  EXPECT_EQ(a, embed("how do i SORT a list of numbers"));
  EXPECT_GT(likeness(a, embed("How can I sort lists of numbers?")), likeness(a, embed("How do I bake a cake?")));
  EXPECT_LT(likeness(embed("Which automobile is safest?"), embed("The safety of cars")), 0.6);
  EXPECT_LT(likeness(embed("add 1000 rows"), embed("add 10000 rows")), 0.95);
  EXPECT_EQ(likeness(embed(""), embed("")), 0.0f);
  EXPECT_EQ(embed("Où est la forêt ?"), embed("ou est la foret ?"));
}

/// Offline: the built-in embedder, the search and the decision together, in two tenants' spaces.
TEST(CacheWhole, FindsARewordingInItsOwnTenantOnly) {
  const Decider decider = testing::fullDecider(kLexicalModel);
  VectorIndex index(kLexicalDimensions);
  CacheScope scope;
  scope.tenant = "a";
  const CacheKey own = scopeKey(scope);
  scope.tenant = "b";
  const CacheKey other = scopeKey(scope);
  const std::vector<std::string> stored{"How do I delete a branch in git?", "How do I create a branch in git?",
                                        "How do I bake a cake?"};
  const auto embed = [&](std::string_view text) { return embedLexically(readSentence(decider.lexicon(), text)); };
  for (std::uint32_t id = 0; id < stored.size(); ++id) ASSERT_FALSE(index.insert(own, id, embed(stored[id]).data()));
  const char* asked = "How do I delete a branch in git";
  DecisionOptions options;
  options.mode = CacheMode::Semantic;
  options.lexical = true;
  std::string why;
  for (const CacheKey& space : {own, other}) {
    std::vector<Candidate> candidates;
    for (const Neighbour& found : index.nearest(space, embed(asked).data(), 10)) {
      candidates.push_back({found.id, found.score, stored[found.id], {}});
    }
    const std::vector<Judged> judged = decider.decide(asked, candidates, options, why);
    EXPECT_EQ(!judged.empty() && judged.back().hit, space == own);
  }
}

}  // namespace
}  // namespace aetherflow
