// An index that was brought up to date equals one that was built at once; references find their text again, or say so.
//   AETHERFLOW_INDEX_EDITS=10000 AETHERFLOW_REFERENCE_EDITS=1000   for the long runs
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "core/index/reference.hpp"
#include "tests/core/index_testing.hpp"

namespace aetherflow {

std::uint32_t testing::indexRounds(const char* variable, std::uint32_t usual) {
  const char* text = std::getenv(variable);
  return text == nullptr ? usual : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

namespace {

using testing::randomDocument;
using testing::RandomDocument;
using testing::randomSection;
using testing::textOf;

std::string bytesOf(const DocumentIndex& index) {
  std::string out;
  index.write(out);
  return out;
}

/// What is found, in words: equal searches give equal strings.
std::string found(DocumentIndex& index, std::string_view question) {
  std::string out;
  for (const SectionHit& hit : index.search(question, 5))
    out += referenceOf(index.files()[hit.id.file], hit.id.section) + ' ' + std::to_string(hit.score) + '\n';
  return out;
}

TEST(IndexProperty, BroughtUpToDateEqualsBuiltAtOnce) {
  Rng rng(11);
  DocumentIndex index;
  testing::readStops(index);
  std::map<std::string, std::string> files;
  const std::uint32_t edits = testing::indexRounds("AETHERFLOW_INDEX_EDITS", 1500);
  for (std::uint32_t edit = 0; edit < edits; ++edit) {
    const std::string path = "docs/" + std::to_string(rng.below(12)) + (rng.below(4) == 0 ? ".py" : ".md");
    if (rng.below(5) == 0) {
      index.remove(path);
      files.erase(path);
    } else {
      files[path] = textOf(randomDocument(rng));
      index.put(path, fileKindOf(path), files[path], {});
    }
    // Words come and go as searches look at them.
    if (edit % 7 == 0) index.search("cache retry budget", 3);
    if (edit % 10 != 0 && edit + 1 != edits) continue;
    DocumentIndex cold;
    testing::readStops(cold);
    for (const auto& [name, text] : files) cold.put(name, fileKindOf(name), text, {});
    ASSERT_EQ(bytesOf(index), bytesOf(cold)) << "after edit " << edit;
    ASSERT_EQ(found(index, "budget of the réseau window7"), found(cold, "budget of the réseau window7"));
    DocumentIndex kept;
    testing::readStops(kept);
    ASSERT_EQ(kept.read(bytesOf(index)), 0);
    ASSERT_EQ(bytesOf(kept), bytesOf(index));
    ASSERT_EQ(found(kept, "plan limits"), found(index, "plan limits"));
  }
}

/// What an edit did to the section that is referred to.
enum class Fate { Kept, Renamed, Edited, Deleted };

struct Edited {
  RandomDocument document;
  std::size_t section = 0;  ///< where the one referred to is now
  Fate fate = Fate::Kept;
};

void editOnce(Rng& rng, Edited& at) {
  RandomDocument& document = at.document;
  const std::size_t other = rng.below(static_cast<std::uint32_t>(document.size()));
  switch (rng.below(6)) {
    case 0:
      document.insert(document.begin() + static_cast<std::ptrdiff_t>(other), randomSection(rng));
      if (other <= at.section) ++at.section;
      break;
    case 1:
      document[other].title = testing::randomWords(rng, 2);
      if (other == at.section && at.fate == Fate::Kept) at.fate = Fate::Renamed;
      break;
    case 2: {
      const testing::RandomSection moved = document[at.section];
      document.erase(document.begin() + static_cast<std::ptrdiff_t>(at.section));
      at.section = rng.below(static_cast<std::uint32_t>(document.size()) + 1);
      document.insert(document.begin() + static_cast<std::ptrdiff_t>(at.section), moved);
      break;
    }
    case 3:
      if (other == at.section) break;
      document.erase(document.begin() + static_cast<std::ptrdiff_t>(other));
      if (other < at.section) --at.section;
      break;
    case 4:
      document[other].body += "\nand " + testing::randomWords(rng, 3);
      if (other == at.section) at.fate = Fate::Edited;
      break;
    default:
      document[other].body = testing::randomWords(rng, 20 + rng.below(30));
      if (other == at.section) at.fate = Fate::Deleted;
  }
}

TEST(IndexProperty, ReferencesFindTheirTextOrSayThatTheyDoNot) {
  Rng rng(5);
  std::uint32_t kept = 0, same = 0, wrong = 0, unsaid = 0;
  const std::uint32_t rounds = testing::indexRounds("AETHERFLOW_REFERENCE_EDITS", 1000);
  for (std::uint32_t round = 0; round < rounds; ++round) {
    DocumentIndex index;
    testing::readStops(index);
    Edited at{randomDocument(rng), 0, Fate::Kept};
    at.section = rng.below(static_cast<std::uint32_t>(at.document.size()));
    index.put("a.md", FileKind::Markdown, textOf(at.document), {});
    const FileRecord& before = *index.find("a.md");
    ASSERT_EQ(before.sections.size(), at.document.size());
    const std::string reference = referenceOf(before, static_cast<std::uint32_t>(at.section));
    const std::string mark = markOf(before.sections[at.section]);
    for (std::uint32_t edit = 0, edits = 1 + rng.below(4); edit < edits; ++edit) editOnce(rng, at);
    const std::string text = textOf(at.document);
    index.put("a.md", FileKind::Markdown, text, {});
    const ResolvedReference resolved = resolveReference(index, reference, mark);
    const bool certain = resolved.state == ReferenceState::Same || resolved.state == ReferenceState::Moved;
    const bool there = resolved.state != ReferenceState::Stale && resolved.id.section == at.section;
    if (at.fate == Fate::Kept || at.fate == Fate::Renamed) {
      ++kept;
      same += there && certain;
    }
    // "Same" and "moved" promise the same text; whatever else is pointed at is said to differ.
    if (certain) {
      const OutlineNode& node = index.section(resolved.id).at;
      const std::string own = text.substr(node.body, node.to - node.body);
      unsaid += own.find(at.document[at.section].body) == std::string::npos || at.fate == Fate::Deleted;
    }
    wrong += resolved.state == ReferenceState::Changed && resolved.id.section != at.section;
  }
  RecordProperty("texts kept", static_cast<int>(kept));
  RecordProperty("found again", static_cast<int>(same));
  RecordProperty("changed, another section", static_cast<int>(wrong));
  EXPECT_GE(same, kept * 0.99) << same << " of " << kept;
  EXPECT_EQ(unsaid, 0u);
  EXPECT_LE(wrong, rounds / 100);
}

}  // namespace
}  // namespace aetherflow
