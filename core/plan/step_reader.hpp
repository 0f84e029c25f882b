#pragma once
// One step: from its JSON text to a Step with the ids it depends on.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_cursor.hpp"
#include "core/base/text_index.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/problems.hpp"
#include "core/plan/warnings.hpp"

namespace aetherflow {

/// "an object", "a string", … by the first byte of a JSON value.
std::string_view kindName(char first);

/// The names already met in one object. Known members cost a bit; the others are kept, within PlanLimits::members.
class MemberNames {
 public:
  /// `known` < 0: a name without meaning. None, PlanDuplicateKey or PlanTooLarge.
  ErrorCode add(int known, std::string_view name, std::uint32_t most);

 private:
  std::uint32_t seen_ = 0;
  std::uint32_t count_ = 0;
  TextIndex others_;
};

class StepReader {
 public:
  StepReader(const PlanLimits& limits, Warnings& warnings, Problems& problems)
      : limits_(limits), warnings_(warnings), problems_(problems) {}

  /// `json` is a well-formed JSON object, borrowed for the call. Fills `step` except its `dependencies`, whose ids as
  /// listed go to `needs`; a member with a problem stays as it was.
  void read(std::string_view json, StepIndex index, Step& step, std::vector<std::string>& needs);
  /// From now on steps may say whose part they are.
  void readParts() { parts_ = true; }
  /// Of the step that was read last: whose part it is, or empty.
  const std::string& partOf() const { return partOf_; }
  /// Ids of the steps that its `for_each` and `when` name.
  const std::vector<std::string>& inputs() const { return inputs_; }

 private:
  bool member(int known, std::string_view name, JsonCursor& cursor, Step& step, std::vector<std::string>& needs);
  bool text(JsonCursor& cursor, std::string_view tail, std::string& out);
  bool decimal(JsonCursor& cursor, std::string_view tail, int most, double& out, std::string_view& written);
  void joinModel(Step& step);
  void inputs(std::string_view json);
  bool setting(int known, JsonCursor& cursor, Step& step);
  bool word(int known, JsonCursor& cursor, Step& step);
  bool integer(JsonCursor& cursor, std::string_view tail, std::int64_t least, std::int64_t most, std::int64_t& out);
  bool texts(JsonCursor& cursor, std::string_view tail, std::vector<std::string>& out);
  bool needed(JsonCursor& cursor, std::vector<std::string>& needs);
  bool context(JsonCursor& cursor, Step& step);
  bool documents(JsonCursor& cursor, Step& step);
  bool output(JsonCursor& cursor, Step& step);
  bool expect(JsonCursor& cursor, char first, std::string_view tail);
  bool fail(ErrorCode code, std::string_view tail, std::string detail);

  const PlanLimits& limits_;
  Warnings& warnings_;
  Problems& problems_;
  StepIndex index_ = 0;
  std::uint32_t listItems_ = 0;
  std::string scratch_;
  std::string model_, partOf_;  ///< of the step that is read
  bool parts_ = false;
  bool named_ = false;  ///< it has an `output_file`
  std::vector<std::string> inputs_;
};

}  // namespace aetherflow
