import type { ModelRequest } from '../../../bindings/ports.js'
import { turns } from './chat-turns.js'
import type { ReadLimits } from '../limit-headers.js'
import type { FailureTable } from './failures/index.js'

/** What differs between hosts of the chat-completions format. One small object per provider; no state. */
export interface Dialect {
  readonly name: string
  /**
   * The request's JSON. May turn `stream` off where the provider cannot stream what is asked: the client reads whichever
   * form comes back.
   */
  body(request: ModelRequest): Readonly<Record<string, unknown>>
  /** What its errors mean; absent: as at any of the known providers. */
  readonly failures?: FailureTable
  /** What its headers say of limits; absent: OpenAI's names, which most hosts copy. */
  readonly limitHeaders?: ReadLimits
  /** How it goes on from text that is accepted already; absent: it cannot. */
  readonly prefix?: PrefixRule
}

/** An assistant turn at the end that the answer goes on from: `{"role":"assistant","content":"…","prefix":true}`. */
export interface PrefixRule {
  /** The base URL that takes such a turn, from the configured one; absent: the same. */
  readonly base?: (base: string) => string
  /** The reply begins with the text again, however short it is. Otherwise only a long one is taken for an echo. */
  readonly echoed?: true
}

/** The turns as plain strings: DeepSeek refuses content in parts. An empty system text sends no turn. */
export function messages(request: ModelRequest, systemRole: 'system' | 'developer' = 'system'): readonly object[] {
  const prefix = request.prefix ? [{ role: 'assistant', content: request.prefix, prefix: true }] : []
  if (request.chat) return [...turns(request.chat.messages, systemRole), ...prefix]
  return [
    ...(request.system === '' ? [] : [{ role: systemRole, content: request.system }]),
    { role: 'user', content: request.user },
    ...prefix,
  ]
}

export function temperature(request: ModelRequest): { readonly temperature?: number } {
  return request.temperature === undefined ? {} : { temperature: request.temperature }
}

/** Both of a provider's JSON modes want an object at the root; another schema is left to the prompt. */
export function hasObjectRoot(schema: Readonly<Record<string, unknown>>): boolean {
  return schema['type'] === 'object'
}

/** The schema mode of OpenAI and Groq. `strict` only where their strict rules hold, else they answer 400. */
export function schemaFormat(schema: Readonly<Record<string, unknown>>): object {
  const plain = bareReferences(schema, 0)
  return { type: 'json_schema', json_schema: { name: 'answer', schema: plain, strict: isStrict(plain, 0) } }
}

/** Words beside a reference that say nothing of values; strict modes refuse a reference that has any company. */
const annotations: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  '$comment',
  'deprecated',
])

/** The schema with its references alone where only annotations stood beside them. */
function bareReferences(schema: unknown, depth: number): unknown {
  if (Array.isArray(schema)) return schema.map((part) => bareReferences(part, depth + 1))
  if (!isMap(schema) || depth > 32) return schema
  const beside = Object.keys(schema).filter((name) => name !== '$ref')
  if (typeof schema['$ref'] === 'string' && beside.length > 0 && beside.every((name) => annotations.has(name)))
    return { $ref: schema['$ref'] }
  return Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, bareReferences(part, depth + 1)]))
}

/** Whether every object lists all its properties as required and forbids others, as far as 32 levels down. */
function isStrict(schema: unknown, depth: number): boolean {
  if (Array.isArray(schema)) return schema.every((part) => isStrict(part, depth + 1))
  if (typeof schema !== 'object' || schema === null) return true
  if (depth > 32) return false
  const node = schema as Readonly<Record<string, unknown>>
  const properties = node['properties']
  if (node['type'] === 'object' || isMap(properties)) {
    const required: readonly unknown[] = Array.isArray(node['required']) ? node['required'] : []
    const names = isMap(properties) ? Object.keys(properties) : []
    if (node['additionalProperties'] !== false || !names.every((name) => required.includes(name))) return false
  }
  if (Array.isArray(node['type']) || 'allOf' in node || 'oneOf' in node || 'not' in node || 'patternProperties' in node)
    return false
  const maps = [properties, node['$defs'], node['definitions']].filter(isMap)
  return (
    maps.every((map) => Object.values(map).every((part) => isStrict(part, depth + 1))) &&
    isStrict(node['items'], depth + 1) &&
    isStrict(node['anyOf'], depth + 1)
  )
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
