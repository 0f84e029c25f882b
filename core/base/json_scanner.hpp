#pragma once
// Validates JSON text byte by byte as it arrives, and cuts out the few values that its listener asks for.

#include <cstdint>
#include <string>
#include <string_view>

namespace aetherflow {

/// Told where the outer values begin and end. Depth counts the open containers around a value: the document's own value
/// has depth 0, a member of it 1, an element of a member's array 2. Nothing deeper is reported. As it stands it wants nothing.
class ScanListener {
 public:
  /// `first` is the value's first byte, which tells its kind. True: hand over its whole text when it ends.
  virtual bool valueBegins([[maybe_unused]] std::uint32_t depth, [[maybe_unused]] char first) { return false; }
  /// `text` is empty unless it was asked for; borrowed until the call returns.
  virtual void valueEnds([[maybe_unused]] std::uint32_t depth, [[maybe_unused]] std::string_view text) {}
  /// A key of the document's own object, as written, with its quotes; borrowed until the call returns.
  virtual void keyEnds([[maybe_unused]] std::string_view text) {}
  /// A container opened deeper than the limit. Validation goes on, but the text asked for is no longer kept.
  virtual void tooDeep() {}

 protected:
  ~ScanListener() = default;
};

struct ScanLimits {
  std::uint64_t bytes;      ///< whole text
  std::uint32_t depth;      ///< containers open at once before tooDeep()
  std::uint32_t spanBytes;  ///< any one value passed in, any one string, as written
};

enum class ScanStatus : std::uint8_t {
  Open,          ///< more may follow
  Whole,         ///< end() found one well-formed value
  Malformed,     ///< not JSON: see offset() and problem()
  TextTooLarge,  ///< `bytes` exceeded
  SpanTooLarge,  ///< `spanBytes` exceeded
  TooDeep,       ///< nested deeper than is worth validating
  Stopped,       ///< by stop()
};

/// A push automaton for RFC 8259: one byte decides one transition, so the result never depends on the cuts.
///
///      Value ──▶ String │ Number │ Literal ──▶ After ──▶ End
///        │ ▲                                    ▲ │
///   { [  │ │ : ,                            } ] │ │ ,
///        ▼ │                                    │ ▼
///      Key ──▶ String ──▶ Colon ──▶ Value ──────┘ Key │ Value
///
/// Linear in the bytes; memory is one value asked for plus one byte for each open container.
/// Stricter than the grammar in one point: escaped surrogates must come in pairs. A byte order mark at the start is skipped.
class JsonScanner {
 public:
  explicit JsonScanner(ScanLimits limits) : limits_(limits), limitAt_(limits.bytes) {}

  /// Does nothing once the status is no longer Open. `bytes` is borrowed for the call.
  void push(std::string_view bytes, ScanListener& listener);
  void end(ScanListener& listener);
  /// For the listener: read no further.
  void stop() { status_ = ScanStatus::Stopped; }

  ScanStatus status() const { return status_; }
  /// Bytes read; after a failure the position of the byte that cannot stand there.
  std::uint64_t offset() const { return offset_; }
  /// What was expected, after Malformed; static storage.
  const char* problem() const { return problem_; }

 private:
  enum class State : std::uint8_t {
    Start,
    Mark2,
    Mark3,  // the byte order mark
    Value,
    FirstElement,
    FirstKey,
    Key,
    Colon,
    After,
    End,  // between tokens
    String,
    Escape,
    Hex,
    LowBackslash,
    LowU,
    Tail,  // inside a string
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Literal,
  };

  const char* betweenTokens(const char* at, ScanListener& listener);
  const char* beginValue(const char* at, ScanListener& listener);
  const char* beginString(const char* at, bool key);
  const char* beginLiteral(const char* at, const char* word);
  const char* open(const char* at);
  const char* close(const char* at, ScanListener& listener);
  const char* inString(const char* at, ScanListener& listener);
  const char* inEscape(const char* at);
  const char* inHex(const char* at);
  const char* beginTail(const char* at);
  const char* inTail(const char* at);
  const char* closeString(const char* at, ScanListener& listener);
  const char* inNumber(const char* at, ScanListener& listener);
  const char* inLiteral(const char* at, ScanListener& listener);
  void finishValue(const char* at, ScanListener& listener);
  const char* fail(const char* at, const char* problem);

  bool insideObject() const { return !stack_.empty() && stack_.back() == '{'; }
  std::uint32_t depth() const { return static_cast<std::uint32_t>(stack_.size()); }
  std::uint64_t offsetOf(const char* at) const { return offset_ + static_cast<std::uint64_t>(at - chunk_); }
  void beginSpan(const char* at);
  void endSpan();
  std::string_view takeSpan(const char* at);
  void setFence();

  ScanLimits limits_;
  ScanStatus status_ = ScanStatus::Open;
  State state_ = State::Start;
  const char* problem_ = "";
  std::uint64_t offset_ = 0;  ///< of the chunk's first byte while one is read
  std::string stack_;         ///< the open brackets

  // The chunk. No byte at or past the fence is read: it is the chunk's end, or where a limit ends first.
  const char* chunk_ = nullptr;
  const char* chunkEnd_ = nullptr;
  const char* fence_ = nullptr;
  std::uint64_t limitAt_;

  // The value asked for: its bytes of earlier chunks, and where it goes on in this one.
  bool keeping_ = false;
  std::uint32_t keptDepth_ = 0;
  const char* keepFrom_ = nullptr;
  std::string kept_;

  bool inKey_ = false;
  bool ownFence_ = false;     ///< the string outside any kept value has set the limit
  bool lowExpected_ = false;  ///< a high surrogate waits for its second half
  std::uint8_t hexDigits_ = 0;
  std::uint16_t hex_ = 0;
  std::uint8_t tailBytes_ = 0;  ///< bytes of a UTF-8 sequence still to come, the next one within these bounds
  std::uint8_t tailLow_ = 0;
  std::uint8_t tailHigh_ = 0;
  const char* literal_ = "";  ///< rest of true, false or null
};

}  // namespace aetherflow
