#include "core/base/json.hpp"

#include <algorithm>

#include "core/base/json_cursor.hpp"
#include "core/base/json_scanner.hpp"
#include "core/base/json_writer.hpp"
#include "core/base/sort.hpp"

namespace aetherflow {
namespace {

/// Wants no values, only the verdict.
class DepthListener final : public ScanListener {
 public:
  void tooDeep() override { deep = true; }

  bool deep = false;
};

using Pointers = std::vector<const JsonValue*>;

Pointers sortedPointers(const std::vector<JsonValue>& values, bool (*less)(const JsonValue*, const JsonValue*)) {
  Pointers sorted;
  sorted.reserve(values.size());
  for (const JsonValue& each : values) sorted.push_back(&each);
  sortItems(sorted, less);
  return sorted;
}

/// Of equal names the one that stands earlier comes first: a total order, which needs no stable sort.
bool namedBefore(const JsonValue* a, const JsonValue* b) {
  const int order = a->name.compare(b->name);
  return order != 0 ? order < 0 : a < b;
}

bool comparesBefore(const JsonValue* a, const JsonValue* b) {
  return compareJson(*a, *b) < 0;
}

/// Members in order, the last of each name.
void orderMembers(std::vector<JsonValue>& members) {
  const auto inOrder = [](const JsonValue& a, const JsonValue& b) { return a.name >= b.name; };
  if (std::adjacent_find(members.begin(), members.end(), inOrder) == members.end()) return;
  std::vector<JsonValue> ordered;
  ordered.reserve(members.size());
  for (const JsonValue* each : sortedPointers(members, namedBefore)) {
    // Moved out of `members`, which is ours and not const; the pointers were only read.
    JsonValue& from = members[static_cast<std::size_t>(each - members.data())];
    if (!ordered.empty() && ordered.back().name == from.name) ordered.pop_back();
    ordered.push_back(std::move(from));
  }
  members = std::move(ordered);
}

/// The text is well-formed and no deeper than kJsonDepth, so the recursion ends there.
void readValue(JsonCursor& cursor, JsonValue& into) {
  using Kind = JsonValue::Kind;
  const char first = cursor.peek();
  if (first == '{' || first == '[') {
    into.kind = first == '{' ? Kind::Object : Kind::Array;
    std::string scratch;
    for (bool more = cursor.enter(); more; more = cursor.more()) {
      JsonValue& item = into.items.emplace_back();
      if (first == '{') item.name = decodeString(cursor.key(), scratch);
      readValue(cursor, item);
    }
    if (first == '{') orderMembers(into.items);
    return;
  }
  const std::string_view written = cursor.value();
  if (first == '"') {
    into.kind = Kind::String;
    std::string scratch;
    into.text = decodeString(written, scratch);
  } else if (first == 't' || first == 'f' || first == 'n') {
    into.kind = first == 't' ? Kind::True : first == 'f' ? Kind::False : Kind::Null;
  } else {
    into.kind = Kind::Number;
    into.text = written;
  }
}

/// Always 19 digits, but for zero: then exponents, and digits of one exponent, compare as the numbers do.
Decimal normalized(std::string_view text) {
  Decimal decimal = decimalOf(text);
  if (decimal.digits == 0) return {false, false, 0, INT32_MIN};
  for (; decimal.digits < 1'000'000'000'000'000'000ull; --decimal.exponent) decimal.digits *= 10;
  return decimal;
}

template <class T>
int order(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compareNumbers(std::string_view a, std::string_view b) {
  const Decimal x = normalized(a), y = normalized(b);
  if (x.negative != y.negative) return x.negative ? -1 : 1;
  const int magnitude = x.exponent != y.exponent ? order(x.exponent, y.exponent) : order(x.digits, y.digits);
  return x.negative ? -magnitude : magnitude;
}

}  // namespace

double JsonValue::number() const {
  return toDouble(decimalOf(text));
}

std::optional<std::uint64_t> JsonValue::unsignedInteger() const {
  if (kind != Kind::Number) return std::nullopt;
  std::uint64_t value = 0;
  for (const char byte : text) {
    if (byte < '0' || byte > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(byte - '0');
    if (value > (UINT64_MAX - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

const JsonValue* JsonValue::find(std::string_view member) const {
  if (kind != Kind::Object) return nullptr;
  const auto at = std::lower_bound(items.begin(), items.end(), member,
                                   [](const JsonValue& item, std::string_view key) { return item.name < key; });
  return at != items.end() && at->name == member ? &*at : nullptr;
}

const JsonValue* JsonValue::find(const char* member) const {
  return find(std::string_view(member));
}

bool isJson(std::string_view text, std::uint32_t depth) {
  JsonScanner scanner({UINT64_MAX, depth, UINT32_MAX});
  DepthListener listener;
  scanner.push(text, listener);
  scanner.end(listener);
  return scanner.status() == ScanStatus::Whole && !listener.deep;
}

std::optional<JsonValue> parseJson(std::string_view text) {
  if (!isJson(text, kJsonDepth)) return std::nullopt;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  JsonCursor cursor(text);
  JsonValue value;
  readValue(cursor, value);
  return value;
}

int compareJson(const JsonValue& a, const JsonValue& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.kind == JsonValue::Kind::Number) return compareNumbers(a.text, b.text);
  if (a.kind == JsonValue::Kind::String) return a.text.compare(b.text);
  if (a.items.size() != b.items.size()) return order(a.items.size(), b.items.size());
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (const int names = a.isObject() ? a.items[i].name.compare(b.items[i].name) : 0; names != 0) return names;
    if (const int values = compareJson(a.items[i], b.items[i]); values != 0) return values;
  }
  return 0;
}

bool allDistinct(const JsonValue& array) {
  const Pointers sorted = sortedPointers(array.items, comparesBefore);
  for (std::size_t i = 1; i < sorted.size(); ++i)
    if (compareJson(*sorted[i - 1], *sorted[i]) == 0) return false;
  return true;
}

void mergePatch(JsonValue& target, const JsonValue& patch) {
  if (!patch.isObject()) {
    std::string name = std::move(target.name);
    target = patch;
    target.name = std::move(name);
    return;
  }
  if (!target.isObject()) {
    target.kind = JsonValue::Kind::Object;
    target.text.clear();
    target.items.clear();
  }
  // Both are in order: one pass over both, as inserting member by member would be quadratic.
  std::vector<JsonValue> merged;
  auto old = target.items.begin();
  for (const JsonValue& change : patch.items) {
    while (old != target.items.end() && old->name < change.name) merged.push_back(std::move(*old++));
    JsonValue value;
    value.name = change.name;
    if (old != target.items.end() && old->name == change.name) value = std::move(*old++);
    if (change.isNull()) continue;
    mergePatch(value, change);
    merged.push_back(std::move(value));
  }
  while (old != target.items.end()) merged.push_back(std::move(*old++));
  target.items = std::move(merged);
}

void writeJson(JsonWriter& writer, const JsonValue& value) {
  using Kind = JsonValue::Kind;
  switch (value.kind) {
    case Kind::Null: writer.null(); return;
    case Kind::False:
    case Kind::True: writer.boolean(value.isTrue()); return;
    case Kind::Number: writer.raw(value.text); return;
    case Kind::String: writer.string(value.text); return;
    case Kind::Array:
    case Kind::Object: break;
  }
  const bool object = value.isObject();
  object ? writer.beginObject() : writer.beginArray();
  for (const JsonValue& item : value.items) {
    if (object) writer.key(item.name);
    writeJson(writer, item);
  }
  object ? writer.endObject() : writer.endArray();
}

}  // namespace aetherflow
