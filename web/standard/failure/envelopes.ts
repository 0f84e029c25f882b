/** What a provider's error says, whatever its envelope. */
import type { ErrorFacts } from './facts.js'
import { googleFacts } from './google.js'

/** A reply that says nothing: a bare text, a page. */
export function bareFacts(message: string, page = false): ErrorFacts {
  return { code: '', type: '', param: '', message, ...(page && { page }) }
}

type Fields = Readonly<Record<string, unknown>>

/** Envelopes inside envelopes, as gateways make them, are followed this far. */
const maxDepth = 3

/**
 * Reads any of the envelopes that are known; where two hold a text, the first of this list wins:
 *
 *     {error: {message, code, type, param, metadata: {raw}}}     OpenAI and most others; `raw` is what the host behind a gateway said
 *     [{error: …}]                                               Gemini's list of one
 *     {errors: [{message}]}    {choices: [{error: {…}}]}         gateways
 *     {base_resp: {status_code, status_msg}}                     MiniMax
 *     {error: "text"}    {message}    {detail: "text" | [{loc, msg}]}    a bare text
 */
export function errorFacts(body: unknown, depth = 0): ErrorFacts {
  if (typeof body === 'string') return parsed(body, depth) ?? bareFacts(body)
  const outer = record(Array.isArray(body) ? body[0] : body)
  const inner = innerOf(outer)
  const own = texts(outer, inner).find((part) => part !== '') ?? ''
  const nested = parsed(own, depth)
  const behind = rawFacts(inner, depth)
  const message = [nested?.message ?? own, behind?.message].filter(Boolean).join(': ')
  const limitReached = /max(?:imum)? (?:completion|output) tokens reached/i.test(word(inner['failed_generation']))
  return {
    code: word(inner['code'] ?? inner['status_code'] ?? inner['error_code']) || (nested?.code ?? ''),
    type: word(inner['type']) || (nested?.type ?? ''),
    param: word(inner['param']) || placeOf(outer['detail']),
    message,
    ...(limitReached && { limitReached }),
    ...googleFacts(inner, message),
  }
}

/** Whether an object that came where an answer was expected is an error. */
export function isError(body: Fields): boolean {
  if (body['error'] || body['object'] === 'error' || body['type'] === 'error') return true
  const first = record(listOf(body['choices'])[0])
  if (record(first['error'])['message'] !== undefined) return true
  if (body['choices'] !== undefined || body['candidates'] !== undefined || body['usage'] !== undefined) return false
  if (listOf(body['errors']).length > 0) return true
  const { base_resp: base } = body
  if (base !== undefined) return Number(record(base)['status_code'] ?? 0) !== 0
  if (typeof body['detail'] === 'string' || Array.isArray(body['detail'])) return true
  return typeof body['message'] === 'string' && ['code', 'status', 'request_id', 'type'].some((name) => name in body)
}

function innerOf(outer: Fields): Fields {
  const choice = record(listOf(outer['choices'])[0])
  const places = [outer['error'], listOf(outer['errors'])[0], choice['error'], outer['base_resp']]
  const found = places.find((place) => typeof place === 'object' && place !== null && !Array.isArray(place))
  return found === undefined ? outer : record(found)
}

function texts(outer: Fields, inner: Fields): readonly string[] {
  return [
    outer['error'],
    inner['message'],
    inner['msg'],
    inner['status_msg'],
    listOf(outer['errors'])[0],
    outer['detail'],
    record(inner['message'])['detail'],
    inner['details'],
    inner['error'],
  ].map(wording)
}

/** A message that is itself an envelope, as a text. */
function parsed(text: string, depth: number): ErrorFacts | undefined {
  if (depth >= maxDepth || !/^\s*[[{]/.test(text)) return undefined
  try {
    const facts = errorFacts(JSON.parse(text), depth + 1)
    return facts.message === '' ? undefined : facts
  } catch {
    return undefined
  }
}

/** What the host behind a gateway said: as text, as JSON in a text, or as an object. */
function rawFacts(inner: Fields, depth: number): ErrorFacts | undefined {
  const raw = record(inner['metadata'])['raw']
  return raw === undefined || depth >= maxDepth ? undefined : errorFacts(raw, depth + 1)
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : []
}

function record(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** The member that a list of `{loc, msg}` names first: `body.stream_options` without its root. */
function placeOf(detail: unknown): string {
  const { loc } = record(listOf(detail)[0])
  return listOf(loc)
    .filter((part) => part !== 'body')
    .join('.')
}

/** Mistral's `detail` is a list of `{loc, msg}`; the place is worth as much as the words. */
function wording(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return (value as unknown[])
    .map((item) => [listOf(record(item)['loc']).join('.'), word(record(item)['msg'])].filter(Boolean).join(': '))
    .filter(Boolean)
    .join('; ')
}
