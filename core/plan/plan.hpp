#pragma once
// A plan in memory: what the planner wrote, checked and with its references resolved.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/ids.hpp"
#include "core/base/text_index.hpp"
#include "core/base/vocabulary.hpp"

namespace aetherflow {

enum class StepType : std::uint8_t {
  Analysis,
  Refactoring,
  CodeGeneration,
  Prototyping,
  Brainstorming,
  Documentation,
  Testing,
  Other,
};
inline constexpr int kStepTypes = 8;

/// The name as plans write it ("code_generation"); "other" for Other.
std::string_view name(StepType type);
/// Other when the text names none of the seven.
StepType stepTypeOf(std::string_view text);

/// What a step's answer must be. Any: the plan does not say. Schema: JSON that obeys `Step::schema`.

/// One edge of the graph. `step` is kNone while the id has been named but not yet defined (a forward reference).
struct Dependency {
  StepIndex step = kNone;
  /// Position in the step's `dependencies`, kNone when a {{steps.ID.output}} in its description made the edge, or that it is its part;
  /// kOfRule when its `for_each` or `when` did.
  std::uint32_t place = kNone;
};

struct Step {
  std::string id;
  std::string description;
  StepType type = StepType::Other;
  std::string typeName;                      ///< as written
  double complexity = 0.5;                   ///< 0–1
  std::uint32_t estimatedTokens = 0;         ///< tokens that the planner expects in the answer; 0 = unknown
  std::int32_t priority = 0;                 ///< higher goes first
  bool optional = false;                     ///< its failure does not fail its dependents
  Interrupt onInterrupt = Interrupt::Count;  ///< Count: the run's own policy
  CacheUse cache = CacheUse::Count;          ///< no farther than this; Count: as far as the run allows
  DraftUse draft = DraftUse::Count;          ///< Count: as the run says
  OutputKind output = OutputKind::Any;
  std::string schema;               ///< JSON text, for OutputKind::Schema
  std::string system;               ///< more for the system text of its own calls, or empty
  std::string temperature;          ///< JSON number within 0 to 2, or empty: the provider's own
  std::uint32_t maxTokens = 0;      ///< most tokens of the answer; 0 = as estimated
  std::string outputFile;           ///< name of its output among the outputs, or empty
  std::string placing;              ///< `check`, `target`, `edit` as JSON members: the host's to read; or empty
  bool spreads = false;             ///< `for_each` or `pattern`: it becomes other steps, whose outputs are its own
  bool held = false;                ///< that, or `when`: the host is asked before it may begin
  std::string written;              ///< of one that is held: its whole JSON text, for the host
  StepIndex partOf = kNone;         ///< the step that spread into it
  std::vector<std::string> values;  ///< name and text in turn, for the {{item}} of its description
  bool rubric = false;              ///< `check` has items for a judge: its answer is audited in every mode
  bool blocks = false;              ///< `edit` is blocks: its answer changes a file instead of being one
  std::string provider;             ///< explicit provider id, "provider/model", or a model alone; or empty
  std::string context;              ///< the `context` object as compact JSON without `files` and `documents`, or empty
  std::vector<std::string> files;   ///< `context.files`
  /// `context.documents`: what is to be found for it, in so many tokens at most; 0 = nothing.
  std::uint32_t documentTokens = 0;
  std::string query;          ///< empty: its description asks
  std::string documentPaths;  ///< JSON text of a list of texts, or empty
  std::vector<std::string> validationCriteria;
  std::vector<Dependency> dependencies;
};

/// Keeps a member of `Step::placing`. What it says is the host's to check: it acts on it.
void addPlacing(Step& step, std::string_view name, std::string_view json);

/// Explicit bounds on what a plan may be; hostile input meets plan.too_large or plan.too_deep, never exhaustion.
struct PlanLimits {
  std::uint64_t bytes = 256u << 20;  ///< whole text
  std::uint32_t steps = 200'000;
  std::uint32_t depth = 64;              ///< nesting of the JSON
  std::uint32_t stringBytes = 4u << 20;  ///< any one string, step or metadata, as written
  std::uint32_t idBytes = 128;
  std::uint32_t dependenciesPerStep = 10'000;
  std::uint32_t dependencies = 4'000'000;  ///< of the whole plan
  std::uint32_t members = 1'000;           ///< of the plan's own object, and of any one step
  std::uint32_t listItems = 1'000'000;     ///< files and validation criteria of the whole plan
};

struct Plan {
  std::string taskId;
  std::string description;
  std::string metadata;  ///< JSON text as given, or empty
  std::vector<Step> steps;
  TextIndex byId;               ///< lookups only, never iterated
  std::vector<Error> warnings;  ///< unknown types and members; the run goes on
};

}  // namespace aetherflow
