#include "core/prompt/minify.hpp"

#include "core/base/json.hpp"
#include "core/base/json_cursor.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {

std::string minifyJson(std::string_view text) {
  const std::string_view body = text::trimmed(text);
  // Prose and source code are told apart by their first byte; parsing is for what could be a document.
  if (body.empty() || (body[0] != '{' && body[0] != '[') || !isJson(body)) return std::string(text);
  std::string out;
  out.reserve(body.size());
  appendCompact(out, body);
  return out;
}

}  // namespace aetherflow
