#pragma once
// A JSON Schema checker for what language models are asked to return.

#include <string>
#include <string_view>

namespace aetherflow {

/// Empty when the JSON text obeys the schema, else the keyword that it breaks and where, e.g.
/// "required at /steps/2". The place is a JSON Pointer; names that the schema does not know appear as "*", so that no
/// byte of the answer gets into a report.
///
/// Checked: type, properties, required, additionalProperties, items, prefixItems, enum, const, minimum, maximum,
/// exclusiveMinimum, exclusiveMaximum, minLength, maxLength (code points), minItems, maxItems, uniqueItems,
/// minProperties, maxProperties, anyOf, oneOf, allOf, not, $ref into the same document ("#", "#/…"), nullable.
/// Ignored, as a schema may ignore what it does not know: pattern, format, patternProperties (its presence lifts
/// additionalProperties), multipleOf, contains, if/then/else and every other keyword.
///
/// Bounds: 64 levels of data, 192 of schema and data together, a million node checks; beyond them the answer is refused
/// ("depth at …", "effort at …"): loops of $ref end there.
std::string schemaViolation(std::string_view schema, std::string_view json);

}  // namespace aetherflow
