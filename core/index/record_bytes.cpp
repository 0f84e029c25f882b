// Records as bytes. Numbers are written seven bits a byte, low ones first, the eighth bit set where more follow.
//
//   path kind made language hash bytes lines | words of the file, each once | sections, each with its counts
#include <algorithm>

#include "core/index/record.hpp"

namespace aetherflow {
namespace {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
    out_ += static_cast<char>(value);
  }
  void text(std::string_view text) {
    number(text.size());
    out_ += text;
  }
  void hash(const Sha256& hash) { out_.append(reinterpret_cast<const char*>(hash.data()), hash.size()); }

 private:
  std::string& out_;
};

/// After the first fault every value is 0 or empty, and `good` false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    good = false;
    rest_ = {};
    return 0;
  }
  /// At most `most`.
  std::uint32_t number(std::uint64_t most) {
    const std::uint64_t value = number();
    good &= value <= most;
    return good ? static_cast<std::uint32_t>(value) : 0;
  }
  std::string_view text() {
    const std::uint64_t size = number();
    if (size > rest_.size()) good = false;
    const std::string_view found = rest_.substr(0, good ? size : 0);
    rest_.remove_prefix(found.size());
    return found;
  }
  Sha256 hash() {
    Sha256 out{};
    if (rest_.size() < out.size()) {
      good = false;
      rest_ = {};
      return out;
    }
    std::copy_n(rest_.begin(), out.size(), out.begin());
    rest_.remove_prefix(out.size());
    return out;
  }
  std::size_t left() const { return rest_.size(); }

  bool good = true;

 private:
  std::string_view rest_;
};

void writeSection(Writer& out, const SectionRecord& section) {
  const OutlineNode& at = section.at;
  out.number(at.parent == kNoNode ? 0 : at.parent + 1);
  for (const std::uint32_t number : {std::uint32_t{at.level}, at.first, at.last, at.reach, at.from, at.to, at.body})
    out.number(number);
  out.text(at.title);
  out.hash(section.hash);
  out.hash(section.body);
  out.number(section.sketch);
  for (const std::uint32_t number : {section.tokens, section.words, section.titleWords, section.pathWords})
    out.number(number);
}

bool readSection(Reader& in, const FileRecord& file, std::size_t number, SectionRecord& out) {
  OutlineNode& at = out.at;
  const std::uint32_t parent = in.number(number);
  at.parent = parent == 0 ? kNoNode : parent - 1;
  at.level = static_cast<std::uint8_t>(in.number(60));
  at.first = in.number(file.lines);
  at.last = in.number(file.lines);
  at.reach = in.number(file.lines);
  at.from = in.number(file.bytes);
  at.to = in.number(file.bytes);
  at.body = in.number(file.bytes);
  at.title = in.text();
  out.hash = in.hash();
  out.body = in.hash();
  out.sketch = in.number();
  out.tokens = in.number(UINT32_MAX);
  out.words = in.number(UINT32_MAX);
  out.titleWords = in.number(UINT32_MAX);
  out.pathWords = in.number(UINT32_MAX);
  return in.good && at.from <= at.body && at.body <= at.to;
}

}  // namespace

void writeRecord(std::string& bytes, const FileRecord& file, const Vocabulary& words) {
  Writer out(bytes);
  out.text(file.path);
  out.number(static_cast<std::uint64_t>(file.kind));
  out.number(static_cast<std::uint64_t>(file.made));
  out.number(file.language == Language::French ? 1 : 0);
  out.hash(file.hash);
  out.number(file.bytes);
  out.number(file.lines);
  // Numbers of words are the index's own: in the file each word has the number of its first place.
  std::vector<std::uint32_t> local(words.size(), UINT32_MAX), order;
  for (const TermCount& count : file.terms) {
    if (local[count.term] != UINT32_MAX) continue;
    local[count.term] = static_cast<std::uint32_t>(order.size());
    order.push_back(count.term);
  }
  out.number(order.size());
  for (const std::uint32_t term : order) out.text(words.termText(term));
  out.number(file.sections.size());
  for (const SectionRecord& section : file.sections) {
    writeSection(out, section);
    out.number(section.lastTerm - section.firstTerm);
    for (std::uint32_t i = section.firstTerm; i < section.lastTerm; ++i) {
      const TermCount& count = file.terms[i];
      for (const std::uint32_t number :
           {local[count.term], std::uint32_t{count.inText}, std::uint32_t{count.inTitle}, std::uint32_t{count.inPath}})
        out.number(number);
    }
  }
}

bool parseRecord(std::string_view bytes, Vocabulary& words, FileRecord& out) {
  Reader in(bytes);
  out.path = in.text();
  out.kind = static_cast<FileKind>(in.number(3));
  out.made = static_cast<OutlineKind>(in.number(1));
  out.language = in.number(1) != 0 ? Language::French : Language::English;
  out.hash = in.hash();
  out.bytes = in.number(UINT32_MAX);
  out.lines = in.number(UINT32_MAX);
  std::vector<std::uint32_t> terms(in.number(in.left()));
  for (std::uint32_t& term : terms) {
    const std::string_view text = in.text();
    if (!in.good || text.size() < 2) return false;
    term = words.addTerm(text);
  }
  // A section takes more than 64 bytes: no count that the bytes cannot hold is believed.
  out.sections.resize(in.number(in.left() / 64));
  for (std::size_t s = 0; s < out.sections.size(); ++s) {
    SectionRecord& section = out.sections[s];
    if (!readSection(in, out, s, section)) return false;
    section.firstTerm = static_cast<std::uint32_t>(out.terms.size());
    const std::uint32_t count = in.number(in.left() / 4);
    for (std::uint32_t i = 0; i < count && in.good; ++i) {
      const std::uint32_t term = in.number(terms.empty() ? 0 : terms.size() - 1);
      const auto inText = static_cast<std::uint16_t>(in.number(0xffff));
      const auto inTitle = static_cast<std::uint8_t>(in.number(0xff)),
                 inPath = static_cast<std::uint8_t>(in.number(0xff));
      if (!in.good || terms.empty()) return false;
      out.terms.push_back({terms[term], inText, inTitle, inPath});
    }
    section.lastTerm = static_cast<std::uint32_t>(out.terms.size());
  }
  return in.good && in.left() == 0 && !out.sections.empty() && !out.path.empty();
}

}  // namespace aetherflow
