#pragma once
// Which provider and model a step goes to, and the reason in words.

#include <string>
#include <vector>

#include "core/base/vocabulary.hpp"
#include "core/route/table.hpp"

namespace aetherflow {

/// Steps that one rule sends to the same list of targets. Groups are few, steps are many.
struct RouteGroup {
  std::string rule;
  std::string why;                 ///< for people: the rule, and what is missing
  std::vector<Target> admissible;  ///< available ones, preferred first; empty only when nothing is available
  Target wanted;                   ///< the rule's first choice, available or not
  Reason note = Reason::None;      ///< ProviderMissing when `wanted` is not available
  bool explicitProvider = false;
  std::uint32_t base = 0xffffffffu;  ///< the group that this one narrows, kNone for none
};

using GroupIndex = std::uint32_t;

/// Sends steps to groups. Holds the table; built once per run.
class Router {
 public:
  Router() = default;
  /// `mode` must be in the table.
  Router(const Table* table, const Mode* mode);

  /// O(rules), and a lookup for explicit providers. Fails: route.unknown_provider (where is left to the caller).
  Expected<GroupIndex> route(const Step& step);
  /// The group without one of its targets, for steps that failed there; kNone when none would be left. Groups are few:
  /// each narrowing is made once.
  GroupIndex without(GroupIndex group, Target target);
  /// The group narrowed to one target, admissible in it or not.
  GroupIndex only(GroupIndex group, Target target);
  /// The group that audits answers, or kNone when the mode does not audit.
  GroupIndex auditGroup() const { return audit_; }
  /// The group of a list of the table; `rule` names it. Made when it is asked for first.
  GroupIndex listed(std::string_view rule, const std::vector<Target>& use);
  /// The group without the targets of a model's family; kNone when none would be left.
  GroupIndex unlike(GroupIndex group, Target target);
  const std::vector<RouteGroup>& groups() const { return groups_; }
  const RouteGroup& group(GroupIndex index) const { return groups_[index]; }

 private:
  GroupIndex addGroup(RouteGroup group, const std::vector<Target>& use);
  GroupIndex narrowed(GroupIndex group, std::vector<Target> admissible);

  const Table* table_ = nullptr;
  const Mode* mode_ = nullptr;
  std::vector<RouteGroup> groups_;  // one per rule first, then audit, then one per explicit target and rule
  std::vector<std::pair<std::string, GroupIndex>> explicit_;  // "rule|provider text" → group; few, searched in order
  GroupIndex audit_ = kNone;
};

}  // namespace aetherflow
