// The index under arbitrary bytes: as Markdown, program and JSON, with an outline of strangers, as a kept index, as a reference.
// Sections must cover the file without a gap, and what is written must be read again to the same bytes.
#include <cstdlib>
#include <string>

#include "core/index/reference.hpp"

namespace {

using namespace aetherflow;

void require(bool holds) {
  if (!holds) std::abort();
}

void readFile(const char* path, std::string_view text, std::string_view given) {
  DocumentIndex index;
  index.vocabulary().readStops(Language::English, "the of a is");
  index.put(path, fileKindOf(path), text, given);
  const FileRecord& file = index.files()[0];
  std::uint32_t at = 0;
  for (const SectionRecord& section : file.sections) {
    // Blank lines in front of the first heading belong to nobody.
    require(section.at.from == at || (&section == &file.sections[0] && section.at.level > 0));
    require(section.at.from <= section.at.body && section.at.body <= section.at.to);
    at = section.at.to;
  }
  require(at == text.size());
  index.search(text.substr(0, 200), 5);
  for (std::uint32_t s = 0; s < file.sections.size(); ++s) {
    const auto found = resolveReference(index, referenceOf(file, s), markOf(file.sections[s]));
    require(found.state == ReferenceState::Same || found.state == ReferenceState::Moved);
    if (s > 20) break;
  }
  std::string bytes, again;
  index.write(bytes);
  DocumentIndex kept;
  require(kept.read(bytes) == 0);
  kept.write(again);
  require(bytes == again);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const char* path : {"a.md", "a.py", "a.json", "a.txt"}) readFile(path, text, {});
  readFile("a.ts", text.substr(size / 2), text.substr(0, size / 2));
  DocumentIndex index;
  index.read(text);
  index.search("a b c", 3);
  resolveReference(index, text, text);
  return 0;
}
