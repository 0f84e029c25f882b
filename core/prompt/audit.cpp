#include "core/prompt/audit.hpp"

#include "core/base/json.hpp"
#include "core/prompt/constraint.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kIssues = 50;
constexpr std::size_t kIssueBytes = 2000;

std::string cut(std::string_view issue) {
  issue = text::trimmed(issue);
  if (issue.size() <= kIssueBytes) return std::string(issue);
  std::size_t end = kIssueBytes;
  while (end > 0 && (static_cast<unsigned char>(issue[end]) & 0xc0) == 0x80) --end;
  return std::string(issue.substr(0, end));
}

std::string issueOf(const JsonValue& entry) {
  if (entry.isString()) return cut(entry.text);
  for (const char* key : {"issue", "description", "message", "text", "problem"}) {
    const JsonValue* found = entry.find(key);
    if (found != nullptr && found->isString()) return cut(found->text);
  }
  return {};
}

}  // namespace

AuditResult readAudit(std::string_view text) {
  AuditResult result;
  const std::optional<JsonValue> json = parseJson(findJson(text).text);
  if (!json || !json->isObject()) return result;
  const JsonValue* list = json->find("issues");
  const bool listed = list != nullptr && list->isArray();
  if (listed) {
    for (const JsonValue& entry : list->items) {
      std::string issue = issueOf(entry);
      if (!issue.empty() && result.issues.size() < kIssues) result.issues.push_back(std::move(issue));
    }
  }
  const JsonValue* verdict = json->find("verdict");
  if (verdict != nullptr && verdict->isString()) {
    const std::string word = text::lowered(text::trimmed(verdict->text));
    result.pass = word == "pass" || word == "passed" || word == "ok";
    result.understood = result.pass || word == "issues" || word == "issue" || word == "fail" || word == "failed";
    return result;
  }
  result.understood = listed;
  result.pass = listed && list->items.empty();
  return result;
}

}  // namespace aetherflow
