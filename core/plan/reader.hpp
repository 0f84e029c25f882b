#pragma once
// Reads a plan while it arrives: a step is known, and may start, before the text ends.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_scanner.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/problems.hpp"
#include "core/plan/references.hpp"
#include "core/plan/step_reader.hpp"
#include "core/plan/warnings.hpp"

namespace aetherflow {

/// Push bytes in any cuts, then end(). Where the cuts fall changes nothing: not the plan, not the error.
///
///     bytes ─▶ JsonScanner ─▶ text of one step ─▶ StepReader ─▶ References ─▶ Plan
///              well-formed?    at its last brace   members       ids → numbers
///
/// Linear in the bytes; memory is the plan plus one step's text. Nothing recurses.
/// A text that is no JSON is json.malformed ("line 2, column 17 (byte 40): …" in the detail; lines and characters count
/// from 1, bytes from 0). JSON that is no plan is plan.*: that error shows in error() as soon as it is known, and no
/// step counts after it, but the rest is still read: for its own problems, and because a text that turns out to be no
/// JSON at all is reported as such by end(). plan.too_large ends the reading.
class PlanReader final : private ScanListener {
 public:
  explicit PlanReader(PlanLimits limits = {});
  PlanReader(const PlanReader&) = delete;
  PlanReader& operator=(const PlanReader&) = delete;

  /// `bytes` is borrowed for the call. Ignored after end(), and after an error that ended the reading.
  void push(std::string_view bytes);
  /// Checks what only the end can tell: unknown ids, cycles, missing members. Only the first call counts.
  void end();
  /// After end() without an error: another text of the same form brings steps that are parts of known ones (`part_of`).
  void again();

  /// The first error, and the one that stays, but for json.malformed, which end() may put instead of a plan.*
  /// error.
  const Error& error() const { return problems_.any() ? problems_.list().front() : kNoError; }
  /// All that are known, error() first, twenty at most.
  const std::vector<Error>& errors() const { return problems_.list(); }
  /// Grows while bytes arrive. Views into `steps` last until the next push. Until end() it may hold more than
  /// stepCount() steps, which stand after an error.
  const Plan& plan() const { return plan_; }
  /// Steps that are whole so far.
  std::uint32_t stepCount() const { return problems_.any() ? sound_ : read(); }
  bool ended() const { return ended_; }
  /// Bytes read so far.
  std::uint64_t offset() const { return scanner_.offset(); }
  /// Forward references whose step has arrived since the last call: {step, index into its dependencies}.
  /// References to steps that were known already are resolved when their step is added, and are not listed here.
  std::vector<ResolvedReference> takeResolved() { return references_.takeResolved(); }

 private:
  enum Member : int { kTaskId, kDescription, kMetadata, kSteps, kMembers };

  bool valueBegins(std::uint32_t depth, char first) override;
  void valueEnds(std::uint32_t depth, std::string_view text) override;
  void keyEnds(std::string_view text) override;
  void tooDeep() override;
  bool memberBegins(char first);
  bool elementBegins(char first);
  void addStep(std::string_view json);
  void remember(ErrorCode code, std::string where, std::string detail);
  void noticeScanner();
  void countLines(std::string_view bytes);
  std::string malformed() const;
  void checkWhole();
  void dropUnsound();
  bool deaf() const { return problems_.full() || problems_.tooLarge(); }
  std::uint32_t read() const { return static_cast<std::uint32_t>(plan_.steps.size()); }
  std::string place() const;

  static const Error kNoError;

  PlanLimits limits_;
  Plan plan_;
  Warnings warnings_;
  Problems problems_;
  StepReader stepReader_;
  References references_;
  JsonScanner scanner_;
  std::uint32_t sound_ = 0;              ///< steps before the first error
  std::uint64_t line_ = 0, column_ = 0;  ///< of the byte at offset(), from 0; characters
  bool ended_ = false;

  bool has_[kMembers] = {};
  MemberNames names_;
  bool rootIsObject_ = false;
  bool inMember_ = false;   ///< between a key of the plan and the end of its value
  bool inElement_ = false;  ///< inside an element of `steps`
  int member_ = -1;         ///< which of the four, or −1
  std::string memberPlace_;
  std::string scratch_;
  std::vector<std::string> needs_;
};

}  // namespace aetherflow
