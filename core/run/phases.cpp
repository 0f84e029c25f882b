#include "core/run/phases.hpp"

namespace aetherflow {
namespace {

/// The purposes by name, and `None`: no phase.
struct Rows {
  static constexpr Purpose None = kNoPhase;
#define PURPOSE(name, text) static constexpr Purpose name = Purpose::name;
#include "core/base/vocabulary.def"
};

constexpr PhaseTable rows() {
  PhaseTable table{};
#define PHASE(purpose, phase, route, answer, failure, next, onIssues, onBroken, limited, expected, most, constraint, \
              cached, role, verdict, failedNote)                                                                     \
  table[static_cast<std::size_t>(Purpose::purpose)] = {true,                                                         \
                                                       Rows::phase,                                                  \
                                                       PhaseRoute::route,                                            \
                                                       PhaseAnswer::answer,                                          \
                                                       PhaseFailure::failure,                                        \
                                                       Rows::next,                                                   \
                                                       Rows::onIssues,                                               \
                                                       Rows::onBroken,                                               \
                                                       limited,                                                      \
                                                       expected,                                                     \
                                                       most,                                                         \
                                                       PhaseConstraint::constraint,                                  \
                                                       cached,                                                       \
                                                       PromptRole::role,                                             \
                                                       VerdictReader::verdict,                                       \
                                                       Reason::failedNote};
#include "core/run/phases.def"
#undef PHASE
  return table;
}

}  // namespace

constinit const PhaseTable kPhases = rows();

}  // namespace aetherflow
