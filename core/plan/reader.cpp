#include "core/plan/reader.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "core/plan/graph.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/place.hpp"

namespace aetherflow {

const Error PlanReader::kNoError;

PlanReader::PlanReader(PlanLimits limits)
    : limits_(limits),
      warnings_(plan_.warnings),
      stepReader_(limits_, warnings_, problems_),
      references_(limits_, warnings_, problems_),
      scanner_({limits.bytes, limits.depth, limits.stringBytes}) {}

void PlanReader::push(std::string_view bytes) {
  if (ended_) return;
  const std::uint64_t from = scanner_.offset();
  scanner_.push(bytes, *this);
  countLines(bytes.substr(0, static_cast<std::size_t>(scanner_.offset() - from)));
  noticeScanner();
}

void PlanReader::end() {
  if (ended_) return;
  ended_ = true;
  scanner_.end(*this);
  noticeScanner();
  if (scanner_.status() == ScanStatus::Malformed) {
    if (error().code != ErrorCode::JsonMalformed) problems_.lead(ErrorCode::JsonMalformed, malformed());
  } else if (!deaf()) {
    checkWhole();
  }
  dropUnsound();
}

void PlanReader::again() {
  ended_ = rootIsObject_ = inMember_ = inElement_ = false;
  member_ = -1;
  names_ = {};
  has_[kTaskId] = has_[kDescription] = true;
  line_ = column_ = 0;
  scanner_ = JsonScanner({limits_.bytes, limits_.depth, limits_.stringBytes});
  references_.again(plan_);
  stepReader_.readParts();
}

/// Eight bytes at a time, each counted in the top bit of its own: this looks at every byte of a plan.
void PlanReader::countLines(std::string_view bytes) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7full, kBreaks = 0x0a0a0a0a0a0a0a0aull;
  std::uint64_t lines = 0, tails = 0;
  std::size_t at = 0;
  const auto tops = [](std::uint64_t bits) { return ((bits >> 7) * 0x0101010101010101ull) >> 56; };
  const auto add = [&](std::uint64_t word) {
    const std::uint64_t other = word ^ kBreaks;
    lines += tops(~(((other & kLow) + kLow) | other | kLow));
    // The later bytes of a longer character are 10xxxxxx.
    tails += tops(word & ~(word << 1) & ~kLow);
  };
  std::uint64_t word = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::memcpy(&word, bytes.data() + at, 8);
    add(word);
  }
  word = 0;
  if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, bytes.size() - at);
  add(word);
  line_ += lines;
  if (lines == 0) {
    column_ += bytes.size() - tails;
    return;
  }
  bytes.remove_prefix(bytes.rfind('\n') + 1);
  column_ = static_cast<std::uint64_t>(std::count_if(
      bytes.begin(), bytes.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0u) != 0x80u; }));
}

std::string PlanReader::malformed() const {
  return "line " + std::to_string(line_ + 1) + ", column " + std::to_string(column_ + 1) + " (byte " +
         std::to_string(scanner_.offset()) + "): " + scanner_.problem();
}

void PlanReader::noticeScanner() {
  // What was told already may only be led by the end.
  if (deaf() || error().code == ErrorCode::JsonMalformed) return;
  switch (scanner_.status()) {
    case ScanStatus::Malformed:
      if (!problems_.any()) remember(ErrorCode::JsonMalformed, {}, malformed());
      return;
    case ScanStatus::TextTooLarge:
      return remember(ErrorCode::PlanTooLarge, place(),
                      "the text is longer than " + std::to_string(limits_.bytes) + " bytes (limit bytes)");
    case ScanStatus::SpanTooLarge:
      return remember(ErrorCode::PlanTooLarge, place(),
                      "longer than " + std::to_string(limits_.stringBytes) + " bytes (limit stringBytes)");
    default: return;
  }
}

void PlanReader::remember(ErrorCode code, std::string where, std::string detail) {
  if (deaf()) return;
  if (!problems_.any()) sound_ = read();
  problems_.add(code, std::move(where), std::move(detail));
  if (problems_.tooLarge() && scanner_.status() == ScanStatus::Open) scanner_.stop();
}

std::string PlanReader::place() const {
  if (inElement_) return stepPlace(read());
  return inMember_ ? memberPlace_ : std::string();
}

void PlanReader::tooDeep() {
  remember(ErrorCode::PlanTooDeep, place(), moreThan(limits_.depth, " levels (limit depth)"));
}

bool PlanReader::valueBegins(std::uint32_t depth, char first) {
  if (deaf()) return false;
  if (depth == 0) {
    rootIsObject_ = first == '{';
    if (!rootIsObject_) {
      remember(ErrorCode::PlanNotObject, {}, "the text is " + std::string(kindName(first)) + ", not an object");
    }
    return false;
  }
  if (depth == 1) return memberBegins(first);
  return member_ == kSteps && elementBegins(first);
}

bool PlanReader::memberBegins(char first) {
  static constexpr std::array<char, kMembers> kKinds = {'"', '"', '{', '['};
  if (member_ < 0) return false;
  const char wanted = kKinds[static_cast<std::size_t>(member_)];
  if (first != wanted) {
    remember(ErrorCode::PlanWrongType, memberPlace_,
             "expected " + std::string(kindName(wanted)) + ", found " + std::string(kindName(first)));
    member_ = -1;
    return false;
  }
  return member_ != kSteps;
}

bool PlanReader::elementBegins(char first) {
  inElement_ = true;
  if (read() >= limits_.steps) {
    remember(ErrorCode::PlanTooLarge, "/steps", moreThan(limits_.steps, " steps (limit steps)"));
  } else if (first != '{') {
    remember(ErrorCode::PlanWrongType, place(), "expected an object, found " + std::string(kindName(first)));
    return false;
  }
  return !deaf();
}

void PlanReader::keyEnds(std::string_view text) {
  static constexpr std::array<std::string_view, kMembers> kNames = {"task_id", "description", "metadata", "steps"};
  if (deaf() || !rootIsObject_) return;
  const std::string_view name = decodeString(text, scratch_);
  inMember_ = true;
  memberPlace_ = memberPlace(name);
  member_ = -1;
  for (int i = 0; i < kMembers; ++i) {
    if (kNames[static_cast<std::size_t>(i)] == name) member_ = i;
  }
  const ErrorCode code = names_.add(member_, name, limits_.members);
  if (code == ErrorCode::PlanTooLarge) {
    return remember(code, {}, moreThan(limits_.members, " members (limit members)"));
  }
  if (code != ErrorCode::None) {
    member_ = -1;
    return remember(code, memberPlace_, quoted(name, " stands twice"));
  }
  if (member_ >= 0) {
    has_[member_] = true;
    return;
  }
  Nearest nearest(name);
  for (const std::string_view known : kNames) nearest.offer(known);
  warnings_.unknownMember("plan", name, memberPlace_, nearest);
}

void PlanReader::valueEnds(std::uint32_t depth, std::string_view text) {
  if (deaf() || depth == 0) return;
  if (depth == 2) {
    if (member_ == kSteps) addStep(text);
    inElement_ = false;
    return;
  }
  inMember_ = false;
  switch (member_) {
    case kTaskId: plan_.taskId = decodeString(text, scratch_); break;
    case kDescription: plan_.description = decodeString(text, scratch_); break;
    case kMetadata: plan_.metadata = text; break;
    default: break;
  }
}

/// `json` is empty for an element that is no step: it takes its number all the same.
void PlanReader::addStep(std::string_view json) {
  const bool sound = !problems_.any();
  const StepIndex index = read();
  Step step;
  needs_.clear();
  if (!json.empty()) stepReader_.read(json, index, step, needs_);
  plan_.steps.push_back(std::move(step));
  if (!deaf()) references_.addLast(plan_, needs_, stepReader_.inputs(), stepReader_.partOf());
  if (sound && problems_.any()) sound_ = index;
  if (problems_.tooLarge()) scanner_.stop();
}

void PlanReader::checkWhole() {
  if (!rootIsObject_) return;
  const bool sound = !problems_.any();
  if (!has_[kSteps]) {
    problems_.add(ErrorCode::PlanMissing, "/steps", "a plan needs \"steps\"");
  } else if (plan_.steps.empty()) {
    if (sound) problems_.add(ErrorCode::PlanEmpty, "/steps", "there is no step");
  } else {
    references_.finish(plan_);
    if (Error cycle = findCycle(plan_)) problems_.add(cycle.code, std::move(cycle.where), std::move(cycle.detail));
  }
  if (sound) sound_ = read();
  if (!has_[kTaskId]) warnings_.add(ErrorCode::PlanMissing, "/task_id", "the plan has no \"task_id\"");
  if (!has_[kDescription]) warnings_.add(ErrorCode::PlanMissing, "/description", "the plan has no \"description\"");
}

/// Everything after an error is read only for its own problems.
void PlanReader::dropUnsound() {
  if (!problems_.any() || sound_ >= read()) return;
  while (read() > sound_) plan_.steps.pop_back();
  plan_.byId = {};
  for (StepIndex i = 0; i < sound_; ++i) plan_.byId.emplace(plan_.steps[i].id, i);
  for (Step& step : plan_.steps) {
    for (Dependency& edge : step.dependencies) {
      if (edge.step != kNone && edge.step >= sound_) edge.step = kNone;
    }
  }
}

}  // namespace aetherflow
