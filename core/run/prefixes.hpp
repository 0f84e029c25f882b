#pragma once
// What prompts of a plan begin with in common: a trie over the blocks (files, outputs of steps) that several of them hold, in the
// order in which prompts hold them (see prompt/assemble.hpp).
//
//   system, plan ─▶ api ─▶ types ─▶ (step 1, step 2, step 3)
//        0           └───▶ notes ─▶ (step 4, step 5, step 6)

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/text_index.hpp"
#include "core/plan/plan.hpp"

namespace aetherflow {

/// Fewer steps are not worth a wait, so no node stands for what only two share.
inline constexpr std::uint32_t kFewestSharers = 3;

class Prefixes {
 public:
  /// What an entry of a step's list of files weighs; `file`: its place there, kNone: the whole list.
  void weigh(const Step& step, std::uint32_t file, std::uint32_t tokens);
  /// Looks at the first `steps` of the plan, unless it has. True when nodes are others than before. O(list items · log).
  bool update(const Plan& plan, std::uint32_t steps);

  /// Steps whose prompts hold the file, or the folder that it is in; the output.
  std::uint32_t usesOfFile(std::string_view path) const;
  std::uint32_t usesOfOutput(StepIndex step) const { return step < outputUses_.size() ? outputUses_[step] : 0; }

  /// The deepest node of a step's prompt; node 0 for a step that is not known yet.
  std::uint32_t leaf(StepIndex step) const { return step < leaves_.size() ? leaves_[step] : 0; }
  /// kNone above node 0, and above what a step adds to the system text.
  std::uint32_t parent(std::uint32_t node) const { return parents_[node]; }
  /// Estimate of the prompt up to the node's end.
  std::uint32_t tokens(std::uint32_t node) const { return tokens_[node]; }
  /// Whether the step's prompt begins with what the node stands for.
  bool begins(StepIndex step, std::uint32_t node) const;

 private:
  std::uint32_t fileOf(std::string_view path);
  std::uint32_t usesOf(std::uint32_t block) const { return (block % 2 == 0 ? fileUses_ : outputUses_)[block / 2]; }
  std::uint32_t leafOf(const Plan& plan, const Step& step);
  std::uint32_t child(std::uint32_t parent, std::uint32_t block, std::uint32_t tokens);

  TextIndex paths_;                                   ///< → number of the file
  std::vector<std::uint32_t> fileUses_, fileTokens_;  ///< by file
  std::vector<std::uint32_t> outputUses_;             ///< by step, how many prompts hold its output
  TextIndex children_;  ///< bytes of (parent, block) → node; files are even blocks, outputs odd
  std::vector<std::uint32_t> parents_, tokens_;  ///< by node
  std::vector<std::uint32_t> leaves_;            ///< by step
  bool changed_ = true;
};

/// The bytes of numbers as a key of a TextIndex.
template <std::size_t n>
std::string_view keyOf(const std::uint32_t (&numbers)[n]) {
  return {reinterpret_cast<const char*>(numbers), sizeof numbers};
}

}  // namespace aetherflow
