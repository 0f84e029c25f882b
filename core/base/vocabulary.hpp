#pragma once
// The enumerations of vocabulary.def. Numbers cross the boundary, names appear in documents.

#include <cstdint>
#include <string_view>

namespace aetherflow {

#define ENUM2(name, text) name,
#define ENUM3(name, text, words) name,

enum class EventKind : std::uint8_t {
#define EVENT ENUM2
#include "core/base/vocabulary.def"
};
enum class CommandKind : std::uint8_t {
#define COMMAND ENUM2
#include "core/base/vocabulary.def"
};
/// Slots of a command's record: `DeliverOrigin` is the slot of `deliver`'s field `origin`. Kind is the command's.
enum class CommandField : std::uint8_t {
  Kind = 0,
  Step = 1,
  Call = 2,
  Provider = 3,
  Model = 4,
  Reason = 5,
#define COMMAND_FIELD(command, name, text, slot, type) command##name = slot,
#include "core/base/vocabulary.def"
  Count = 21
};
enum class Purpose : std::uint8_t {
#define PURPOSE ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class FailureKind : std::uint8_t {
#define FAILURE ENUM3
#include "core/base/vocabulary.def"
  Count
};
enum class FinishReason : std::uint8_t {
#define FINISH ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class CheckVerdict : std::uint8_t {
#define CHECK ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Reason : std::uint8_t {
#define REASON ENUM3
#include "core/base/reason.def"
  Count
};
enum class Outcome : std::uint8_t {
#define OUTCOME ENUM2
#include "core/base/vocabulary.def"
};
enum class Window : std::uint8_t {
#define WINDOW ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Interrupt : std::uint8_t {
#define INTERRUPT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class CacheUse : std::uint8_t {
#define CACHE ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class DraftUse : std::uint8_t {
#define DRAFT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Found : std::uint8_t {
#define FOUND ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Document : std::uint8_t {
#define DOCUMENT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Origin : std::uint8_t {
#define ORIGIN ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class StepState : std::uint8_t {
#define STEP_STATE ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Verdict : std::uint8_t {
#define VERDICT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class AuditState : std::uint8_t {
#define AUDIT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class ConstraintLevel : std::uint8_t {
#define LEVEL ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class OutputKind : std::uint8_t {
#define OUTPUT ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Admission : std::uint8_t {
#define ADMISSION ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class Refusal : std::uint8_t {
#define REFUSAL ENUM2
#include "core/base/vocabulary.def"
  Count
};
enum class BreakerState : std::uint8_t {
#define BREAKER ENUM2
#include "core/base/vocabulary.def"
  Count
};

#undef ENUM2
#undef ENUM3

/// Most numbers of one signal.
inline constexpr int kSignalValues = 12;
inline constexpr int kWindows = static_cast<int>(Window::Count);
inline constexpr int kPurposes = static_cast<int>(Purpose::Count);
inline constexpr int kStepStates = static_cast<int>(StepState::Count);

/// Names as they appear in documents and events; static storage.
std::string_view name(CommandKind kind);
std::string_view name(Purpose purpose);
std::string_view name(FailureKind kind);
std::string_view name(FinishReason reason);
std::string_view name(CheckVerdict verdict);
std::string_view name(Reason reason);
std::string_view name(Outcome outcome);
std::string_view name(Window window);
std::string_view name(Interrupt interrupt);
/// "restart", "continue", "fail"; Count for any other text.
Interrupt interruptOf(std::string_view text);
std::string_view name(CacheUse use);
std::string_view name(Found found);
std::string_view name(Origin origin);
std::string_view name(StepState state);
std::string_view name(Verdict verdict);
std::string_view name(AuditState audit);
std::string_view name(ConstraintLevel level);
std::string_view name(OutputKind kind);
std::string_view name(Refusal refusal);
std::string_view name(Admission admission);
std::string_view name(BreakerState state);
/// "off", "exact", "semantic"; Count for any other text.
CacheUse cacheUseOf(std::string_view text);
std::string_view name(DraftUse use);
/// "off", "auto", "always"; Count for any other text.
DraftUse draftUseOf(std::string_view text);
/// The sentence for people.
std::string_view words(FailureKind kind);
std::string_view words(Reason reason);

/// True for the verdicts with which an answer may be delivered.
constexpr bool accepted(CheckVerdict verdict) {
  return verdict == CheckVerdict::Passed || verdict == CheckVerdict::Extracted;
}

}  // namespace aetherflow
