// Stripping on realistic verbose prompts: what must survive, and what it saves (printed, not asserted).

#include "prompt_corpus.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "core/prompt/strip.hpp"
#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// Pieces of the corpus that mean something exact, in the order of the prompts.
const std::vector<std::vector<std::string>> kMustSurvive = {
    {"REST API client in TypeScript", "429 and 503", "Do **not** log request bodies.", "`INVENTORY_URL`",
     "no other HTTP library"},
    {"`pipeline/load.py`", "eep the public interface exactly as it is", "`load_all()`", "2 GB",
     "o not change the names"},
    {"2024-03-14", "4 seconds", "12:00:03 web-1 connection refused", "never include customer names"},
    {"`aether-cache`", "ne connaît pas C++", "N'utilise jamais de code", "exemple court et complet"},
    {"ten mechanics", "8x8", "3 minutes", "one hand on a phone", "the main risk"},
    {"        self.items = []   \n", "\"\"\"Please call this with numbers only.\"\"\"", "append(x)\n\n\n    def",
     "o not mock anything"},
    {"`orders`", "40,000,000", "`customer_id`", "300 per second", "e cannot take the database offline"},
    {"« article 12.3 »", "une ligne par contrat", "sans jargon juridique", "Ne donnez aucun conseil"},
    {"`photos rename ~/Pictures`", "nothing without the flag `--apply`", "`2024-03-14_12-00-03.jpg`"},
    {"src/net/retry.ts", "src/net/breaker.ts", "have never seen the code base", "diagram in plain ASCII"},
    {"| stage | command | minutes |\n| ----- | ------- | ------- |", "`node_modules`", "never written",
     "| test  | `npm test` | 9 |"},
    {"\"2024-03-14T12:00:03 ERROR disk full\"", "10 Go", "ne doit pas charger", "en Rust"},
};

TEST(PromptCorpus, KeepsWhatMatters) {
  ASSERT_EQ(kMustSurvive.size(), std::size(kVerbosePrompts));
  for (std::size_t i = 0; i < kMustSurvive.size(); ++i) {
    const Stripped result = strip(kVerbosePrompts[i]);
    for (const std::string& piece : kMustSurvive[i]) {
      EXPECT_NE(result.text.find(piece), std::string::npos) << "prompt " << i << " lost: " << piece << "\n"
                                                            << result.text;
    }
  }
}

TEST(PromptCorpus, LosesWhatSaysNothing) {
  std::string all;
  for (const std::string_view prompt : kVerbosePrompts) all += strip(prompt).text + "\n";
  for (const char* gone :
       {"hope you are doing well", "I need you to", "in advance", "Best regards", "d'avance", "s'il te plaît",
        "inserted by the ticket", "\n---\n", "\n\n\n\n", "Many thanks", "Cordialement"}) {
    EXPECT_EQ(all.find(gone), std::string::npos) << gone;
  }
}

TEST(PromptCorpus, SettlesAndSaysWhatItSaved) {
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  for (const std::string_view prompt : kVerbosePrompts) {
    const Stripped result = strip(prompt);
    EXPECT_LT(result.tokensAfter, result.tokensBefore);
    EXPECT_EQ(result.tokensAfter, estimateTokens(result.text));
    const Stripped again = strip(result.text);
    EXPECT_EQ(again.text, result.text);
    EXPECT_TRUE(again.removals.empty());
    std::uint64_t bytes = 0;
    for (const Removal& removal : result.removals) {
      EXPECT_GT(removal.count, 0u);
      bytes += removal.bytes;
    }
    EXPECT_EQ(prompt.size() - result.text.size(), bytes) << "every removed byte belongs to a rule";
    before += result.tokensBefore;
    after += result.tokensAfter;
  }
  const auto permille = static_cast<unsigned>((before - after) * 1000 / before);
  RecordProperty("removed_permille", static_cast<int>(permille));
  std::printf("[     INFO ] stripping removed %u.%u %% of %u estimated tokens of %u verbose prompts\n", permille / 10,
              permille % 10, static_cast<unsigned>(before), static_cast<unsigned>(std::size(kVerbosePrompts)));
}

}  // namespace
}  // namespace aetherflow
