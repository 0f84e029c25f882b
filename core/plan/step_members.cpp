// What the members of a step are called, and which of them name other steps.

#include "core/plan/place.hpp"
#include "core/plan/step_reader.hpp"

namespace aetherflow {

std::string_view kindName(char first) {
  switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    default: return "a number";
  }
}

ErrorCode MemberNames::add(int known, std::string_view name, std::uint32_t most) {
  if (++count_ > most) return ErrorCode::PlanTooLarge;
  if (known < 0) return others_.emplace(name, 0).second ? ErrorCode::None : ErrorCode::PlanDuplicateKey;
  const std::uint32_t bit = 1u << known;
  if ((seen_ & bit) != 0) return ErrorCode::PlanDuplicateKey;
  seen_ |= bit;
  return ErrorCode::None;
}

/// The steps that a rule names are inputs of its own. `json`: an object, or a list of them.
void StepReader::inputs(std::string_view json) {
  JsonCursor cursor(json);
  const bool list = cursor.peek() == '[';
  if (!list && cursor.peek() != '{') return;
  std::string scratch;
  for (bool more = cursor.enter(); more; more = cursor.more()) {
    const bool step = !list && decodeString(cursor.key(), scratch) == "step";
    const char first = cursor.peek();
    const std::string_view value = cursor.value();
    if (list && first == '{') inputs(value);
    if (step && first == '"') inputs_.emplace_back(decodeString(value, scratch));
  }
}

}  // namespace aetherflow
