// The index: what a section is, what is found, what survives damage, and input that means harm.
#include <gtest/gtest.h>

#include <cmath>

#include "core/index/excerpt.hpp"
#include "core/index/ngrams.hpp"
#include "core/index/reference.hpp"
#include "tests/core/index_testing.hpp"

namespace aetherflow {
namespace {

constexpr const char* kGuide =
    "Read this first.\n\n# Install\n\nNeeds a compiler.\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n\n"
    "## Windows\n\nWork inside the subsystem.\n\n# Use\n\nRun a plan.\n";

DocumentIndex guide() {
  DocumentIndex index;
  testing::readStops(index);
  index.put("docs/guide.md", FileKind::Markdown, kGuide, {});
  index.put("docs/notes.txt", FileKind::Text, "Remember the toolchain of last year.\n", {});
  return index;
}

std::vector<std::string> references(const DocumentIndex& index, std::string_view path) {
  std::vector<std::string> out;
  const FileRecord* file = index.find(path);
  for (std::uint32_t s = 0; file != nullptr && s < file->sections.size(); ++s) out.push_back(referenceOf(*file, s));
  return out;
}

std::vector<std::string> found(DocumentIndex& index, std::string_view question, std::string_view paths = {}) {
  std::vector<std::string> out;
  for (const SectionHit& hit : index.search(question, 5, paths))
    out.push_back(referenceOf(index.files()[hit.id.file], hit.id.section));
  return out;
}

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(hexOf(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hexOf(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hexOf(sha256(std::string(119, 'a'))), "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb");
}

TEST(IndexTest, TheLogarithmIsOne) {
  for (const double value : {1e-9, 0.3, 0.99, 1.0, 1.4142, 2.0, 37.5, 1e6})
    EXPECT_NEAR(exactLog(value), std::log(value), 1e-12);
}

TEST(IndexTest, EveryByteBelongsToOneSection) {
  const DocumentIndex index = guide();
  EXPECT_EQ(references(index, "docs/guide.md"),
            (std::vector<std::string>{"docs/guide.md:1", "docs/guide.md:Install.3", "docs/guide.md:Install › Linux.7",
                                      "docs/guide.md:Install › Windows.11", "docs/guide.md:Use.15"}));
  std::uint32_t at = 0;
  for (const SectionRecord& section : index.find("docs/guide.md")->sections) {
    EXPECT_EQ(section.at.from, at);
    at = section.at.to;
  }
  EXPECT_EQ(at, std::string_view(kGuide).size());
}

TEST(IndexTest, FindsByTextTitleAndPath) {
  DocumentIndex index = guide();
  EXPECT_EQ(found(index, "Where do I get the toolchain on Linux?")[0], "docs/guide.md:Install › Linux.7");
  EXPECT_EQ(found(index, "toolchains", "docs/notes.txt"), std::vector<std::string>{"docs/notes.txt:1"});
  EXPECT_EQ(found(index, "toolchain", "elsewhere\ndocs").size(), 2u);
  EXPECT_TRUE(found(index, "the of is").empty());
  EXPECT_TRUE(found(index, "zeppelin").empty());
}

TEST(IndexTest, FrenchAndEnglishMeetTheirOwnStems) {
  DocumentIndex index;
  testing::readStops(index);
  index.put("fr.md", FileKind::Markdown, "# Réglages\n\nle réglage de la mémoire est dans la page des réglages\n", {});
  index.put("en.md", FileKind::Markdown, "# Settings\n\nthe setting of the memory is on a page\n", {});
  EXPECT_EQ(found(index, "reglages de la memoire")[0], "fr.md:Réglages.1");
  EXPECT_EQ(found(index, "the memory settings")[0], "en.md:Settings.1");
}

TEST(IndexTest, NamesInPartsAreFoundByTheirParts) {
  DocumentIndex index;
  index.put("a.md", FileKind::Markdown, "# a\n\nCall readFileSync with max_tokens.\n", {});
  for (const char* question : {"readFileSync", "file sync", "max_tokens", "tokens"})
    EXPECT_EQ(found(index, question).size(), 1u);
}

TEST(IndexTest, ProgramsByIndentationAndByWhatAParserSaid) {
  DocumentIndex index;
  const char* program = "import x\n\nclass Cache:\n    def get(self):\n        return 1\n\ndef main():\n    pass\n";
  index.put("a.py", FileKind::Code, program, {});
  EXPECT_EQ(references(index, "a.py"),
            (std::vector<std::string>{"a.py:1", "a.py:Cache.3", "a.py:Cache › get.4", "a.py:main.7"}));
  EXPECT_EQ(index.find("a.py")->made, OutlineKind::Guessed);
  index.put("a.py", FileKind::Code, program, "1\t3\t5\tCache\n9\tx\ty\n1\t7\t99\ttoo far\n1\t7\t8\tmain\n");
  EXPECT_EQ(references(index, "a.py"), (std::vector<std::string>{"a.py:1", "a.py:Cache.3", "a.py:main.7"}));
  EXPECT_EQ(index.find("a.py")->made, OutlineKind::Parsed);
}

TEST(IndexTest, JsonByItsOutermostMembers) {
  DocumentIndex index;
  index.put("p.json", FileKind::Json, "{\n  \"name\": \"x, {\",\n  \"on\": [1, {\"in\": 2}],\n  \"last\": 3\n}\n", {});
  EXPECT_EQ(references(index, "p.json"),
            (std::vector<std::string>{"p.json:1", "p.json:name.2", "p.json:on.3", "p.json:last.4"}));
}

TEST(IndexTest, ExcerptsKeepToTheirBudget) {
  DocumentIndex index = guide();
  const auto hits = index.search("toolchain Linux compiler", 10);
  for (const std::uint32_t budget : {0u, 5u, 12u, 30u, 60u, 1000u}) {
    std::uint32_t tokens = 0;
    for (const Excerpt& excerpt : excerptsFor(index, hits, budget)) tokens += excerpt.tokens;
    EXPECT_LE(tokens, budget);
  }
  EXPECT_TRUE(excerptsFor(index, hits, 1000)[0].whole);
  std::string text = "first line\n";
  for (int i = 0; i < 200; ++i) text += i == 150 ? "the toolchain is here\n" : "nothing of it\n";
  const auto lines = linesToKeep(index, text, "toolchain", 60);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0].first, 0u);
  bool any = false;
  for (const LineRange& range : lines) any |= range.first <= 151 && range.last >= 151;
  EXPECT_TRUE(any);
}

TEST(IndexTest, DamageIsDroppedAndCounted) {
  const DocumentIndex index = guide();
  std::string bytes;
  index.write(bytes);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    DocumentIndex read;
    const int lost = read.read(damaged);
    EXPECT_TRUE(lost != 0) << at;
    EXPECT_LE(read.files().size(), 2u);
    DocumentIndex cut;
    EXPECT_NE(cut.read(std::string_view(bytes).substr(0, at)), 0);
  }
}

TEST(IndexTest, ReferencesThatAreNone) {
  const DocumentIndex index = guide();
  for (const char* text : {"", ":", "a", "docs/guide.md", "docs/guide.md:", "docs/guide.md:Install.", ":.1",
                           "docs/guide.md:No.1", "docs/guide.md:Install.99999999999"})
    EXPECT_EQ(resolveReference(index, text, {}).state, ReferenceState::Stale) << text;
  EXPECT_EQ(resolveReference(index, "docs/guide.md:Install › Linux.99", {}).state, ReferenceState::Named);
  EXPECT_EQ(resolveReference(index, "docs/guide.md:Use.15", "no mark").state, ReferenceState::Named);
}

TEST(IndexHostileTest, DeepLongAndBrokenTexts) {
  std::string headings, quotes, lists, unclosed(2 << 20, '['), high;
  for (int i = 0; i < 100'000; ++i) headings += "# h" + std::to_string(i) + '\n';
  for (int i = 0; i < 20'000; ++i) quotes += "> ", lists += "- ";
  for (int i = 0; i < 200'000; ++i) high += static_cast<char>(0x80 + i % 128);
  const std::string nul("# a\0b\n\0\0 text\n", 14);
  for (const std::string& text :
       {headings, quotes + "x\n# y\n", lists + "x\n", unclosed, high, nul, std::string("\r\r\n\n\r"),
        std::string("<") + unclosed, std::string(1 << 20, '`'), std::string(1 << 20, '"')}) {
    for (const char* path : {"a.md", "a.py", "a.json", "a.txt"}) {
      DocumentIndex index;
      index.put(path, fileKindOf(path), text, {});
      ASSERT_EQ(index.files().size(), 1u);
      EXPECT_FALSE(index.find(path)->sections.empty());
      EXPECT_EQ(index.find(path)->sections.back().at.to, text.size());
    }
  }
  DocumentIndex index;
  index.put("a.md", FileKind::Markdown, headings, {});
  EXPECT_EQ(index.sections(), 100'000u);
  EXPECT_EQ(found(index, "h77777")[0], "a.md:h77777.77778");
}

TEST(IndexHostileTest, AFileOfFiftyMegabytes) {
  std::string text;
  Rng rng(3);
  const std::string piece = testing::randomWords(rng, 4000);
  while (text.size() < 50u << 20) text += piece + "\n\n## part " + std::to_string(text.size()) + "\n\n";
  DocumentIndex index;
  index.put("big.md", FileKind::Markdown, text, {});
  EXPECT_GT(index.sections(), 1000u);
  EXPECT_EQ(index.find("big.md")->sections.back().at.to, text.size());
  EXPECT_EQ(found(index, "latency schedule").size(), 5u);
}

std::string chosen(std::string_view grams, GramStrategy strategy, std::size_t most) {
  std::string out;
  for (const std::uint32_t gram : chooseGrams(grams, strategy, most).kept) out += std::to_string(gram) + ' ';
  return out;
}

TEST(GramsTest, TheSeedsRule) {
  // Trigrams all, pairs that bring a word, words that are long or have a digit.
  const char* grams = "prix\nculottes\nprix culottes\nprix culottes xl\nculottes menstruelles\nxl\nlot3\nmenstruelles";
  EXPECT_EQ(chosen(grams, GramStrategy::Seed, 20), "1 3 4 6 7 ");
  EXPECT_EQ(chosen(grams, GramStrategy::Seed, 2), "3 4 ");
}

TEST(GramsTest, CoverLeavesOutOnlyWhatAKeptOneCovers) {
  const char* grams = "prix culottes\nprix\nculottes menstruelles\nPrix Culottes XL\nlot de 3";
  EXPECT_EQ(chosen(grams, GramStrategy::Cover, 20), "1 2 4 ");
  const GramChoice choice = chooseGrams(grams, GramStrategy::Cover, 20);
  ASSERT_EQ(choice.dropped.size(), 2u);
  EXPECT_EQ(choice.dropped[0].by, 1u);
  EXPECT_EQ(choice.dropped[1].by, 1u);
  // Beyond the most, what no kept one covers is said to be lost.
  const GramChoice cut = chooseGrams(grams, GramStrategy::Cover, 1);
  std::size_t lost = 0;
  for (const auto& one : cut.dropped) lost += one.by == UINT32_MAX;
  EXPECT_EQ(lost, 2u);
}

}  // namespace
}  // namespace aetherflow
