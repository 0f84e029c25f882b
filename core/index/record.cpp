#include "core/index/record.hpp"

#include <algorithm>
#include <bit>

#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// FNV-1a over 64 bits: which bits of a sketch a word pulls up or down.
std::uint64_t spreadOf(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  // The low bits of FNV depend on few of the input's.
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93u;
  return hash ^ hash >> 32;
}

/// Simhash (Charikar 2002): of each bit, whether more of the words have it set.
std::uint64_t sketchOf(const FileRecord& file, const SectionRecord& section, const Vocabulary& words) {
  std::int32_t sums[64] = {};
  for (std::uint32_t i = section.firstTerm; i < section.lastTerm; ++i) {
    const TermCount& count = file.terms[i];
    if (count.inText == 0) continue;
    const std::uint64_t spread = spreadOf(words.termText(count.term));
    const std::int32_t weight = std::min<std::int32_t>(count.inText, 4);
    for (int bit = 0; bit < 64; ++bit) sums[bit] += (spread >> bit & 1) != 0 ? weight : -weight;
  }
  std::uint64_t sketch = 0;
  for (int bit = 0; bit < 64; ++bit) sketch |= static_cast<std::uint64_t>(sums[bit] > 0) << bit;
  return sketch;
}

/// Counts the words of one section after the other.
class Counter {
 public:
  Counter(Vocabulary& words, FileRecord& file) : words_(words), file_(file) {}

  void begin(SectionRecord& section) {
    section.firstTerm = section.lastTerm = static_cast<std::uint32_t>(file_.terms.size());
    first_ = section.firstTerm;
  }
  /// `field`: 0 text, 1 title, 2 path. The words that count.
  std::uint32_t add(std::string_view text, int field) {
    std::uint32_t counted = 0;
    WordSplitter splitter(text);
    for (std::string_view word; splitter.next(word);) {
      const std::uint32_t term = words_.termOf(file_.language, word);
      if (term == Vocabulary::kStop) continue;
      ++counted;
      TermCount& count = countOf(term);
      if (field == 0) count.inText = static_cast<std::uint16_t>(std::min(count.inText + 1, 0xffff));
      if (field == 1) count.inTitle = static_cast<std::uint8_t>(std::min(count.inTitle + 1, 0xff));
      if (field == 2) count.inPath = static_cast<std::uint8_t>(std::min(count.inPath + 1, 0xff));
    }
    return counted;
  }
  void end(SectionRecord& section) { section.lastTerm = static_cast<std::uint32_t>(file_.terms.size()); }

 private:
  TermCount& countOf(std::uint32_t term) {
    if (term >= places_.size()) places_.resize(std::max<std::size_t>(term + 1, 2 * places_.size()), 0);
    // Of an earlier section, or of none: that place is not this section's.
    std::uint32_t& place = places_[term];
    if (place < first_ || place >= file_.terms.size() || file_.terms[place].term != term) {
      place = static_cast<std::uint32_t>(file_.terms.size());
      file_.terms.push_back({term, 0, 0, 0});
    }
    return file_.terms[place];
  }

  Vocabulary& words_;
  FileRecord& file_;
  std::uint32_t first_ = 0;
  std::vector<std::uint32_t> places_;
};

}  // namespace

Sha256 fileHash(std::string_view text, std::string_view given) {
  const Sha256 own = sha256(text);
  if (given.empty()) return own;
  std::string both(reinterpret_cast<const char*>(own.data()), own.size());
  both += given;
  return sha256(both);
}

FileRecord readRecord(Vocabulary& words, std::string_view path, FileKind kind, std::string_view text,
                      std::string_view given) {
  FileRecord file;
  file.path = path;
  file.hash = fileHash(text, given);
  file.bytes = static_cast<std::uint32_t>(text.size());
  file.language = words.languageOf(text);
  Outline outline = outlineOf(kind, text, given);
  file.kind = outline.kind;
  file.made = outline.made;
  file.lines = outline.lines;
  file.sections.resize(outline.nodes.size());
  Counter counter(words, file);
  for (std::size_t i = 0; i < outline.nodes.size(); ++i) {
    SectionRecord& section = file.sections[i];
    section.at = std::move(outline.nodes[i]);
    const OutlineNode& at = section.at;
    const std::string_view own = text.substr(at.from, at.to - at.from), body = text.substr(at.body, at.to - at.body);
    section.hash = sha256(own);
    section.body = at.body == at.from ? section.hash : sha256(body);
    section.tokens = estimateTokens(own);
    counter.begin(section);
    section.words = counter.add(own, 0);
    section.titleWords = counter.add(at.title, 1);
    section.pathWords = counter.add(path, 2);
    for (std::uint32_t above = at.parent; above != kNoNode; above = file.sections[above].at.parent)
      section.pathWords += counter.add(file.sections[above].at.title, 2);
    counter.end(section);
    section.sketch = sketchOf(file, section, words);
  }
  return file;
}

std::string headingPath(const FileRecord& file, std::uint32_t section) {
  std::string out = file.sections[section].at.title;
  for (std::uint32_t above = file.sections[section].at.parent; above != kNoNode; above = file.sections[above].at.parent)
    out = file.sections[above].at.title + " › " + out;
  return out;
}

std::uint32_t sketchDistance(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint32_t>(std::popcount(a ^ b));
}

}  // namespace aetherflow
