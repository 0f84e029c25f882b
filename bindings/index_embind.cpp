// The boundary of the document index: a module of its own, which hosts load when an index is opened. Texts come in
// through input(), one behind the other, and go out through output(), size() bytes, as JSON unless it says otherwise;
// cosines come in through floats().

#include <emscripten/bind.h>

#include <string>

#include "core/base/json_writer.hpp"
#include "core/index/document_index.hpp"
#include "core/index/excerpt.hpp"
#include "core/index/ngrams.hpp"
#include "core/index/reference.hpp"

// See cache_embind.cpp.
extern "C" int __wrap_siprintf(char* to, const char*, ...) {
  to[0] = '?';
  to[1] = '\0';
  return 1;
}

namespace aetherflow {
namespace {

constexpr const char* kKinds[] = {"text", "markdown", "json", "code"};
constexpr const char* kStates[] = {"same", "moved", "changed", "named", "stale"};

class IndexSession {
 public:
  std::uintptr_t input(std::size_t bytes) {
    // What held a file of 50 MB does not stay that large.
    if (in_.size() > kLargeInput && bytes < kLargeInput) {
      in_.clear();
      in_.shrink_to_fit();
    }
    if (in_.size() < bytes) in_.resize(bytes);
    return reinterpret_cast<std::uintptr_t>(in_.data());
  }
  std::uintptr_t output() const { return reinterpret_cast<std::uintptr_t>(out_.data()); }
  std::size_t size() const { return out_.size(); }
  std::uintptr_t floats(std::size_t count) {
    floats_.assign(count, 0);
    return reinterpret_cast<std::uintptr_t>(floats_.data());
  }

  /// Once for each language, before anything else.
  void words(int language, std::size_t bytes) {
    index_.vocabulary().readStops(language == 0 ? Language::English : Language::French, text(0, bytes));
  }
  void rank(double k1, double b, double title, double path) { index_.settings = {k1, b, title, path}; }

  /// input(): path, text, outline that a parser gave. `kind`: a FileKind, or -1: by the path.
  bool put(std::size_t path, std::size_t bytes, std::size_t given, int kind) {
    const std::string_view name = text(0, path);
    const FileKind of = kind < 0 ? fileKindOf(name) : static_cast<FileKind>(kind);
    return index_.put(name, of, text(path, bytes), text(path + bytes, given));
  }
  /// Whether put would do nothing.
  bool same(std::size_t path, std::size_t bytes, std::size_t given) const {
    const FileRecord* file = index_.find(text(0, path));
    return file != nullptr && file->hash == fileHash(text(path, bytes), text(path + bytes, given));
  }
  bool remove(std::size_t path) { return index_.remove(text(0, path)); }
  std::size_t sections() const { return index_.sections(); }
  std::size_t memory() const { return index_.memory(); }

  void files() {
    JsonWriter json = begin();
    json.beginArray();
    for (const FileRecord& file : index_.files()) {
      json.beginObject().field("path", std::string_view(file.path));
      json.field("kind", kKinds[static_cast<int>(file.kind)]).field("guessed", file.made == OutlineKind::Guessed);
      json.field("french", file.language == Language::French).field("bytes", std::int64_t{file.bytes});
      json.field("lines", std::int64_t{file.lines});
      json.field("sections", static_cast<std::int64_t>(file.sections.size())).endObject();
    }
    json.endArray();
  }
  /// The sections of a file; null without it.
  void outline(std::size_t path) {
    JsonWriter json = begin();
    const FileRecord* file = index_.find(text(0, path));
    if (file == nullptr) {
      json.null();
      return;
    }
    const auto number = static_cast<std::uint32_t>(file - index_.files().data());
    json.beginArray();
    for (std::uint32_t s = 0; s < file->sections.size(); ++s) write(json, {number, s}, nullptr);
    json.endArray();
  }
  /// input(): question, paths. `dense`: floats() holds a cosine for each section.
  void search(std::size_t question, std::size_t paths, std::size_t count, bool dense) {
    hits_ = index_.search(text(0, question), count, text(question, paths), dense ? floats_ : std::vector<float>());
    JsonWriter json = begin();
    json.beginArray();
    for (const SectionHit& hit : hits_) write(json, hit.id, &hit);
    json.endArray();
  }
  /// Of what the last search found.
  void excerpts(std::size_t budget) {
    const auto found = excerptsFor(index_, hits_, static_cast<std::uint32_t>(budget));
    JsonWriter json = begin();
    json.beginArray();
    for (const Excerpt& excerpt : found) {
      SectionHit hit;
      hit.score = excerpt.score;
      hit.number = index_.numberOf(excerpt.id);
      json.beginObject().field("whole", excerpt.whole).field("take", std::int64_t{excerpt.tokens}).key("section");
      write(json, excerpt.id, &hit);
      json.endObject();
    }
    json.endArray();
  }
  /// input(): text, question. Pairs of first and last line.
  void lines(std::size_t bytes, std::size_t question, std::size_t budget) {
    const auto kept = linesToKeep(index_, text(0, bytes), text(bytes, question), static_cast<std::uint32_t>(budget));
    JsonWriter json = begin();
    json.beginArray();
    for (const LineRange& range : kept) json.integer(range.first).integer(range.last);
    json.endArray();
  }
  /// input(): reference, mark.
  void resolve(std::size_t reference, std::size_t mark) {
    const auto found = resolveReference(index_, text(0, reference), text(reference, mark));
    JsonWriter json = begin();
    json.beginObject().field("state", kStates[static_cast<int>(found.state)]);
    if (found.state != ReferenceState::Stale) {
      json.key("section");
      write(json, found.id, nullptr);
    }
    json.endObject();
  }
  /// The index as bytes in output(), no JSON.
  void save() {
    out_.clear();
    index_.write(out_);
  }
  int load(std::size_t bytes) { return index_.read(text(0, bytes)); }

  /// input(): n-grams, a line each.
  void grams(std::size_t bytes, int strategy, std::size_t most) {
    const GramChoice choice = chooseGrams(text(0, bytes), static_cast<GramStrategy>(strategy), most);
    JsonWriter json = begin();
    json.beginObject().key("kept").beginArray();
    for (const std::uint32_t gram : choice.kept) json.integer(gram);
    json.endArray().key("dropped").beginArray();
    for (const GramChoice::Dropped& one : choice.dropped)
      json.integer(one.gram).integer(one.by == UINT32_MAX ? -1 : static_cast<std::int64_t>(one.by));
    json.endArray().endObject();
  }

 private:
  static constexpr std::size_t kLargeInput = 8u << 20;

  std::string_view text(std::size_t from, std::size_t bytes) const {
    if (from > in_.size() || bytes > in_.size() - from) return {};
    return std::string_view(in_).substr(from, bytes);
  }
  JsonWriter begin() {
    out_.clear();
    return JsonWriter(out_);
  }
  void write(JsonWriter& json, SectionId id, const SectionHit* hit) {
    const FileRecord& file = index_.files()[id.file];
    const SectionRecord& section = file.sections[id.section];
    const OutlineNode& at = section.at;
    json.beginObject().field("path", std::string_view(file.path));
    json.field("titles", std::string_view(headingPath(file, id.section)));
    json.field("reference", std::string_view(referenceOf(file, id.section)));
    json.field("mark", std::string_view(markOf(section))).field("hash", std::string_view(hexOf(section.hash)));
    json.field("number", std::int64_t{index_.numberOf(id)}).field("level", std::int64_t{at.level});
    json.field("first", std::int64_t{at.first} + 1).field("last", std::int64_t{at.last} + 1);
    json.field("from", std::int64_t{at.from}).field("to", std::int64_t{at.to});
    json.field("tokens", std::int64_t{section.tokens});
    if (hit != nullptr) {
      json.field("score", double{hit->score}, 6).field("lexical", double{hit->lexical}, 6);
      json.field("dense", double{hit->dense}, 6).field("covered", double{hit->covered}, 6);
    }
    json.endObject();
  }

  DocumentIndex index_;
  std::string in_, out_;
  std::vector<float> floats_;
  std::vector<SectionHit> hits_;
};

}  // namespace

EMSCRIPTEN_BINDINGS(aetherflow_index) {
  using namespace emscripten;
  class_<IndexSession>("IndexSession")
      .constructor<>()
      .function("input", &IndexSession::input)
      .function("output", &IndexSession::output)
      .function("size", &IndexSession::size)
      .function("floats", &IndexSession::floats)
      .function("words", &IndexSession::words)
      .function("rank", &IndexSession::rank)
      .function("put", &IndexSession::put)
      .function("same", &IndexSession::same)
      .function("remove", &IndexSession::remove)
      .function("sections", &IndexSession::sections)
      .function("memory", &IndexSession::memory)
      .function("files", &IndexSession::files)
      .function("outline", &IndexSession::outline)
      .function("search", &IndexSession::search)
      .function("excerpts", &IndexSession::excerpts)
      .function("lines", &IndexSession::lines)
      .function("resolve", &IndexSession::resolve)
      .function("save", &IndexSession::save)
      .function("load", &IndexSession::load)
      .function("grams", &IndexSession::grams);
}

}  // namespace aetherflow
