#include "core/prompt/schema.hpp"

#include <algorithm>

#include "core/base/json.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

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

bool isWhole(const JsonValue& value) {
  if (!value.isNumber()) return false;
  const double number = value.number();
  // Beyond 2^53 every double is whole; the cast would overflow long after that.
  return number >= 9007199254740992.0 || number <= -9007199254740992.0 ||
         number == static_cast<double>(static_cast<std::int64_t>(number));
}

bool hasType(const JsonValue& value, std::string_view type) {
  if (type == "object") return value.isObject();
  if (type == "array") return value.isArray();
  if (type == "string") return value.isString();
  if (type == "number") return value.isNumber();
  if (type == "integer") return isWhole(value);
  if (type == "boolean") return value.isBoolean();
  if (type == "null") return value.isNull();
  return true;  // an unknown type forbids nothing
}

std::size_t codePoints(std::string_view s) {
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
  explicit Validator(const JsonValue& root) : root_(root) {}

  bool valid(const JsonValue& schema, const JsonValue& value) {
    if (failedHard_) return false;
    if (depth_ >= kDepth) return failHard("depth");
    if (++effort_ > kEffort) return failHard("effort");
    ++depth_;
    const bool result = schema.isObject()    ? object(schema, value)
                        : schema.isBoolean() ? schema.isTrue() || fail("false")
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

  bool object(const JsonValue& schema, const JsonValue& value) {
    if (value.isNull()) {
      const JsonValue* nullable = schema.find("nullable");
      if (nullable != nullptr && nullable->isTrue()) return true;
    }
    return reference(schema, value) && type(schema, value) && exact(schema, value) && numbers(schema, value) &&
           strings(schema, value) && arrays(schema, value) && properties(schema, value) && combined(schema, value);
  }

  bool reference(const JsonValue& schema, const JsonValue& value) {
    const JsonValue* ref = schema.find("$ref");
    if (ref == nullptr || !ref->isString()) return true;
    const JsonValue* target = resolve(ref->text);
    return target == nullptr ? fail("$ref") : valid(*target, value);
  }

  const JsonValue* resolve(std::string_view ref) const {
    if (ref.empty() || ref[0] != '#') return nullptr;
    const JsonValue* at = &root_;
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
      at = at->isObject() ? at->find(name) : at->isArray() ? element(*at, name) : nullptr;
      if (at == nullptr) return nullptr;
    }
    return at;
  }

  static const JsonValue* element(const JsonValue& array, std::string_view name) {
    std::size_t index = 0;
    if (name.empty() || name.size() > 6) return nullptr;
    for (const char c : name) {
      if (!text::isDigit(c)) return nullptr;
      index = index * 10 + static_cast<std::size_t>(c - '0');
    }
    return index < array.items.size() ? &array.items[index] : nullptr;
  }

  bool type(const JsonValue& schema, const JsonValue& value) {
    const JsonValue* type = schema.find("type");
    if (type == nullptr) return true;
    if (type->isString()) return hasType(value, type->text) || fail("type");
    if (!type->isArray()) return true;
    for (const JsonValue& each : type->items) {
      if (each.isString() && hasType(value, each.text)) return true;
    }
    return fail("type");
  }

  bool exact(const JsonValue& schema, const JsonValue& value) {
    if (const JsonValue* constant = schema.find("const"); constant != nullptr && compareJson(*constant, value) != 0)
      return fail("const");
    const JsonValue* list = schema.find("enum");
    if (list == nullptr || !list->isArray()) return true;
    for (const JsonValue& each : list->items) {
      if (compareJson(each, value) == 0) return true;
    }
    return fail("enum");
  }

  bool numbers(const JsonValue& schema, const JsonValue& value) {
    if (!value.isNumber()) return true;
    // Below the bound, at it or above it; `otherwise` when there is none.
    const auto against = [&](const char* key, int otherwise) {
      const JsonValue* limit = schema.find(key);
      return limit != nullptr && limit->isNumber() ? compareJson(value, *limit) : otherwise;
    };
    if (against("minimum", 1) < 0) return fail("minimum");
    if (against("maximum", -1) > 0) return fail("maximum");
    if (against("exclusiveMinimum", 1) <= 0) return fail("exclusiveMinimum");
    if (against("exclusiveMaximum", -1) >= 0) return fail("exclusiveMaximum");
    return true;
  }

  /// `size` within schema[least] and schema[most].
  bool sized(const JsonValue& schema, std::size_t size, const char* least, const char* most) {
    const JsonValue* low = schema.find(least);
    if (low != nullptr && low->isNumber() && static_cast<double>(size) < low->number()) return fail(least);
    const JsonValue* high = schema.find(most);
    if (high != nullptr && high->isNumber() && static_cast<double>(size) > high->number()) return fail(most);
    return true;
  }

  bool strings(const JsonValue& schema, const JsonValue& value) {
    if (!value.isString()) return true;
    return sized(schema, codePoints(value.text), "minLength", "maxLength");
  }

  bool arrays(const JsonValue& schema, const JsonValue& value) {
    if (!value.isArray()) return true;
    if (!sized(schema, value.items.size(), "minItems", "maxItems")) return false;
    const JsonValue* unique = schema.find("uniqueItems");
    if (unique != nullptr && unique->isTrue() && !allDistinct(value)) return fail("uniqueItems");
    const JsonValue* items = schema.find("items");
    const JsonValue* prefix = schema.find("prefixItems");
    // Before 2020-12 an array in `items` was what prefixItems is now.
    if (prefix == nullptr && items != nullptr && items->isArray()) std::swap(prefix, items);
    const std::size_t fixed = prefix != nullptr && prefix->isArray() ? prefix->items.size() : 0;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const JsonValue* rule = i < fixed ? &prefix->items[i] : items;
      if (rule != nullptr && !inside(std::to_string(i), *rule, value.items[i])) return false;
    }
    return true;
  }

  bool properties(const JsonValue& schema, const JsonValue& value) {
    if (!value.isObject()) return true;
    if (!sized(schema, value.items.size(), "minProperties", "maxProperties")) return false;
    if (const JsonValue* required = schema.find("required"); required != nullptr && required->isArray()) {
      for (const JsonValue& key : required->items) {
        if (key.isString() && value.find(key.text) == nullptr) return fail("required");
      }
    }
    const JsonValue* known = schema.find("properties");
    if (known != nullptr && !known->isObject()) known = nullptr;
    const JsonValue* others =
        schema.find("patternProperties") != nullptr ? nullptr : schema.find("additionalProperties");
    // Members are in order of their names: the first violation is the same in every build.
    for (const JsonValue& each : value.items) {
      const JsonValue* rule = known == nullptr ? nullptr : known->find(each.name);
      if (rule != nullptr) {
        if (!inside(each.name, *rule, each)) return false;
      } else if (others != nullptr) {
        if (others->isBoolean() && !others->isTrue()) return fail("additionalProperties");
        if (!inside("*", *others, each)) return false;
      }
    }
    return true;
  }

  bool inside(std::string_view name, const JsonValue& schema, const JsonValue& value) {
    const std::size_t length = place_.size();
    appendSegment(place_, name);
    const bool result = valid(schema, value);
    place_.resize(length);
    return result;
  }

  bool combined(const JsonValue& schema, const JsonValue& value) {
    if (const JsonValue* all = schema.find("allOf"); all != nullptr && all->isArray()) {
      for (const JsonValue& each : all->items) {
        if (!valid(each, value)) return false;
      }
    }
    if (const JsonValue* any = schema.find("anyOf"); any != nullptr && any->isArray()) {
      if (matches(*any, value, 1) == 0) return fail("anyOf");
    }
    if (const JsonValue* one = schema.find("oneOf"); one != nullptr && one->isArray()) {
      if (matches(*one, value, 2) != 1) return fail("oneOf");
    }
    if (const JsonValue* none = schema.find("not"); none != nullptr) {
      if (valid(*none, value)) return fail("not");
    }
    return !failedHard_;
  }

  /// How many branches accept the value; stops at `enough`.
  std::size_t matches(const JsonValue& branches, const JsonValue& value, std::size_t enough) {
    std::size_t count = 0;
    for (const JsonValue& each : branches.items) {
      count += valid(each, value) ? 1 : 0;
      if (count == enough) break;
    }
    return count;
  }

  const JsonValue& root_;
  std::string place_;
  std::string keyword_;
  std::string failedAt_;
  std::uint32_t depth_ = 0;
  std::uint32_t effort_ = 0;
  bool failedHard_ = false;
};

}  // namespace

std::string schemaViolation(std::string_view schema, std::string_view json) {
  if (depthOf(json) > kJsonDepth || depthOf(schema) > kJsonDepth) return "depth at the root";
  const std::optional<JsonValue> rules = parseJson(schema);
  if (!rules) return "the schema itself is not JSON";
  const std::optional<JsonValue> value = parseJson(json);
  if (!value) return "the answer is not JSON";
  Validator validator(*rules);
  return validator.valid(*rules, *value) ? std::string() : validator.why();
}

}  // namespace aetherflow
