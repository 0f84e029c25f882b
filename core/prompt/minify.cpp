#include "core/prompt/minify.hpp"

#include <nlohmann/json.hpp>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

/// Nesting that the parser is allowed to meet: its SAX stack costs a bit per level, but nobody means more.
bool tooDeep(std::string_view s) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '[' || s[i] == '{') ++depth;
    if ((s[i] == ']' || s[i] == '}') && depth > 0) --depth;
    if (depth > 4096) return true;
  }
  return false;
}

}  // namespace

std::string minifyJson(std::string_view text) {
  const std::string_view body = text::trimmed(text);
  // Prose and source code are told apart by their first byte; parsing is for what could be a document.
  if (body.empty() || (body[0] != '{' && body[0] != '[') || tooDeep(body)) return std::string(text);
  if (!nlohmann::json::accept(body)) return std::string(text);
  std::string out;
  out.reserve(body.size());
  bool inString = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    if (inString && c == '\\') {
      out += c;
      out += body[++i];  // valid JSON: a backslash is never last
      continue;
    }
    if (c == '"') inString = !inString;
    if (inString || !text::isSpace(c)) out += c;
  }
  return out;
}

}  // namespace aetherflow
