// What stripping may not change: the questions that the cache is measured by, and code. And the three prompts of a user whose
// politeness was only half removed.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "core/prompt/strip.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

std::string fileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Blanks at either end of a text are not what this is about.
std::string_view trimmed(const std::string& text) {
  return text::trimmed(text);
}

/// Both sides of all pairs, development and held out.
std::set<std::string> questions() {
  std::set<std::string> out;
  for (const char* name : {"/tests/bench/cache-pairs.tsv", "/tests/bench/cache-pairs-held.tsv"}) {
    const std::string text = fileText(std::string(AETHERFLOW_ROOT) + name);
    for (std::size_t at = text.find('\n') + 1; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      const std::size_t second = line.rfind('\t');
      const std::size_t first = line.rfind('\t', second - 1);
      out.insert(line.substr(first + 1, second - first - 1));
      out.insert(line.substr(second + 1));
      at = end + 1;
    }
  }
  return out;
}

std::vector<std::string> wordsOf(const std::string& text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    if (text::isWordByte(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(text::lowered(word));
      word.clear();
    }
  }
  return words;
}

TEST(PromptMeaning, OfAQuestionOnlyAPoliteHeadGoes) {
  const std::set<std::string> all = questions();
  ASSERT_GT(all.size(), 800u);
  std::string changed;
  for (const std::string& question : all) {
    const std::string out = strip(question).text;
    if (out == question) continue;
    changed += out + "\n";
    const std::vector<std::string> before = wordsOf(question);
    const std::vector<std::string> after = wordsOf(out);
    ASSERT_LE(after.size(), before.size()) << question;
    EXPECT_TRUE(std::equal(after.rbegin(), after.rend(), before.rbegin())) << question << " → " << out;
  }
  EXPECT_EQ(changed,
            "Explain how vaccines work.\nExplain what a race condition is.\nTell me how to parse XML in Java\n"
            "Expliquer la différence entre TCP et UDP.\n");
}

// In front of what may be asked and behind it, in both languages: what was asked comes out to the byte.
TEST(PromptMeaning, APoliteFrameGoesAroundEveryQuestion) {
  const std::vector<std::pair<std::string, std::string>> frames = {
      {"Hello! I hope you are doing well today. ", " Thank you so much in advance for your help!"},
      {"Hi there! You are an expert software engineer with many years of experience. ", " Many thanks!"},
      {"Good morning! Help me with something. ", " Please don't hesitate to ask if anything is unclear. Thanks a lot!"},
      {"", " Take your time. You can do this! Kind regards"},
      {"Bonjour ! J'espère que vous allez bien. ", " N'hésitez pas à me demander si besoin. Merci d'avance !"},
      {"Tu es un développeur expérimenté. ", " Je compte sur toi. Bon courage !"}};
  std::size_t asked = 0;
  for (const std::string& question : questions()) {
    // What has no end runs into the next sentence.
    if (strip(question).text != question || std::string(".?!").find(question.back()) == std::string::npos) continue;
    if (!text::isAlpha(question[0])) continue;
    ++asked;
    for (const auto& [before, after] : frames) EXPECT_EQ(strip(before + question + after).text, question);
  }
  EXPECT_GT(asked, 400u);
}

TEST(PromptMeaning, CodeStaysToTheByte) {
  std::size_t files = 0;
  for (const char* folder : {"/core/prompt", "/core/run", "/node/cli", "/web/standard"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(AETHERFLOW_ROOT) + folder)) {
      const std::string kind = entry.path().extension().string();
      if (kind != ".cpp" && kind != ".hpp" && kind != ".ts") continue;
      const std::string code = fileText(entry.path());
      const std::string fenced = "```\n" + code + "```";
      ++files;
      EXPECT_EQ(trimmed(strip(code).text), trimmed(code)) << entry.path();
      if (code.find("```") != std::string::npos) continue;  // would end the fence
      EXPECT_EQ(trimmed(strip("Could you please review this?\n\n" + fenced).text), trimmed("Review this.\n\n" + fenced))
          << entry.path();
    }
  }
  EXPECT_GT(files, 60u);
}

TEST(PromptMeaning, ThePromptsOfAUserLoseTheirPolitenessAlone) {
  const std::pair<std::string, std::string> cases[] = {
      {"Hi there! I hope you are doing well today. I was wondering if you could please help me with something. I would "
       "really appreciate it if you could write a function called parseSpan that takes a string such as \"2h 5m\" and "
       "returns seconds. If it's not too much trouble, please make sure that it throws for invalid input. Also, it would "
       "be great if you could basically just keep it simple and avoid any dependencies. Thank you so much in advance for "
       "your help!",
       "Write a function called parseSpan that takes a string such as \"2h 5m\" and returns seconds. Make sure that it "
       "throws for invalid input. Also, just keep it simple and avoid any dependencies."},
      {"Hello! As an expert senior software engineer with many years of experience, could you please take a close look "
       "at our order service and let me know what you think? Basically, what I need is for you to identify all of the "
       "races that might possibly occur. Please note that it is very important that you explain why each can happen. In "
       "order to make this easier to read, I would like you to kindly format the result as a list. Please don't hesitate "
       "to ask if anything is unclear. Thanks a lot!",
       "Take a close look at our order service and let me know what you think. Identify all of the races that might "
       "occur. It is very important that you explain why each can happen. To make this easier to read, format the result "
       "as a list."},
      {"Good morning! I would like to ask you to write some documentation for POST /orders, if you don't mind. What I "
       "would like you to do is to describe, for each and every one of the parameters, its type and whether or not it is "
       "required. Due to the fact that our customers are not necessarily developers, please try to use simple language. I "
       "really appreciate your time and effort on this, many thanks and kind regards!",
       "Write some documentation for POST /orders. Describe, for each of the parameters, its type and whether or not it "
       "is required. Because our customers are not necessarily developers, try to use simple language."},
      {"Bonjour ! En tant que développeur senior, pourrais-tu écrire un analyseur, si cela ne te dérange pas ? Si le fichier est "
       "vide, je voudrais que tu expliques la cause. Ce que j'attends de toi, c'est de rester bref dans le but de "
       "convaincre. N'hésite pas à demander si quelque chose n'est pas clair.",
       "Écrire un analyseur. Si le fichier est vide, explique la cause. Rester bref pour convaincre."}};
  for (const auto& [from, to] : cases) {
    const Stripped result = strip(from);
    EXPECT_EQ(result.text, to);
    EXPECT_LT(result.tokensAfter * 100, result.tokensBefore * 80) << "a fifth at least is politeness";
  }
}

}  // namespace
}  // namespace aetherflow
