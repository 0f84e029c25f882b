#pragma once
// Reading of configuration: members with a type and a range, and the first that is wrong.

#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace aetherflow {

/// Reads members and remembers the first that has the wrong type or value; later reads then do nothing. Members that
/// are null count as absent.
class Reading {
 public:
  Error error;

  void fail(std::string where, std::string detail);
  void fail(std::string where, const char* detail);
  double number(const JsonValue& object, const char* key, double fallback, double low, double high,
                const std::string& at);
  std::int64_t whole(const JsonValue& object, const char* key, std::int64_t fallback, std::int64_t low,
                     std::int64_t high, const std::string& at) {
    return static_cast<std::int64_t>(
        number(object, key, static_cast<double>(fallback), static_cast<double>(low), static_cast<double>(high), at));
  }
  std::string text(const JsonValue& object, const char* key, const std::string& at);
  /// The member when it is an object; nullptr when absent; an error when it is anything else.
  const JsonValue* object(const JsonValue& object, const char* key, const std::string& at);
  /// Refuses members other than `names` (separated by spaces): a misspelt ceiling would be no ceiling.
  void only(const JsonValue& object, std::string_view names, const std::string& at);
};

}  // namespace aetherflow
