#include "core/route/router.hpp"

#include "core/plan/nearest.hpp"

namespace aetherflow {
namespace {

std::string label(const Table& table, Target target) {
  return table.providers[target.provider].name + " (" + table.models[target.model].id + ")";
}

/// What a misspelt target may have meant: another provider, or a model of the named one.
std::string meant(const Table& table, std::string_view text) {
  const std::size_t slash = text.find('/');
  const ProviderIndex named = table.findProvider(text.substr(0, slash));
  Nearest nearest(named == kNone16 ? text.substr(0, slash) : text.substr(slash + 1));
  if (named == kNone16) {
    for (const Provider& provider : table.providers) nearest.offer(provider.id);
  } else {
    for (const ModelIndex model : table.providers[named].models) nearest.offer(table.models[model].id);
  }
  return nearest.question();
}

}  // namespace

Router::Router(const Table* table, const Mode* mode) : table_(table), mode_(mode) {
  for (const Rule& rule : mode->rules) addGroup({rule.name, rule.why, {}, {}, Reason::None, false}, rule.use);
  if (!mode->audit.empty())
    audit_ = addGroup({"audit", "answers are audited", {}, {}, Reason::None, false}, mode->audit);
}

GroupIndex Router::addGroup(RouteGroup group, const std::vector<Target>& use) {
  if (!use.empty()) group.wanted = use.front();
  for (const Target target : use)
    if (table_->providers[target.provider].available) group.admissible.push_back(target);
  if (group.admissible.empty()) {
    // No target of the rule has a key: any provider that has one is better than failing the step.
    for (std::size_t i = 0; i < table_->providers.size(); ++i)
      if (table_->providers[i].available)
        group.admissible.push_back({static_cast<ProviderIndex>(i), table_->providers[i].defaultModel});
  }
  if (!use.empty() && !group.admissible.empty() && !(group.admissible.front() == group.wanted)) {
    group.note = Reason::ProviderMissing;
    group.why += "; " + label(*table_, group.wanted) + " is not configured, so " +
                 label(*table_, group.admissible.front()) + " takes it";
  }
  groups_.push_back(std::move(group));
  return static_cast<GroupIndex>(groups_.size() - 1);
}

GroupIndex Router::narrowed(GroupIndex from, std::vector<Target> admissible) {
  const GroupIndex base = groups_[from].base == kNone ? from : groups_[from].base;
  for (GroupIndex i = 0; i < groups_.size(); ++i)
    if (groups_[i].base == base && groups_[i].admissible == admissible) return i;
  RouteGroup group = groups_[base];
  group.base = base;
  group.admissible = std::move(admissible);
  groups_.push_back(std::move(group));
  return static_cast<GroupIndex>(groups_.size() - 1);
}

GroupIndex Router::without(GroupIndex group, Target target) {
  std::vector<Target> rest;
  for (const Target other : groups_[group].admissible)
    if (!(other == target)) rest.push_back(other);
  return rest.empty() ? kNone : narrowed(group, std::move(rest));
}

GroupIndex Router::listed(std::string_view rule, const std::vector<Target>& use) {
  for (GroupIndex i = 0; i < groups_.size(); ++i)
    if (groups_[i].rule == rule && groups_[i].base == kNone) return i;
  return addGroup({std::string(rule), {}, {}, {}, Reason::None, false}, use);
}

GroupIndex Router::unlike(GroupIndex group, Target target) {
  std::vector<Target> rest;
  for (const Target other : groups_[group].admissible)
    if (table_->models[other.model].family != table_->models[target.model].family) rest.push_back(other);
  return rest.empty() ? kNone : narrowed(group, std::move(rest));
}

GroupIndex Router::only(GroupIndex group, Target target) {
  return narrowed(group, {target});
}

Expected<GroupIndex> Router::route(const Step& step) {
  GroupIndex rule = 0;
  while (!mode_->rules[rule].fits(step)) ++rule;  // the last rule fits everything, see readMode
  if (step.provider.empty()) return rule;

  const std::string key = std::to_string(rule) + "|" + step.provider;
  for (const auto& [known, group] : explicit_)
    if (known == key) return group;
  const Target target = table_->findTarget(step.provider);
  if (target.provider == kNone16)
    return Error{ErrorCode::RouteUnknownProvider, "",
                 "no provider or model '" + step.provider + "' in the table" + meant(*table_, step.provider)};
  std::vector<Target> use{target};
  const bool available = table_->providers[target.provider].available;
  // An explicit provider that has a key takes the step alone; without one the rule's own list is used, with a note.
  if (!available) use.insert(use.end(), mode_->rules[rule].use.begin(), mode_->rules[rule].use.end());
  const GroupIndex group = addGroup({"explicit", "the step names " + step.provider, {}, {}, Reason::None, true}, use);
  explicit_.emplace_back(key, group);
  return group;
}

}  // namespace aetherflow
