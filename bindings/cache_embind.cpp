// The boundary of the semantic cache: a module of its own, which hosts load when a cache is opened. The same lanes as
// exports.cpp: texts through input() and output(), numbers through values(), vectors through floats().
//
//   keys    32 hexadecimal digits at the head of input()
//   gone    entries that a call let go: their ids as 32-bit numbers in output(), gone() of them

#include <emscripten/bind.h>

#include <string>

#include "core/base/json_writer.hpp"
#include "core/cache/decision.hpp"
#include "core/cache/lexical.hpp"
#include "core/cache/lru.hpp"
#include "core/cache/pooling.hpp"
#include "core/cache/vectors.hpp"

// Embind's library names a type that was never registered by sprintf("%p"), which alone would bring printf's 5 KB into
// the module. The link sends that call here (see CMakeLists.txt): the error then says "?" in place of a number.
extern "C" int __wrap_siprintf(char* to, const char*, ...) {
  to[0] = '?';
  to[1] = '\0';
  return 1;
}

namespace aetherflow {
namespace {

constexpr std::size_t kKeyDigits = 32;
constexpr std::size_t kValues = 2 * kMaxNeighbours;
constexpr std::size_t kScopeFields = 8;

class CacheSession {
 public:
  std::uintptr_t input(std::size_t bytes) {
    if (in_.size() < bytes) in_.resize(bytes);
    return address(in_.data());
  }
  std::uintptr_t output() const { return address(out_.data()); }
  std::uintptr_t values() const { return address(values_); }
  std::uintptr_t floats(std::size_t count) {
    if (floats_.size() < count) floats_.resize(count);
    return address(floats_.data());
  }

  // Once, before anything else. values(): limits in bytes, entries, bytes of an entry, ms to live. input(): the secret.
  void open(std::size_t dimensions, bool lexical) {
    book_ = CacheBook({static_cast<std::uint64_t>(values_[0]), static_cast<std::uint32_t>(values_[1]),
                       static_cast<std::uint64_t>(values_[2]), static_cast<std::int64_t>(values_[3])});
    index_ = VectorIndex(dimensions);
    lexical_ = lexical;
    secret_ = keyAt(0);
  }
  void words(int language, std::size_t bytes) {
    decider_.lexicon().read(language == 0 ? Language::English : Language::French, text(0, bytes));
  }
  bool model(std::size_t bytes) {
    DecisionModel model;
    if (!readModel(text(0, bytes), model)) return false;
    decider_.use(std::move(model));
    return true;
  }

  // Keys; the result is in output(), 32 digits.
  /// input(): the fields one behind the other, values() their bytes.
  void scopeKey() {
    std::string_view fields[kScopeFields];
    std::size_t from = 0;
    for (std::size_t i = 0; i < kScopeFields; ++i) {
      const auto bytes = static_cast<std::size_t>(values_[i]);
      fields[i] = text(from, bytes);
      from += bytes;
    }
    const CacheScope scope{fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6], fields[7]};
    out_ = aetherflow::scopeKey(scope, secret_).text();
  }
  /// input(): a scope's key, the embedder's name, the checksum of its file.
  void spaceKey(std::size_t nameBytes, std::size_t checksumBytes) {
    const std::string_view name = text(kKeyDigits, nameBytes);
    const std::string_view checksum = text(kKeyDigits + nameBytes, checksumBytes);
    out_ = aetherflow::spaceKey(keyAt(0), name, checksum, secret_).text();
  }
  /// input(): the key of a scope or namespace, then the prompt.
  void requestKey(std::size_t promptBytes) {
    out_ = aetherflow::requestKey(keyAt(0), text(kKeyDigits, promptBytes), secret_).text();
  }

  // The book.
  /// input(): key, scope. values(): bytes, ttl, 1 whole, 1 failed, 1 holds its constraint. Returns the admission;
  /// values()[0]: id.
  int put(double now) {
    Answer answer;
    answer.bytes = static_cast<std::uint64_t>(values_[0]);
    answer.ttlMs = static_cast<std::int64_t>(values_[1]);
    answer.whole = values_[2] != 0;
    answer.failed = values_[3] != 0;
    answer.holdsConstraint = values_[4] != 0;
    answer.empty = values_[5] != 0;
    std::uint32_t id = kNone;
    gone_.clear();
    const Admission admission = book_.put(keyAt(0), keyAt(kKeyDigits), answer, whole(now), id, gone_);
    tellGone();
    values_[0] = told(id);
    return static_cast<int>(admission);
  }
  double find(double now) {
    gone_.clear();
    const std::uint32_t id = book_.find(keyAt(0), whole(now), gone_);
    tellGone();
    return told(id);
  }
  bool alive(double id, double now) const { return book_.alive(number(id), whole(now)); }
  void touch(double id) { book_.touch(number(id)); }
  bool erase(double id) {
    index_.erase(number(id));
    return book_.erase(number(id));
  }
  /// `one`: the scope in input(), else all.
  std::size_t clear(bool one) {
    const CacheKey scope = keyAt(0);
    gone_.clear();
    book_.clear(one ? &scope : nullptr, gone_);
    return tellGone();
  }
  std::size_t expire(double now) {
    gone_.clear();
    book_.expire(whole(now), gone_);
    return tellGone();
  }
  std::size_t gone() const { return gone_.size(); }

  // Vectors, in floats(); their namespace in input().
  int insert(double id) { return -static_cast<int>(index_.insert(keyAt(0), number(id), floats_.data()).code); }
  /// Pairs of id and score in values().
  std::size_t nearest(std::size_t count, double floor) {
    const auto found = index_.nearest(keyAt(0), floats_.data(), count, static_cast<float>(floor));
    for (std::size_t i = 0; i < found.size(); ++i) {
      values_[2 * i] = found[i].id;
      values_[2 * i + 1] = found[i].score;
    }
    return found.size();
  }
  std::size_t vectorBytes() const { return index_.bytes(); }
  /// The built-in embedder: kLexicalDimensions numbers in floats(); false for a text without a word.
  bool lexical(std::size_t bytes) {
    return keepVector(embedLexically(readSentence(decider_.lexicon(), text(0, bytes))));
  }
  /// A model's states, row after row in floats(), become the vector of the text.
  bool pool(std::size_t pieces, std::size_t dimensions) {
    return pieces * dimensions <= floats_.size() && poolMean(floats_.data(), pieces, dimensions);
  }

  // The decision.
  void ask(std::size_t bytes) {
    asked_ = text(0, bytes);
    candidates_.clear();
    prompts_.clear();
  }
  /// The next candidate, best first: its prompt in input(), what labels have taught in values() (mean, variance).
  void candidate(double id, double score, std::size_t bytes) {
    prompts_.emplace_back(text(0, bytes));
    candidates_.push_back({number(id), static_cast<float>(score), {}, {values_[0], values_[1]}});
  }
  /// values(): the share that may be wrong, the floor. output(): section(0) bytes of JSON (what was judged, in order),
  /// then section(1) why exact matches only.
  void decide(int mode, bool insideWindow) {
    DecisionOptions options;
    options.mode = static_cast<CacheMode>(mode);
    options.maxWrongShare = values_[0];
    options.floor = static_cast<float>(values_[1]);
    options.lexical = lexical_;
    options.insideWindow = insideWindow;
    for (std::size_t i = 0; i < candidates_.size(); ++i) candidates_[i].prompt = prompts_[i];
    std::string exactOnly;
    const std::vector<Judged> judged = decider_.decide(asked_, candidates_, options, exactOnly);
    out_.clear();
    JsonWriter json(out_);
    json.beginArray();
    for (const Judged& one : judged) write(json, one);
    json.endArray();
    sections_[0] = out_.size();
    sections_[1] = exactOnly.size();
    out_ += exactOnly;
  }
  std::size_t section(int index) const { return index >= 0 && index < 2 ? sections_[index] : 0; }
  /// values(): mean and variance of the entry, η at which it was judged; then the entry's and the pool's new ones.
  void feedback(bool right) {
    const Belief entry = decider_.feedback({values_[0], values_[1]}, values_[2], right);
    values_[0] = entry.mean;
    values_[1] = entry.variance;
    values_[2] = decider_.pool().mean;
    values_[3] = decider_.pool().variance;
  }
  /// values(): the pool's mean and variance.
  void restorePool() { decider_.restore({values_[0], values_[1]}); }

 private:
  template <class T>
  static std::uintptr_t address(const T* data) {
    return reinterpret_cast<std::uintptr_t>(data);
  }
  static std::uint32_t number(double value) {
    return value >= 0 && value < 4294967295.0 ? static_cast<std::uint32_t>(value) : kNone;
  }
  static double told(std::uint32_t id) { return id == kNone ? -1.0 : static_cast<double>(id); }
  static std::int64_t whole(double value) { return static_cast<std::int64_t>(value); }

  std::string_view text(std::size_t from, std::size_t bytes) const {
    if (from > in_.size() || bytes > in_.size() - from) return {};
    return std::string_view(in_).substr(from, bytes);
  }
  CacheKey keyAt(std::size_t from) const {
    CacheKey key;
    const std::string_view digits = text(from, kKeyDigits);
    if (!readKey(digits, key)) return {};
    return key;
  }
  std::size_t tellGone() {
    out_.assign(reinterpret_cast<const char*>(gone_.data()), gone_.size() * sizeof(std::uint32_t));
    for (const std::uint32_t id : gone_) index_.erase(id);
    return gone_.size();
  }
  bool keepVector(const std::vector<float>& vector) {
    floats(vector.size());
    bool any = false;
    for (std::size_t i = 0; i < vector.size(); ++i) any |= (floats_[i] = vector[i]) != 0;
    return any;
  }
  static void write(JsonWriter& json, const Judged& one) {
    json.beginObject().field("id", static_cast<std::int64_t>(one.id)).field("score", one.score, 6);
    json.field("eta", one.eta, 6).field("probability", one.probability, 6).field("bound", one.bound, 6);
    json.field("needed", one.needed, 6).field("hit", one.hit).field("closed", one.closed);
    json.field("why", std::string_view(one.why)).endObject();
  }

  CacheKey secret_;
  CacheBook book_;
  VectorIndex index_{kLexicalDimensions};
  Decider decider_;
  bool lexical_ = true;
  std::string in_, out_, asked_;
  std::vector<float> floats_;
  std::vector<std::uint32_t> gone_;
  std::vector<std::string> prompts_;
  std::vector<Candidate> candidates_;
  double values_[kValues] = {};
  std::size_t sections_[2] = {0, 0};
};

}  // namespace

EMSCRIPTEN_BINDINGS(aetherflow_cache) {
  using namespace emscripten;
  class_<CacheSession>("CacheSession")
      .constructor<>()
      .function("input", &CacheSession::input)
      .function("output", &CacheSession::output)
      .function("values", &CacheSession::values)
      .function("floats", &CacheSession::floats)
      .function("open", &CacheSession::open)
      .function("words", &CacheSession::words)
      .function("model", &CacheSession::model)
      .function("scopeKey", &CacheSession::scopeKey)
      .function("spaceKey", &CacheSession::spaceKey)
      .function("requestKey", &CacheSession::requestKey)
      .function("put", &CacheSession::put)
      .function("find", &CacheSession::find)
      .function("alive", &CacheSession::alive)
      .function("touch", &CacheSession::touch)
      .function("erase", &CacheSession::erase)
      .function("clear", &CacheSession::clear)
      .function("expire", &CacheSession::expire)
      .function("gone", &CacheSession::gone)
      .function("insert", &CacheSession::insert)
      .function("nearest", &CacheSession::nearest)
      .function("vectorBytes", &CacheSession::vectorBytes)
      .function("lexical", &CacheSession::lexical)
      .function("pool", &CacheSession::pool)
      .function("ask", &CacheSession::ask)
      .function("candidate", &CacheSession::candidate)
      .function("decide", &CacheSession::decide)
      .function("section", &CacheSession::section)
      .function("feedback", &CacheSession::feedback)
      .function("restorePool", &CacheSession::restorePool);
}

}  // namespace aetherflow
