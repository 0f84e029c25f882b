#pragma once
// From a step and the texts around it to the prompt of one call.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/vocabulary.hpp"
#include "core/plan/plan.hpp"
#include "core/prompt/role.hpp"
#include "core/prompt/strip.hpp"

namespace aetherflow {

/// A file by its path, or the output of a step by its id.
struct NamedText {
  std::string_view name;
  std::string_view text;
};

/// Borrowed until assemble() returns. `step` must be set.
struct PromptParts {
  const Step* step = nullptr;
  std::string_view planDescription;
  std::vector<NamedText> files;         ///< in the order of the step's `files`
  std::vector<NamedText> dependencies;  ///< in the order of the step's dependencies; absent = it gave no output
  std::string_view documents;           ///< found for the step; goes in as it is
  PromptRole role = PromptRole::Work;
  std::string_view answer;  ///< Judge: the answer to judge. Repair: the first answer
  std::string_view issues;  ///< Repair: what was wrong with it
  ConstraintLevel level = ConstraintLevel::Instruct;
  bool strip = true;  ///< strip the plan's and the step's own words, minify JSON files
};

struct Prompt {
  std::string system;
  std::string user;
  std::uint32_t tokensEstimated = 0;        ///< of system and user together
  std::uint32_t tokensBeforeStripping = 0;  ///< never less than tokensEstimated
  std::vector<Removal> removals;            ///< by rule, summed over all stripped parts, in the order of StripRule
};

/// The prompt, ordered so that providers' prefix caches hit: what many steps share comes first.
///
///     system   role, type, output kind: equal for all steps of a kind
///     user     <plan> │ <file>… <documents> │ <output step>… │ <task> <criteria> <context> <schema> │ <answer> <issues>
///              shared by the plan and by steps with the same files ◀─┼─▶ this step alone
///
/// {{steps.ID.output}} in the description becomes that output, which is then not repeated before the task. Texts from
/// outside are tagged so that they cannot close their own tag. Deterministic; never fails; O(bytes).
Prompt assemble(const PromptParts& parts);

}  // namespace aetherflow
