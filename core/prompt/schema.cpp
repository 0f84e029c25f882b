#include "core/prompt/schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kDataDepth = 64;
constexpr std::uint32_t kDepth = 192;
constexpr std::uint32_t kEffort = 1'000'000;

/// Deepest nesting of brackets outside strings: asked before a tree is built.
std::uint32_t depthOf(std::string_view s) {
  std::uint32_t depth = 0;
  std::uint32_t deepest = 0;
  bool inString = false;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (inString && s[i] == '\\') {
      ++i;
    } else if (s[i] == '"') {
      inString = !inString;
    } else if (!inString && (s[i] == '{' || s[i] == '[')) {
      deepest = std::max(deepest, ++depth);
    } else if (!inString && (s[i] == '}' || s[i] == ']') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

const Json* member(const Json& object, const std::string& key) {
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

bool isWhole(const Json& value) {
  if (value.is_number_integer()) return true;
  if (!value.is_number_float()) return false;
  const double number = value.get<double>();
  // Beyond 2^53 every double is whole; the cast would overflow long after that.
  return number >= 9007199254740992.0 || number <= -9007199254740992.0 ||
         number == static_cast<double>(static_cast<std::int64_t>(number));
}

bool hasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return isWhole(value);
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  return true;  // an unknown type forbids nothing
}

std::size_t codePoints(const std::string& s) {
  std::size_t count = 0;
  for (const char c : s) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

void appendSegment(std::string& place, std::string_view name) {
  place += '/';
  for (const char c : name) {
    if (c == '~') {
      place += "~0";
    } else if (c == '/') {
      place += "~1";
    } else {
      place += c;
    }
  }
}

class Validator {
 public:
  explicit Validator(const Json& root) : root_(root) {}

  bool valid(const Json& schema, const Json& value) {
    if (failedHard_) return false;
    if (depth_ >= kDepth) return failHard("depth");
    if (++effort_ > kEffort) return failHard("effort");
    ++depth_;
    const bool result = schema.is_object()    ? object(schema, value)
                        : schema.is_boolean() ? schema.get<bool>() || fail("false")
                                              : true;
    --depth_;
    return result;
  }

  std::string why() const { return keyword_ + " at " + (failedAt_.empty() ? "the root" : failedAt_); }

 private:
  bool fail(const char* keyword) {
    if (failedHard_) return false;
    keyword_ = keyword;
    failedAt_ = place_;
    return false;
  }

  /// A bound was met: no branch of anyOf may hide it, `not` may not turn it into success.
  bool failHard(const char* keyword) {
    fail(keyword);
    failedHard_ = true;
    return false;
  }

  bool object(const Json& schema, const Json& value) {
    if (value.is_null()) {
      const Json* nullable = member(schema, "nullable");
      if (nullable != nullptr && nullable->is_boolean() && nullable->get<bool>()) return true;
    }
    return reference(schema, value) && type(schema, value) && exact(schema, value) && numbers(schema, value) &&
           strings(schema, value) && arrays(schema, value) && properties(schema, value) && combined(schema, value);
  }

  bool reference(const Json& schema, const Json& value) {
    const Json* ref = member(schema, "$ref");
    if (ref == nullptr || !ref->is_string()) return true;
    const Json* target = resolve(ref->get_ref<const std::string&>());
    return target == nullptr ? fail("$ref") : valid(*target, value);
  }

  const Json* resolve(std::string_view ref) const {
    if (ref.empty() || ref[0] != '#') return nullptr;
    const Json* at = &root_;
    for (std::size_t i = 1; i < ref.size();) {
      if (ref[i] != '/') return nullptr;
      const std::size_t end = std::min(ref.find('/', i + 1), ref.size());
      std::string name;
      for (std::size_t k = i + 1; k < end; ++k) {
        const bool escape = ref[k] == '~' && k + 1 < end;
        name += escape ? (ref[k + 1] == '1' ? '/' : '~') : ref[k];
        k += escape ? 1 : 0;
      }
      i = end;
      at = at->is_object() ? member(*at, name) : at->is_array() ? element(*at, name) : nullptr;
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  static const Json* element(const Json& array, const std::string& name) {
    std::size_t index = 0;
    if (name.empty() || name.size() > 6) return nullptr;
    for (const char c : name) {
      if (!text::isDigit(c)) return nullptr;
      index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return index < array.size() ? &array[index] : nullptr;
  }

  bool type(const Json& schema, const Json& value) {
    const Json* type = member(schema, "type");
    if (type == nullptr) return true;
    if (type->is_string()) return hasType(value, type->get_ref<const std::string&>()) || fail("type");
    if (!type->is_array()) return true;
    for (const Json& each : *type) {
      if (each.is_string() && hasType(value, each.get_ref<const std::string&>())) return true;
    }
    return fail("type");
  }

  bool exact(const Json& schema, const Json& value) {
    if (const Json* constant = member(schema, "const"); constant != nullptr && *constant != value) return fail("const");
    const Json* list = member(schema, "enum");
    if (list == nullptr || !list->is_array()) return true;
    return std::find(list->begin(), list->end(), value) != list->end() || fail("enum");
  }

  bool numbers(const Json& schema, const Json& value) {
    if (!value.is_number()) return true;
    const auto bound = [&](const char* key) {
      const Json* limit = member(schema, key);
      return limit != nullptr && limit->is_number() ? limit : nullptr;
    };
    if (const Json* limit = bound("minimum"); limit != nullptr && value < *limit) return fail("minimum");
    if (const Json* limit = bound("maximum"); limit != nullptr && value > *limit) return fail("maximum");
    if (const Json* limit = bound("exclusiveMinimum"); limit != nullptr && value <= *limit)
      return fail("exclusiveMinimum");
    if (const Json* limit = bound("exclusiveMaximum"); limit != nullptr && value >= *limit)
      return fail("exclusiveMaximum");
    return true;
  }

  /// `size` within schema[least] and schema[most].
  bool sized(const Json& schema, std::size_t size, const char* least, const char* most) {
    const Json* low = member(schema, least);
    if (low != nullptr && low->is_number() && static_cast<double>(size) < low->get<double>()) return fail(least);
    const Json* high = member(schema, most);
    if (high != nullptr && high->is_number() && static_cast<double>(size) > high->get<double>()) return fail(most);
    return true;
  }

  bool strings(const Json& schema, const Json& value) {
    if (!value.is_string()) return true;
    return sized(schema, codePoints(value.get_ref<const std::string&>()), "minLength", "maxLength");
  }

  bool arrays(const Json& schema, const Json& value) {
    if (!value.is_array()) return true;
    if (!sized(schema, value.size(), "minItems", "maxItems")) return false;
    const Json* unique = member(schema, "uniqueItems");
    if (unique != nullptr && unique->is_boolean() && unique->get<bool>() && !distinct(value))
      return fail("uniqueItems");
    const Json* items = member(schema, "items");
    const Json* prefix = member(schema, "prefixItems");
    // Before 2020-12 an array in `items` was what prefixItems is now.
    if (prefix == nullptr && items != nullptr && items->is_array()) std::swap(prefix, items);
    const std::size_t fixed = prefix != nullptr && prefix->is_array() ? prefix->size() : 0;
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json* rule = i < fixed ? &(*prefix)[i] : items;
      if (rule != nullptr && !inside(std::to_string(i), *rule, value[i])) return false;
    }
    return true;
  }

  static bool distinct(const Json& array) {
    std::vector<const Json*> sorted;
    sorted.reserve(array.size());
    for (const Json& each : array) sorted.push_back(&each);
    std::sort(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a < *b; });
    return std::adjacent_find(sorted.begin(), sorted.end(), [](const Json* a, const Json* b) { return *a == *b; }) ==
           sorted.end();
  }

  bool properties(const Json& schema, const Json& value) {
    if (!value.is_object()) return true;
    if (!sized(schema, value.size(), "minProperties", "maxProperties")) return false;
    if (const Json* required = member(schema, "required"); required != nullptr && required->is_array()) {
      for (const Json& key : *required) {
        if (key.is_string() && !value.contains(key.get_ref<const std::string&>())) return fail("required");
      }
    }
    const Json* known = member(schema, "properties");
    if (known != nullptr && !known->is_object()) known = nullptr;
    const Json* others =
        member(schema, "patternProperties") != nullptr ? nullptr : member(schema, "additionalProperties");
    // Iterates the answer, whose objects are ordered maps: the first violation is the same in every build.
    for (auto it = value.begin(); it != value.end(); ++it) {
      const Json* rule = known == nullptr ? nullptr : member(*known, it.key());
      if (rule != nullptr) {
        if (!inside(it.key(), *rule, it.value())) return false;
      } else if (others != nullptr) {
        if (others->is_boolean() && !others->get<bool>()) return fail("additionalProperties");
        if (!inside("*", *others, it.value())) return false;
      }
    }
    return true;
  }

  bool inside(std::string_view name, const Json& schema, const Json& value) {
    const std::size_t length = place_.size();
    appendSegment(place_, name);
    const bool result = valid(schema, value);
    place_.resize(length);
    return result;
  }

  bool combined(const Json& schema, const Json& value) {
    if (const Json* all = member(schema, "allOf"); all != nullptr && all->is_array()) {
      for (const Json& each : *all) {
        if (!valid(each, value)) return false;
      }
    }
    if (const Json* any = member(schema, "anyOf"); any != nullptr && any->is_array()) {
      if (matches(*any, value, 1) == 0) return fail("anyOf");
    }
    if (const Json* one = member(schema, "oneOf"); one != nullptr && one->is_array()) {
      if (matches(*one, value, 2) != 1) return fail("oneOf");
    }
    if (const Json* none = member(schema, "not"); none != nullptr) {
      if (valid(*none, value)) return fail("not");
    }
    return !failedHard_;
  }

  /// How many branches accept the value; stops at `enough`.
  std::size_t matches(const Json& branches, const Json& value, std::size_t enough) {
    std::size_t count = 0;
    for (const Json& each : branches) {
      count += valid(each, value) ? 1 : 0;
      if (count == enough) break;
    }
    return count;
  }

  const Json& root_;
  std::string place_;
  std::string keyword_;
  std::string failedAt_;
  std::uint32_t depth_ = 0;
  std::uint32_t effort_ = 0;
  bool failedHard_ = false;
};

}  // namespace

std::string schemaViolation(std::string_view schema, std::string_view json) {
  if (depthOf(json) > kDataDepth || depthOf(schema) > kDataDepth) return "depth at the root";
  const Json rules = Json::parse(schema, nullptr, false);
  if (rules.is_discarded()) return "the schema itself is not JSON";
  const Json value = Json::parse(json, nullptr, false);
  if (value.is_discarded()) return "the answer is not JSON";
  Validator validator(rules);
  return validator.valid(rules, value) ? std::string() : validator.why();
}

}  // namespace aetherflow
