#pragma once
// From a step and the texts around it to the prompt of one call.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/vocabulary.hpp"
#include "core/plan/plan.hpp"
#include "core/prompt/role.hpp"
#include "core/prompt/strip_memory.hpp"

namespace aetherflow {

/// A file by its path, or the output of a step by its id.
struct NamedText {
  std::string_view name;
  std::string_view text;
  std::uint32_t uses = 0;  ///< steps of the plan whose prompts hold it
};

/// Own: the role first, the step's texts in its own order: the same whatever else the plan holds. Shared: what steps have in
/// common first, in one order for all of them, and what is a step's own last: for providers' prompt caches.
enum class PromptLayout : std::uint8_t { Own, Shared };

/// Borrowed until assemble() returns. `step` must be set.
struct PromptParts {
  const Step* step = nullptr;
  std::string_view planDescription;
  std::vector<NamedText> files;         ///< in the order of the step's `files`
  std::vector<NamedText> dependencies;  ///< in the order of the step's dependencies; absent = it gave no output
  std::string_view documents;           ///< found for the step; goes in as it is
  PromptRole role = PromptRole::Work;
  std::string_view answer;  ///< Judge: the answer to judge. Repair: the first answer
  /// Repair: what was wrong with it. Judge: what its checks found, or empty. Asked: what to say of it, in the host's own words.
  std::string_view issues;
  ConstraintLevel level = ConstraintLevel::Instruct;
  PromptLayout layout = PromptLayout::Own;
  bool strip = true;                ///< strip the plan's and the step's own words, minify JSON files
  StripMemory* stripped = nullptr;  ///< of earlier prompts; absent: none is remembered
};

struct Prompt {
  std::string system;
  std::string user;
  std::uint32_t tokensEstimated = 0;        ///< of system and user together
  std::uint32_t tokensBeforeStripping = 0;  ///< never less than tokensEstimated
  /// Bytes at the start of `user` that other steps' prompts begin with too, and of them those by which requests that should
  /// meet in one cache are told apart from others: whole blocks up to the first 4 KB, so that all that share as much agree.
  std::size_t shared = 0, keyed = 0;
  /// Where the step's own words stand in `user`, without their tag: what caches compare by meaning. The rest has to be equal.
  std::size_t task = 0, taskBytes = 0;
  std::vector<Removal> removals;  ///< by rule, summed over all stripped parts, in the order of StripRule
};

/// The prompt, ordered so that providers' prompt caches hit (Shared):
///
///     system   the same for all steps and purposes
///     user     <plan> │ <file>… <output step>…   │ <documents> <task> <criteria> <context> … │ role, form, length │ <answer> <issues>
///              the plan │ most used first, then by │ this step                            │                    │ a repair appends
///                       │ path, outputs by step    │                                      │                    │ to all before it
///
/// A judge's role stands after the answer. Own is the order of before: role and form in the system text, then plan, files and
/// outputs as the step names them, task, answer, issues, length.
///
/// {{steps.ID.output}} in the description becomes that output, which is then not repeated before the task. Texts from
/// outside are tagged so that they cannot close their own tag. Deterministic; never fails; O(bytes).
Prompt assemble(const PromptParts& parts);

}  // namespace aetherflow
