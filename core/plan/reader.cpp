#include "core/plan/reader.hpp"

#include <array>
#include <utility>

#include "core/plan/graph.hpp"
#include "core/plan/place.hpp"

namespace aetherflow {

PlanReader::PlanReader(PlanLimits limits)
    : limits_(limits),
      warnings_(plan_.warnings),
      stepReader_(limits_, warnings_),
      references_(limits_, warnings_),
      scanner_({limits.bytes, limits.depth, limits.stringBytes}) {}

void PlanReader::push(std::string_view bytes) {
  if (ended_) return;
  scanner_.push(bytes, *this);
  noticeScanner();
}

void PlanReader::end() {
  if (ended_) return;
  ended_ = true;
  scanner_.end(*this);
  noticeScanner();
  if (scanner_.status() == ScanStatus::Malformed) {
    error_ = {ErrorCode::JsonMalformed, {}, "byte " + std::to_string(scanner_.offset()) + ": " + scanner_.problem()};
  }
  if (!error_) checkWhole();
}

void PlanReader::noticeScanner() {
  switch (scanner_.status()) {
    case ScanStatus::Malformed:
      return remember(
          {ErrorCode::JsonMalformed, {}, "byte " + std::to_string(scanner_.offset()) + ": " + scanner_.problem()});
    case ScanStatus::TextTooLarge:
      return remember({ErrorCode::PlanTooLarge, place(),
                       "the text is longer than " + std::to_string(limits_.bytes) + " bytes (limit bytes)"});
    case ScanStatus::SpanTooLarge:
      return remember({ErrorCode::PlanTooLarge, place(),
                       "longer than " + std::to_string(limits_.stringBytes) + " bytes (limit stringBytes)"});
    default: return;
  }
}

void PlanReader::remember(Error error) {
  if (error_) return;
  error_ = std::move(error);
  if (error_.code == ErrorCode::PlanTooLarge && scanner_.status() == ScanStatus::Open) scanner_.stop();
}

std::string PlanReader::place() const {
  if (inElement_) return stepPlace(stepCount());
  return inMember_ ? memberPlace_ : std::string();
}

void PlanReader::tooDeep() {
  remember({ErrorCode::PlanTooDeep, place(), moreThan(limits_.depth, " levels (limit depth)")});
}

bool PlanReader::valueBegins(std::uint32_t depth, char first) {
  if (error_) return false;
  if (depth == 0) {
    rootIsObject_ = first == '{';
    if (!rootIsObject_) {
      remember({ErrorCode::PlanNotObject, {}, "the text is " + std::string(kindName(first)) + ", not an object"});
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
    remember({ErrorCode::PlanWrongType, memberPlace_,
              "expected " + std::string(kindName(wanted)) + ", found " + std::string(kindName(first))});
    return false;
  }
  return member_ != kSteps;
}

bool PlanReader::elementBegins(char first) {
  inElement_ = true;
  if (stepCount() >= limits_.steps) {
    remember({ErrorCode::PlanTooLarge, "/steps", moreThan(limits_.steps, " steps (limit steps)")});
  } else if (first != '{') {
    remember({ErrorCode::PlanWrongType, place(), "expected an object, found " + std::string(kindName(first))});
  }
  return !error_;
}

void PlanReader::keyEnds(std::string_view text) {
  static constexpr std::array<std::string_view, kMembers> kNames = {"task_id", "description", "metadata", "steps"};
  if (error_) return;
  const std::string_view name = decodeString(text, scratch_);
  inMember_ = true;
  memberPlace_ = memberPlace(name);
  member_ = -1;
  for (int i = 0; i < kMembers; ++i) {
    if (kNames[static_cast<std::size_t>(i)] == name) member_ = i;
  }
  const ErrorCode code = names_.add(member_, name, limits_.members);
  if (code == ErrorCode::PlanTooLarge) {
    return remember({code, {}, moreThan(limits_.members, " members (limit members)")});
  }
  if (code != ErrorCode::None) return remember({code, memberPlace_, quoted(name, " stands twice")});
  if (member_ < 0) return warnings_.unknownMember("plan", name, memberPlace_);
  has_[member_] = true;
}

void PlanReader::valueEnds(std::uint32_t depth, std::string_view text) {
  if (error_ || depth == 0) return;
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

void PlanReader::addStep(std::string_view json) {
  Step step;
  needs_.clear();
  if (!stepReader_.read(json, stepCount(), step, needs_)) return remember(stepReader_.error());
  plan_.steps.push_back(std::move(step));
  Error error = references_.addLast(plan_, needs_);
  if (error) plan_.steps.pop_back();
  remember(std::move(error));
}

void PlanReader::checkWhole() {
  if (!has_[kSteps]) return remember({ErrorCode::PlanMissing, "/steps", "a plan needs \"steps\""});
  if (plan_.steps.empty()) return remember({ErrorCode::PlanEmpty, "/steps", "there is no step"});
  remember(references_.finish(plan_));
  if (!error_) remember(findCycle(plan_));
  if (!has_[kTaskId]) warnings_.add(ErrorCode::PlanMissing, "/task_id", "the plan has no \"task_id\"");
  if (!has_[kDescription]) warnings_.add(ErrorCode::PlanMissing, "/description", "the plan has no \"description\"");
}

}  // namespace aetherflow
