#pragma once
// Reads what an auditor answered.

#include <string>
#include <string_view>
#include <vector>

namespace aetherflow {

struct AuditResult {
  bool understood = false;  ///< false: the text holds no verdict; then `pass` says nothing
  bool pass = false;
  std::vector<std::string> issues;  ///< at most 50, each at most 2,000 bytes, cut between code points
};

/// Takes {"verdict":"pass"|"issues","issues":[…]} out of an answer, also from fences or prose. Issues may be strings or
/// objects with a text member. Without a verdict, a list of issues decides by being empty or not.
AuditResult readAudit(std::string_view text);

}  // namespace aetherflow
