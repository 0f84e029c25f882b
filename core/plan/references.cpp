#include "core/plan/references.hpp"

#include <algorithm>

#include "core/plan/nearest.hpp"
#include "core/plan/place.hpp"
#include "core/plan/templates.hpp"

namespace aetherflow {

void References::addLast(Plan& plan, const std::vector<std::string>& needs, const std::vector<std::string>& inputs,
                         const std::string& partOf) {
  const auto from = static_cast<StepIndex>(plan.steps.size() - 1);
  const std::string& id = plan.steps.back().id;
  const StepIndex first = id.empty() ? from : plan.byId.emplace(id, from).first->second;
  linkedBy_.push_back(kNone);
  if (first != from) {
    problems_.add(ErrorCode::PlanDuplicateId, stepPlace(from, "/id"),
                  quoted(id) + " is the id of step " + std::to_string(first) + " and of step " + std::to_string(from));
  }
  linkAll(plan, from, needs, inputs);
  if (first == from) resolveWaiting(plan, from);
  if (const auto whole = plan.byId.find(partOf); whole != plan.byId.end() && whole->second < from) {
    plan.steps[from].partOf = whole->second;
    plan.steps[whole->second].dependencies.push_back({from, kNone});
  }
}

void References::linkAll(Plan& plan, StepIndex from, const std::vector<std::string>& needs,
                         const std::vector<std::string>& inputs) {
  Step& step = plan.steps[from];
  step.dependencies.reserve(needs.size());
  for (std::uint32_t place = 0; place < needs.size(); ++place) {
    if (link(plan, from, needs[place], place)) continue;
    warnings_.add(ErrorCode::PlanRepeatedDependency, dependencyPlace(from, place),
                  quoted(needs[place], " is listed before"));
  }
  for (const std::string& id : inputs) link(plan, from, id, kOfRule);
  if (!addTemplates(plan, from)) return;
  total_ += step.dependencies.size();
  if (total_ <= limits_.dependencies) return;
  problems_.add(ErrorCode::PlanTooLarge, stepPlace(from, "/dependencies"),
                moreThan(limits_.dependencies, " in the plan (limit dependencies)"));
}

/// False when the step has more dependencies than it may.
bool References::addTemplates(Plan& plan, StepIndex from) {
  const Step& step = plan.steps[from];
  TemplatePieces pieces(step.description);
  for (TemplatePiece piece; pieces.next(piece);) {
    if (!addTemplate(plan, from, piece)) continue;
    if (step.dependencies.size() > limits_.dependenciesPerStep) {
      return problems_.add(ErrorCode::PlanTooLarge, stepPlace(from, "/description"),
                           moreThan(limits_.dependenciesPerStep, " dependencies (limit dependenciesPerStep)"));
    }
  }
  warnOfTemplates(step.query, stepPlace(from, "/context/documents/query"));
  for (std::size_t i = 0; i < step.validationCriteria.size(); ++i) {
    warnOfTemplates(step.validationCriteria[i], stepPlace(from, "/validation_criteria/") + std::to_string(i));
  }
  return true;
}

/// True when it made an edge.
bool References::addTemplate(Plan& plan, StepIndex from, const TemplatePiece& piece) {
  using Kind = TemplatePiece::Kind;
  if (piece.kind == Kind::Text || piece.kind == Kind::Literal || problems_.full()) return false;
  if (piece.kind == Kind::Output && piece.text.size() <= limits_.idBytes) {
    return link(plan, from, std::string(piece.text), kNone);
  }
  const Step& step = plan.steps[from];
  if (piece.kind == Kind::Item && (piece.inCode || step.spreads || !step.values.empty())) return false;
  std::string detail = quoted(piece.text);
  if (piece.kind == Kind::Output) {
    detail += " is too long for an id";
  } else {
    const std::string meant = meantReference(piece.text, plan);
    detail += piece.kind == Kind::Near ? " is no reference" : " is filled by nothing";
    if (!meant.empty()) detail += "; did you mean " + meant + '?';
    if (piece.kind != Kind::Near) detail += "; to keep literal braces, write {{'{{'}}";
  }
  return problems_.add(ErrorCode::PlanBadTemplate, stepPlace(from, "/description"),
                       "at byte " + std::to_string(piece.at) + ": " + detail);
}

/// Elsewhere nothing is filled in.
void References::warnOfTemplates(std::string_view text, std::string where) {
  TemplatePieces pieces(text);
  for (TemplatePiece piece; pieces.next(piece);) {
    if (piece.kind != TemplatePiece::Kind::Output && piece.kind != TemplatePiece::Kind::Near) continue;
    return warnings_.add(ErrorCode::PlanBadTemplate, std::move(where), "only a step's description takes outputs in");
  }
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

void References::finish(const Plan& plan) {
  for (const Waiting& reference : waiting_) {
    if (reference.id == kNone || problems_.full()) continue;
    const std::uint32_t place = plan.steps[reference.step].dependencies[reference.dependency].place;
    const std::string& id = heads_.textAt(reference.id);
    Nearest nearest(id);
    offerIds(nearest, plan);
    problems_.add(place != kNone ? ErrorCode::PlanUnknownDependency : ErrorCode::PlanBadTemplate,
                  dependencyPlace(reference.step, place), quoted(id, " is the id of no step") + nearest.question());
  }
  waiting_ = {};
  heads_ = {};
  linkedBy_ = {};
}

}  // namespace aetherflow
