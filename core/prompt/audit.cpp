#include "core/prompt/audit.hpp"

#include <nlohmann/json.hpp>

#include "core/prompt/constraint.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kIssues = 50;
constexpr std::size_t kIssueBytes = 2000;

std::string cut(std::string_view issue) {
  issue = text::trimmed(issue);
  if (issue.size() <= kIssueBytes) return std::string(issue);
  std::size_t end = kIssueBytes;
  while (end > 0 && (static_cast<unsigned char>(issue[end]) & 0xc0) == 0x80) --end;
  return std::string(issue.substr(0, end));
}

std::string issueOf(const Json& entry) {
  if (entry.is_string()) return cut(entry.get_ref<const std::string&>());
  if (!entry.is_object()) return {};
  for (const char* key : {"issue", "description", "message", "text", "problem"}) {
    const auto it = entry.find(key);
    if (it != entry.end() && it->is_string()) return cut(it->get_ref<const std::string&>());
  }
  return {};
}

}  // namespace

AuditResult readAudit(std::string_view text) {
  AuditResult result;
  const Json json = Json::parse(findJson(text).text, nullptr, false);
  if (!json.is_object()) return result;
  const auto list = json.find("issues");
  const bool listed = list != json.end() && list->is_array();
  if (listed) {
    for (const Json& entry : *list) {
      std::string issue = issueOf(entry);
      if (!issue.empty() && result.issues.size() < kIssues) result.issues.push_back(std::move(issue));
    }
  }
  const auto verdict = json.find("verdict");
  if (verdict != json.end() && verdict->is_string()) {
    const std::string word = text::lowered(text::trimmed(verdict->get_ref<const std::string&>()));
    result.pass = word == "pass" || word == "passed" || word == "ok";
    result.understood = result.pass || word == "issues" || word == "issue" || word == "fail" || word == "failed";
    return result;
  }
  result.understood = listed;
  result.pass = listed && list->empty();
  return result;
}

}  // namespace aetherflow
