#include "core/base/vocabulary.hpp"

#include <iterator>

namespace aetherflow {
namespace {

#define TEXT2(name, text) text,
#define TEXT3(name, text, words) text,
#define WORDS3(name, text, words) words,

constexpr std::string_view kCommands[] = {
#define COMMAND TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kPurposeNames[] = {
#define PURPOSE TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kFailures[] = {
#define FAILURE TEXT3
#include "core/base/vocabulary.def"
};
constexpr std::string_view kFailureWords[] = {
#define FAILURE WORDS3
#include "core/base/vocabulary.def"
};
constexpr std::string_view kFinishes[] = {
#define FINISH TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kChecks[] = {
#define CHECK TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kReasons[] = {
#define REASON TEXT3
#include "core/base/reason.def"
};
constexpr std::string_view kReasonWords[] = {
#define REASON WORDS3
#include "core/base/reason.def"
};
constexpr std::string_view kOutcomes[] = {
#define OUTCOME TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kWindowNames[] = {
#define WINDOW TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kCacheUses[] = {
#define CACHE TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kDraftUses[] = {
#define DRAFT TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kFound[] = {
#define FOUND TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kInterrupts[] = {
#define INTERRUPT TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kOrigins[] = {
#define ORIGIN TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kStates[] = {
#define STEP_STATE TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kVerdicts[] = {
#define VERDICT TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kAudits[] = {
#define AUDIT TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kLevels[] = {
#define LEVEL TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kOutputs[] = {
#define OUTPUT TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kRefusals[] = {
#define REFUSAL TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kAdmissions[] = {
#define ADMISSION TEXT2
#include "core/base/vocabulary.def"
};
constexpr std::string_view kBreakers[] = {
#define BREAKER TEXT2
#include "core/base/vocabulary.def"
};

std::string_view at(const std::string_view* list, std::size_t size, std::size_t index) {
  return index < size ? list[index] : std::string_view("unknown");
}

/// `size` where it is none of the list.
std::size_t find(const std::string_view* list, std::size_t size, std::string_view text) {
  std::size_t i = 0;
  while (i < size && list[i] != text) ++i;
  return i;
}

template <std::size_t N, class E>
std::string_view at(const std::string_view (&list)[N], E value) {
  return at(list, N, static_cast<std::size_t>(value));
}

}  // namespace

std::string_view name(CommandKind kind) {
  return at(kCommands, kind);
}
std::string_view name(Purpose purpose) {
  return at(kPurposeNames, purpose);
}
std::string_view name(FailureKind kind) {
  return at(kFailures, kind);
}
std::string_view name(FinishReason reason) {
  return at(kFinishes, reason);
}
std::string_view name(CheckVerdict verdict) {
  return at(kChecks, verdict);
}
std::string_view name(Reason reason) {
  return at(kReasons, reason);
}
std::string_view name(Outcome outcome) {
  return at(kOutcomes, outcome);
}
std::string_view name(Window window) {
  return at(kWindowNames, window);
}
std::string_view name(Interrupt interrupt) {
  return at(kInterrupts, interrupt);
}
Interrupt interruptOf(std::string_view text) {
  return static_cast<Interrupt>(find(kInterrupts, std::size(kInterrupts), text));
}
std::string_view name(CacheUse use) {
  return at(kCacheUses, use);
}
std::string_view name(Found found) {
  return at(kFound, found);
}
std::string_view name(Origin origin) {
  return at(kOrigins, origin);
}
std::string_view name(StepState state) {
  return at(kStates, state);
}
std::string_view name(Verdict verdict) {
  return at(kVerdicts, verdict);
}
std::string_view name(AuditState audit) {
  return at(kAudits, audit);
}
std::string_view name(ConstraintLevel level) {
  return at(kLevels, level);
}
std::string_view name(OutputKind kind) {
  return at(kOutputs, kind);
}
std::string_view name(Admission admission) {
  return at(kAdmissions, admission);
}
std::string_view name(Refusal refusal) {
  return at(kRefusals, refusal);
}
std::string_view name(BreakerState state) {
  return at(kBreakers, state);
}
CacheUse cacheUseOf(std::string_view text) {
  return static_cast<CacheUse>(find(kCacheUses, std::size(kCacheUses), text));
}
std::string_view name(DraftUse use) {
  return at(kDraftUses, use);
}
DraftUse draftUseOf(std::string_view text) {
  return static_cast<DraftUse>(find(kDraftUses, std::size(kDraftUses), text));
}
std::string_view words(FailureKind kind) {
  return at(kFailureWords, kind);
}
std::string_view words(Reason reason) {
  return at(kReasonWords, reason);
}

}  // namespace aetherflow
