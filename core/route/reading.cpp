#include "core/route/reading.hpp"

#include <algorithm>
#include <utility>

namespace aetherflow {

void Reading::fail(std::string where, std::string detail) {
  if (!error) error = {ErrorCode::OptionsInvalid, std::move(where), std::move(detail)};
}

void Reading::fail(std::string where, const char* detail) {
  fail(std::move(where), std::string(detail));
}

double Reading::number(const JsonValue& object, const char* key, double fallback, double low, double high,
                       const std::string& at) {
  const JsonValue* found = object.find(key);
  if (found == nullptr || found->isNull()) return fallback;
  if (!found->isNumber()) return fail(at + "/" + key, "expected a number"), fallback;
  const double value = found->number();
  if (!(value >= low && value <= high)) return fail(at + "/" + key, "number out of range"), fallback;
  return value;
}

std::string Reading::text(const JsonValue& object, const char* key, const std::string& at) {
  const JsonValue* found = object.find(key);
  if (found == nullptr || found->isNull()) return {};
  if (!found->isString()) return fail(at + "/" + key, "expected text"), std::string();
  return found->text;
}

const JsonValue* Reading::object(const JsonValue& object, const char* key, const std::string& at) {
  const JsonValue* found = object.find(key);
  if (found == nullptr || found->isNull()) return nullptr;
  if (!found->isObject()) return fail(at + "/" + key, "expected an object"), nullptr;
  return found;
}

void Reading::only(const JsonValue& object, std::string_view names, const std::string& at) {
  for (const JsonValue& item : object.items) {
    bool known = false;
    for (std::size_t from = 0; from < names.size() && !known;) {
      const std::size_t end = std::min(names.find(' ', from), names.size());
      known = names.substr(from, end - from) == item.name;
      from = end + 1;
    }
    if (!known) return fail(at + "/" + item.name, "unknown member");
  }
}

}  // namespace aetherflow
