type Schema = Readonly<Record<string, unknown>>

const typeNames: ReadonlyMap<unknown, string> = new Map([
  ['object', 'OBJECT'],
  ['array', 'ARRAY'],
  ['string', 'STRING'],
  ['integer', 'INTEGER'],
  ['number', 'NUMBER'],
  ['boolean', 'BOOLEAN'],
])

/** Keywords that mean the same in both, and the kind of value that both take. */
const sameMeaning: ReadonlyMap<string, (value: unknown) => boolean> = new Map([
  ['title', isText],
  ['description', isText],
  ['pattern', isText],
  ['required', isTexts],
  ['minItems', isCount],
  ['maxItems', isCount],
  ['minLength', isCount],
  ['maxLength', isCount],
  ['minProperties', isCount],
  ['maxProperties', isCount],
  ['minimum', isNumber],
  ['maximum', isNumber],
])

/** Deeper than this a schema is left as it is. */
const maxDepth = 32

/**
 * A JSON Schema in the subset of OpenAPI 3.0 that `responseSchema` takes, or `undefined` when a part of it has no counterpart
 * there: `additionalProperties`, references, several types, `const`, enumerated numbers, formats, and whatever is unknown here.
 * Nothing is dropped, so what conversion yields accepts exactly what the original accepts; `$schema` says nothing of values.
 */
export function openApiSchema(schema: Schema): Schema | undefined {
  return convert(schema, 0)
}

function convert(schema: unknown, depth: number): Schema | undefined {
  if (!isMap(schema) || depth > maxDepth) return undefined
  const made: Record<string, unknown> = {}
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$schema' && depth === 0) continue
    const part = converted(keyword, value, depth)
    if (!part) return undefined
    Object.assign(made, part)
  }
  return isTaken(made) ? made : undefined
}

/** What the provider demands beyond the keywords: a type everywhere but at a choice, which stands alone, and whole containers. */
function isTaken(made: Schema): boolean {
  if ('anyOf' in made) return Object.keys(made).every((keyword) => /^(?:anyOf|title|description)$/.test(keyword))
  const names = isMap(made['properties']) ? Object.keys(made['properties']) : []
  const required = (made['required'] ?? []) as readonly string[]
  if (!required.every((name) => names.includes(name))) return false
  if (made['type'] === 'OBJECT') return names.length > 0
  if (made['type'] === 'ARRAY') return 'items' in made
  // There `nullable` wins over the list of values, here the list over the type.
  return 'type' in made && !('nullable' in made && 'enum' in made)
}

/** One keyword as the members that it becomes, or `undefined` when it has no counterpart. */
function converted(keyword: string, value: unknown, depth: number): Schema | undefined {
  if (sameMeaning.get(keyword)?.(value)) return { [keyword]: value }
  switch (keyword) {
    case 'type':
      return typed(value)
    case 'enum':
      return isTexts(value) ? { enum: value } : undefined
    case 'items': {
      const items = convert(value, depth + 1)
      return items && { items }
    }
    case 'properties': {
      if (!isMap(value)) return undefined
      const members = Object.entries(value).map(([name, member]) => [name, convert(member, depth + 1)] as const)
      // The order of the names is the order in which the model writes them; without this it is alphabetical.
      return members.every(([, member]) => member)
        ? { properties: Object.fromEntries(members), propertyOrdering: members.map(([name]) => name) }
        : undefined
    }
    case 'anyOf': {
      if (!Array.isArray(value) || value.length === 0) return undefined
      const anyOf = value.map((alternative) => convert(alternative, depth + 1))
      return anyOf.every(Boolean) ? { anyOf } : undefined
    }
    default:
      return undefined
  }
}

/** A type, or a type and null. */
function typed(value: unknown): Schema | undefined {
  const names: readonly unknown[] = Array.isArray(value) ? value.filter((name) => name !== 'null') : [value]
  const type = names.length === 1 ? typeNames.get(names[0]) : undefined
  if (type === undefined) return undefined
  return Array.isArray(value) && value.includes('null') ? { type, nullable: true } : { type }
}

function isMap(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function isText(value: unknown): boolean {
  return typeof value === 'string'
}
function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}
