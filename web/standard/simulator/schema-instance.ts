type Schema = Readonly<Record<string, unknown>>

/** Deeper than this only what the schema insists on is made; a schema that insists for ever has no instance. */
const roomyDepth = 3
const maxDepth = 40

/**
 * A small JSON value that the schema accepts: required members only (all of them when none is required at the root), one
 * item where none is demanded. Knows type, const, enum, default, properties, required, items, prefixItems, anyOf, oneOf, allOf,
 * local $ref, the bounds of numbers, strings and arrays, uniqueItems and the common formats; `pattern`, `not` and `if` are
 * ignored. Null when the schema recurses without end.
 */
export function schemaInstance(schema: unknown): unknown {
  return make(schema, { root: schema, depth: 0, name: 'value', index: 0 })
}

interface Place {
  readonly root: unknown
  readonly depth: number
  readonly name: string
  /** Position in an array: makes unique items differ. */
  readonly index: number
}

function make(schema: unknown, place: Place): unknown {
  if (typeof schema !== 'object' || schema === null || place.depth > maxDepth) return null
  const node = resolved(schema as Schema, place)
  if ('const' in node) return node['const']
  const choices = list(node['enum'])
  if (choices.length > 0) return choices[place.index % choices.length]
  switch (typeOf(node, place.depth)) {
    case 'object':
      return makeObject(node, place)
    case 'array':
      return makeArray(node, place)
    case 'string':
      return makeString(node, place)
    case 'integer':
      return makeNumber(node, place, 1)
    case 'number':
      return makeNumber(node, place, typeof node['multipleOf'] === 'number' ? node['multipleOf'] : 0.5)
    case 'boolean':
      return place.index % 2 === 0
    default:
      return null
  }
}

/** The node with its references followed, its first alternative taken and its allOf parts merged in. */
function resolved(schema: Schema, place: Place): Schema {
  let node = schema
  for (let step = 0; step < maxDepth; step++) {
    const { $ref, anyOf, oneOf, allOf, ...own } = node as Schema & {
      $ref?: unknown
      anyOf?: unknown
      oneOf?: unknown
      allOf?: unknown
    }
    const parts: unknown[] = list(allOf).slice()
    if (typeof $ref === 'string') parts.push(pointed(place.root, $ref))
    for (const alternatives of [list(anyOf), list(oneOf)])
      if (alternatives.length > 0) parts.push(simplest(alternatives, place.depth))
    if (parts.length === 0) return node
    node = parts.reduce<Schema>((sum, part) => merged(sum, part), own)
  }
  return { const: null }
}

/** Near the root the first alternative; deeper one that ends soonest, so that trees do not grow without end. */
function simplest(alternatives: readonly unknown[], depth: number): unknown {
  const leaf = alternatives.find((part) =>
    ['null', 'string', 'number', 'integer', 'boolean'].includes(String((part as Schema)?.['type'])),
  )
  return depth < roomyDepth ? alternatives[0] : (leaf ?? alternatives[0])
}

function merged(left: Schema, right: unknown): Schema {
  if (typeof right !== 'object' || right === null) return left
  const other = right as Schema
  const both = { ...other, ...left }
  const properties = { ...map(other['properties']), ...map(left['properties']) }
  const required = [...new Set([...list(left['required']), ...list(other['required'])])]
  return {
    ...both,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(required.length > 0 && { required }),
  }
}

function pointed(root: unknown, reference: string): unknown {
  if (!reference.startsWith('#')) return {}
  let at: unknown = root
  for (const part of reference.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, name) ? (at as Schema)[name] : undefined
  }
  return at
}

function typeOf(node: Schema, depth: number): string {
  const type = node['type']
  if (Array.isArray(type)) return depth >= roomyDepth && type.includes('null') ? 'null' : String(type[0])
  if (typeof type === 'string') return type
  if ('properties' in node || 'required' in node) return 'object'
  if ('items' in node || 'prefixItems' in node || 'minItems' in node) return 'array'
  return 'minimum' in node || 'maximum' in node ? 'number' : 'string'
}

function makeObject(node: Schema, place: Place): unknown {
  const properties = map(node['properties'])
  const required = list(node['required']).map(String)
  const names = required.length === 0 && place.depth === 0 ? Object.keys(properties) : required
  // Pairs, not assignment: a member named __proto__ must become a member.
  return Object.fromEntries(
    names.map((name) => [name, make(member(properties, name, node), { ...place, depth: place.depth + 1, name })]),
  )
}

function member(properties: Schema, name: string, node: Schema): unknown {
  if (Object.hasOwn(properties, name)) return properties[name]
  return typeof node['additionalProperties'] === 'object' ? node['additionalProperties'] : { type: 'string' }
}

function makeArray(node: Schema, place: Place): unknown {
  const prefix = list(node['prefixItems'])
  const least = number(node['minItems']) ?? 0
  const most = number(node['maxItems']) ?? Infinity
  const wanted = Math.min(most, Math.max(least, prefix.length, place.depth < roomyDepth ? 1 : 0), 1000)
  return Array.from({ length: wanted }, (_, index) =>
    make(prefix[index] ?? node['items'] ?? { type: 'string' }, { ...place, depth: place.depth + 1, index }),
  )
}

const formats: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  time: '12:00:00Z',
  'date-time': '2026-01-01T12:00:00Z',
  email: 'someone@example.org',
  uri: 'https://example.org/',
  uuid: '00000000-0000-4000-8000-000000000000',
  ipv4: '192.0.2.1',
  hostname: 'example.org',
}

function makeString(node: Schema, place: Place): string {
  const format = formats[String(node['format'])]
  if (format !== undefined) return format
  const text = place.index > 0 ? `simulated ${place.name} ${place.index + 1}` : `simulated ${place.name}`
  const most = number(node['maxLength']) ?? Infinity
  // Cut from the left, so that the number that makes items differ stays.
  return (text.length > most ? text.slice(text.length - most) : text).padEnd(
    Math.min(number(node['minLength']) ?? 0, 100_000),
    '.',
  )
}

function makeNumber(node: Schema, place: Place, grain: number): number {
  const step = number(node['multipleOf']) ?? grain
  const above = number(node['exclusiveMinimum'])
  const below = number(node['exclusiveMaximum'])
  const least =
    above !== undefined
      ? (Math.floor(above / step) + 1) * step
      : Math.ceil((number(node['minimum']) ?? -Infinity) / step) * step
  const most =
    below !== undefined
      ? (Math.ceil(below / step) - 1) * step
      : Math.floor((number(node['maximum']) ?? Infinity) / step) * step
  const start = Number.isFinite(least) ? least : Math.min(step, most)
  return Math.min(start + place.index * step, Math.max(most, start))
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
function map(value: unknown): Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : {}
}
function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
