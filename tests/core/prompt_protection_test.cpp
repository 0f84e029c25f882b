// Whatever a prompt is made of, its protected pieces come out byte for byte; and no text makes stripping slow.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/rng.hpp"
#include "core/prompt/strip.hpp"

namespace aetherflow {
namespace {

/// Pieces that must survive wherever they stand. Each is a paragraph or a word group of its own.
const std::vector<std::string> kProtected = {
    "```python\nx = 1   \n\n\n\nplease()\n```",
    "~~~\nThank you.\nThank you.\n~~~",
    "    indented  code;   \n    please keep",
    "`please  keep`",
    "``a ` b``",
    "\"Could you please  wait?\"",
    "'thank you in advance'",
    "« s'il vous plaît »",
    "“Please note that”",
    "src/net/retry.ts",
    "./run.sh",
    "C:\\Users\\me\\a.txt",
    "https://example.org/a?b=c&d=**e**",
    "maxRetryCount",
    "MAX_RETRIES",
    "config.retry.max",
    "std::vector",
    "call()",
    "--apply",
    "12,345.678",
    "v2.0",
    "do **not** guess",
    "never merge",
    "without tests",
    "ne supprime jamais rien",
    "sans erreur",
    "| a | please |\n|---|---|\n| b | thanks |",
    "> please quote this",
    "<doc>\nThank you.\n\n\n\nThank you.\n</doc>",
    "{{steps.my step.output}}",
};

/// What strips well, and what tends to break parsers.
const std::vector<std::string> kNoise = {
    "Please",
    "Could you please write it?",
    "Thank you in advance!",
    "s'il te plaît",
    "I would like you to",
    "\n\n\n\n",
    "\n",
    "  ",
    "---",
    "**bold**",
    "*it*",
    "<!-- remark -->",
    "## Title",
    "Context:",
    "- item of a list",
    "1. first",
    "Write tests for every function.",
    "Write tests for every function.",
    "Example: red gives stop.",
    "Example: red gives stop.",
    "As a reminder, be brief and clear.",
    "it's",
    "l'outil",
    "the users'",
    "Merci d'avance.",
    ", please,",
    "é",
    "…",
    "and please sort it",
    "Hello,",
    "A paragraph that is long enough to count as context when it stands in a prompt for a second time.",
    "A paragraph that is long enough to count as context when it stands in a prompt for a second time.",
};

const char* const kJoints[] = {" ", "\n", "\n\n", ". ", "\n\n\n"};

TEST(PromptProtection, ProtectedPiecesSurviveAnyNeighbours) {
  int settled = 0;
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Rng rng(seed);
    std::string text;
    std::vector<const std::string*> used;
    const std::uint32_t pieces = 2 + rng.below(12);
    for (std::uint32_t i = 0; i < pieces; ++i) {
      if (rng.below(3) == 0) {
        used.push_back(&kProtected[rng.below(static_cast<std::uint32_t>(kProtected.size()))]);
        // Block-shaped pieces are what they are only on lines of their own.
        text += "\n\n" + *used.back() + "\n\n";
      } else {
        text += kNoise[rng.below(static_cast<std::uint32_t>(kNoise.size()))];
        text += kJoints[rng.below(5)];
      }
    }
    const Stripped once = strip(text);
    for (const std::string* piece : used) {
      ASSERT_NE(once.text.find(*piece), std::string::npos) << "seed " << seed << " lost [" << *piece << "]\n--- from\n"
                                                           << text << "\n--- to\n"
                                                           << once.text;
    }
    ASSERT_EQ(strip(once.text).text, once.text) << "seed " << seed;
    ASSERT_EQ(strip(text).text, once.text) << "seed " << seed;
    settled += once.text != text ? 1 : 0;
  }
  EXPECT_GT(settled, 1000) << "the property must be tested on texts from which something goes";
}

TEST(PromptProtection, WordsInSentencesSurvive) {
  const std::vector<std::string> words = {"src/a.ts", "`x`",   "\"please\"", "maxCount", "a_b",    "3.14",
                                          "not",      "don't", "n'utilise",  "sans",     "jamais", "--flag",
                                          "call()",   "v1.2",  "x.y",        "'q s'",    "aucune", "can’t"};
  const char* const frames[] = {"Please use %, please.",
                                "Could you please write % for me?",
                                "I would like you to take % there, s'il te plaît.",
                                "As mentioned above, % is **bold**.",
                                "Thank you for your % today.",
                                "**Keep %** and *go*. Thanks!"};
  for (const std::string& word : words) {
    for (const std::string frame : frames) {
      std::string text = frame;
      text.replace(text.find('%'), 1, word);
      const std::string out = strip(text + " Again: " + text).text;
      EXPECT_NE(out.find(word), std::string::npos) << text << " → " << out;
    }
  }
}

TEST(PromptProtection, SurvivesAnyBytes) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Rng rng(seed);
    std::string text;
    for (std::uint32_t i = rng.below(300); i > 0; --i) text += static_cast<char>(rng.below(256));
    const Stripped once = strip(text);
    ASSERT_EQ(strip(once.text).text, once.text) << "seed " << seed;
    ASSERT_LE(once.text.size(), text.size());
  }
}

/// Quadratic work would take minutes for each of these, not milliseconds: no clock is needed to notice it.
TEST(PromptProtection, HostileTextsStayLinear) {
  const char* const units[] = {
      "a",    "\"",      "'",       " 'a",   "`",    "`a` ",  "*a ",     "**",       "<a ",
      "<!--", "</a><b>", "please ", "«\n\n", ". ",   "- a\n", "---\n\n", "```\n",    "~~~x\n",
      "not ", "{{",      "‘a’b ",   "\n",    "\r\n", "é",     "\xff",    "exactly ", "Example: a b\n\n",
      "a:\n"};
  for (const std::string unit : units) {
    std::string text;
    while (text.size() < 300'000) text += unit;
    const Stripped result = strip(text);
    EXPECT_LE(result.text.size(), text.size()) << unit;
  }
}

}  // namespace
}  // namespace aetherflow
