#pragma once
// Turns the ids that steps name into step numbers, at once where it can and later where the step is still to come.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/plan/plan.hpp"
#include "core/plan/problems.hpp"
#include "core/plan/templates.hpp"
#include "core/plan/warnings.hpp"

namespace aetherflow {

/// A forward reference that has found its step: `plan.steps[first].dependencies[second]`.
using ResolvedReference = std::pair<StepIndex, std::uint32_t>;

class References {
 public:
  References(const PlanLimits& limits, Warnings& warnings, Problems& problems)
      : limits_(limits), warnings_(warnings), problems_(problems) {}

  /// Takes the last step of `plan` in: names it, links what it needs (`needs`: as listed; then the templates of its
  /// description) and anyone who waited for it. Problems: plan.duplicate_id, plan.bad_template, plan.too_large.
  /// `inputs`: ids that its rules name. `partOf`: id of the step that gets it as one more input, or empty.
  void addLast(Plan& plan, const std::vector<std::string>& needs, const std::vector<std::string>& inputs,
               const std::string& partOf);

  /// Problems: a reference that never found its step, plan.unknown_dependency or plan.bad_template. Frees what waited.
  void finish(const Plan& plan);
  /// After finish(): more steps come.
  void again(const Plan& plan) { linkedBy_.assign(plan.steps.size(), kNone); }

  /// Forward references resolved since the last call, in the order in which they were.
  std::vector<ResolvedReference> takeResolved() { return std::exchange(resolved_, {}); }

 private:
  /// One reference to an id without a step. Those to the same id hang on a chain, the newest first.
  struct Waiting {
    StepIndex step;
    std::uint32_t dependency;
    std::uint32_t older;
    std::uint32_t id;  ///< its place in heads_; kNone once it has found its step
  };

  void linkAll(Plan& plan, StepIndex from, const std::vector<std::string>& needs,
               const std::vector<std::string>& inputs);
  bool addTemplates(Plan& plan, StepIndex from);
  bool addTemplate(Plan& plan, StepIndex from, const TemplatePiece& piece);
  void warnOfTemplates(std::string_view text, std::string where);
  /// False when the step has this edge already.
  bool link(Plan& plan, StepIndex from, const std::string& id, std::uint32_t place);
  void resolveWaiting(Plan& plan, StepIndex step);

  const PlanLimits& limits_;
  Warnings& warnings_;
  Problems& problems_;
  std::uint64_t total_ = 0;
  std::vector<StepIndex> linkedBy_;  ///< for each step the last one that got an edge to it: finds repeats without a set
  std::vector<Waiting> waiting_;
  TextIndex heads_;  ///< id → newest of waiting_; looked up only, never iterated
  std::vector<ResolvedReference> resolved_;
};

}  // namespace aetherflow
