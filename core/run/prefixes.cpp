#include "core/run/prefixes.hpp"

#include "core/base/sort.hpp"
#include "core/prompt/role.hpp"
#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// No provider keeps shorter prompts, or gains from it: see promptCache in route/defaults.json.
constexpr std::uint32_t kShortestKept = 1024;
/// Sums of estimates stay far from 32 bits.
constexpr std::uint32_t kMostTokens = 1u << 30;

/// A description with placeholders includes outputs itself, so they are not placed before the task.
bool takesOutputsIn(const Step& step) {
  return step.description.find("{{") != std::string::npos;
}

std::uint32_t sum(std::uint32_t a, std::uint32_t b) {
  return a > kMostTokens || b > kMostTokens ? kMostTokens : a + b;
}

}  // namespace

std::uint32_t Prefixes::fileOf(std::string_view path) {
  const auto next = static_cast<std::uint32_t>(fileUses_.size());
  const std::uint32_t file = paths_.emplace(path, next).first->second;
  if (file == next) {
    fileUses_.push_back(0);
    fileTokens_.push_back(0);
  }
  return file;
}

void Prefixes::weigh(const Step& step, std::uint32_t file, std::uint32_t tokens) {
  // The weight of a list is that of its one file.
  if (file == kNone && step.files.size() == 1) file = 0;
  if (file >= step.files.size()) return;
  fileTokens_[fileOf(step.files[file])] = tokens;
  changed_ = true;
}

std::uint32_t Prefixes::usesOfFile(std::string_view path) const {
  // A plan may name the folder that the file was found in, with or without a slash at its end.
  for (;;) {
    if (const TextIndex::Entry* known = paths_.find(path)) return fileUses_[known->second];
    if (path.empty()) return 0;
    path = path.back() == '/' ? path.substr(0, path.size() - 1) : path.substr(0, path.rfind('/') + 1);
  }
}

bool Prefixes::begins(StepIndex step, std::uint32_t node) const {
  std::uint32_t at = leaf(step);
  while (at != kNone && at != node) at = parents_[at];
  return at == node;
}

bool Prefixes::update(const Plan& plan, std::uint32_t steps) {
  if (!changed_ && steps == leaves_.size()) return false;
  changed_ = false;
  leaves_.assign(steps, 0);
  outputUses_.assign(steps, 0);
  fileUses_.assign(fileUses_.size(), 0);
  for (StepIndex i = 0; i < steps; ++i) {
    for (const std::string& path : plan.steps[i].files) ++fileUses_[fileOf(path)];
    for (const Dependency& dependency : plan.steps[i].dependencies)
      if (dependency.step < steps) ++outputUses_[dependency.step];
  }
  children_ = {};
  parents_.assign(1, kNone);
  tokens_.assign(1, sum(estimateTokens(sharedSystemText()), estimateTokens(plan.description)));
  for (StepIndex i = 0; i < steps; ++i) leaves_[i] = leafOf(plan, plan.steps[i]);
  return true;
}

std::uint32_t Prefixes::leafOf(const Plan& plan, const Step& step) {
  std::vector<std::uint32_t> held;
  std::uint32_t most = tokens_[0];
  const auto weightOf = [&](std::uint32_t block) {
    return block % 2 == 0 ? fileTokens_[block / 2] : plan.steps[block / 2].estimatedTokens;
  };
  const auto hold = [&](std::uint32_t block) {
    if (usesOf(block) < kFewestSharers) return;
    held.push_back(block);
    most = sum(most, weightOf(block));
  };
  for (const std::string& path : step.files) hold(2 * fileOf(path));
  if (!takesOutputsIn(step))
    for (const Dependency& dependency : step.dependencies)
      if (dependency.step < outputUses_.size()) hold(2 * dependency.step + 1);
  // Most steps end here: no provider caches prompts as short as theirs.
  if (most < kShortestKept) return 0;
  // As the prompt orders them.
  sortItems(held, [&](std::uint32_t a, std::uint32_t b) {
    if (usesOf(a) != usesOf(b)) return usesOf(a) > usesOf(b);
    if (a % 2 != b % 2) return a % 2 == 0;
    return a % 2 == 0 ? paths_.textAt(a / 2) < paths_.textAt(b / 2) : a < b;
  });
  std::uint32_t node = 0;
  // What a step adds to the system text stands before the plan. No path begins with this byte.
  if (!step.system.empty()) node = child(kNone, 2 * fileOf('\n' + step.system), estimateTokens(step.system));
  for (const std::uint32_t block : held) node = child(node, block, weightOf(block));
  return node;
}

std::uint32_t Prefixes::child(std::uint32_t parent, std::uint32_t block, std::uint32_t tokens) {
  const std::uint32_t key[] = {parent, block};
  const auto next = static_cast<std::uint32_t>(parents_.size());
  const std::uint32_t node = children_.emplace(keyOf(key), next).first->second;
  if (node == next) {
    parents_.push_back(parent);
    tokens_.push_back(sum(tokens_[parent == kNone ? 0 : parent], tokens));
  }
  return node;
}

}  // namespace aetherflow
