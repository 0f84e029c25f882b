#pragma once
// Does an answer have the form that its step asked for?

#include <string>
#include <string_view>

#include "core/base/vocabulary.hpp"
#include "core/plan/plan.hpp"

namespace aetherflow {

struct Checked {
  CheckVerdict verdict = CheckVerdict::Empty;
  std::string text;  ///< what to deliver: the answer, or what was taken out of it. The answer when not accepted
  std::string why;   ///< for reports: the rule and the place, never bytes of the answer. Empty when accepted
};

/// Any, Text: not empty. The answer stays as it is.
///
/// Code: without fences the answer passes unless it is prose beyond doubt; a lead-in ("Here is the code:") is taken
/// off. With fences the code inside is taken out; of several blocks those in the language that has most bytes, joined
/// by a blank line, so that an "npm install" beside the program does not end up in its file. Fences inside code stay.
///
/// Json: the whole answer, else a fenced block, else the longest object or array inside the prose that parses.
/// Delivered byte for byte.
///
/// Schema: as Json, then the schema (see schema.hpp). An empty `schema` is met by any JSON.
Checked checkOutput(OutputKind kind, std::string_view schema, std::string_view answer);

/// The JSON text inside an answer by the rule above; empty if there is none. `whole`: nothing was around it.
struct FoundJson {
  std::string_view text;
  bool whole = false;
};
FoundJson findJson(std::string_view answer);

}  // namespace aetherflow
