#pragma once
// The prompt being assembled: the host hands over, one by one, the texts that the core does not keep.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plan/plan.hpp"
#include "core/prompt/assemble.hpp"
#include "core/run/prefixes.hpp"

namespace aetherflow {

class PromptDesk {
 public:
  /// Starts a new prompt. `level`: how strictly the provider enforces the output.
  void begin(StepIndex step, PromptRole role, ConstraintLevel level, PromptLayout layout);
  /// Without a path: what was found in the documents.
  void file(std::string_view path, std::string_view text) {
    if (path.empty())
      documents_ = text;
    else
      files_.emplace_back(path, text);
  }
  void dependency(StepIndex step, std::string_view text) { dependencies_.emplace_back(step, text); }
  void answer(std::string_view answer, std::string_view issues) {
    answer_ = answer;
    issues_ = issues;
  }
  ConstraintLevel level() const { return level_; }
  /// The prompt from the texts so far; empty when none was begun. Borrowed until the next call.
  const Prompt& end(const Plan& plan, const Prefixes& prefixes, bool strip);

 private:
  StepIndex step_ = kNone;
  PromptRole role_ = PromptRole::Work;
  ConstraintLevel level_ = ConstraintLevel::Instruct;
  PromptLayout layout_ = PromptLayout::Own;
  std::vector<std::pair<std::string, std::string>> files_;
  std::vector<std::pair<StepIndex, std::string>> dependencies_;
  std::string documents_, answer_, issues_;
  StripMemory stripped_;
  Prompt prompt_;
};

}  // namespace aetherflow
