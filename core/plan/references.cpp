#include "core/plan/references.hpp"

#include <algorithm>

#include "core/plan/place.hpp"
#include "core/plan/templates.hpp"

namespace aetherflow {

Error References::addLast(Plan& plan, const std::vector<std::string>& needs) {
  const auto from = static_cast<StepIndex>(plan.steps.size() - 1);
  const std::string& id = plan.steps.back().id;
  const auto [known, isNew] = plan.byId.emplace(id, from);
  if (!isNew) {
    return {
        ErrorCode::PlanDuplicateId, stepPlace(from, "/id"),
        quoted(id) + " is the id of step " + std::to_string(known->second) + " and of step " + std::to_string(from)};
  }
  linkedBy_.push_back(kNone);
  Error error = linkAll(plan, from, needs);
  if (error) {
    plan.byId.erase(known);
  } else {
    resolveWaiting(plan, from);
  }
  return error;
}

Error References::linkAll(Plan& plan, StepIndex from, const std::vector<std::string>& needs) {
  Step& step = plan.steps[from];
  step.dependencies.reserve(needs.size());
  for (std::uint32_t place = 0; place < needs.size(); ++place) {
    if (link(plan, from, needs[place], place)) continue;
    warnings_.add(ErrorCode::PlanRepeatedDependency, dependencyPlace(from, place),
                  quoted(needs[place], " is listed before"));
  }
  if (Error error = addTemplates(plan, from)) return error;
  total_ += step.dependencies.size();
  if (total_ <= limits_.dependencies) return {};
  return {ErrorCode::PlanTooLarge, stepPlace(from, "/dependencies"),
          moreThan(limits_.dependencies, " in the plan (limit dependencies)")};
}

Error References::addTemplates(Plan& plan, StepIndex from) {
  Step& step = plan.steps[from];
  TemplatePieces pieces(step.description);
  for (TemplatePiece piece; pieces.next(piece);) {
    if (piece.kind != TemplatePiece::Kind::Output) continue;
    if (piece.text.size() > limits_.idBytes) {
      return {ErrorCode::PlanBadTemplate, stepPlace(from, "/description"),
              quoted(piece.text, " is too long for an id")};
    }
    link(plan, from, std::string(piece.text), kNone);
    if (step.dependencies.size() > limits_.dependenciesPerStep) {
      return {ErrorCode::PlanTooLarge, stepPlace(from, "/description"),
              moreThan(limits_.dependenciesPerStep, " dependencies (limit dependenciesPerStep)")};
    }
  }
  return {};
}

bool References::link(Plan& plan, StepIndex from, const std::string& id, std::uint32_t place) {
  std::vector<Dependency>& list = plan.steps[from].dependencies;
  if (const auto known = plan.byId.find(id); known != plan.byId.end()) {
    if (std::exchange(linkedBy_[known->second], from) == from) return false;
    list.push_back({known->second, place});
    return true;
  }
  const auto [head, isNew] = heads_.emplace(id, kNone);
  if (!isNew && waiting_[head->second].step == from) return false;
  waiting_.push_back({from, static_cast<std::uint32_t>(list.size()), head->second, heads_.placeOf(head)});
  head->second = static_cast<std::uint32_t>(waiting_.size() - 1);
  list.push_back({kNone, place});
  return true;
}

void References::resolveWaiting(Plan& plan, StepIndex step) {
  const auto head = heads_.find(plan.steps[step].id);
  if (head == heads_.end()) return;
  const std::size_t first = resolved_.size();
  for (std::uint32_t at = head->second; at != kNone; at = waiting_[at].older) {
    Waiting& reference = waiting_[at];
    plan.steps[reference.step].dependencies[reference.dependency].step = step;
    reference.id = kNone;
    resolved_.emplace_back(reference.step, reference.dependency);
  }
  std::reverse(resolved_.begin() + static_cast<std::ptrdiff_t>(first), resolved_.end());
  heads_.erase(head);
}

Error References::finish(const Plan& plan) {
  Error error;
  for (const Waiting& reference : waiting_) {
    if (reference.id == kNone) continue;
    const std::uint32_t place = plan.steps[reference.step].dependencies[reference.dependency].place;
    const bool listed = place != kNone;
    error = {listed ? ErrorCode::PlanUnknownDependency : ErrorCode::PlanBadTemplate,
             dependencyPlace(reference.step, place), quoted(heads_.textAt(reference.id), " is the id of no step")};
    break;
  }
  waiting_ = {};
  heads_ = {};
  linkedBy_ = {};
  return error;
}

}  // namespace aetherflow
