import { failureKindWords, type FailureKind } from '../../bindings/generated/wire.js'
import type { CallFailureInfo, Usage } from '../../bindings/ports.js'
import { googleFacts } from './failure-google.js'
import { safeMessage } from './redact.js'
import { retryAfterMs } from './retry-after.js'

/** A failed call. Carries no cause: an inner error of the platform may quote the address, a header or the body. */
export class CallFailure extends Error implements CallFailureInfo {
  override readonly name = 'CallFailure'
  readonly kind: FailureKind
  readonly status?: number
  readonly retryAfterMs?: number
  readonly usage?: Usage
  /** The provider's own word on a retry (`x-should-retry`), which wins over any table; absent when it is silent. */
  readonly shouldRetry?: boolean

  constructor(
    kind: FailureKind,
    message?: string,
    more: Omit<CallFailureInfo, 'kind' | 'message'> & { shouldRetry?: boolean } = {},
  ) {
    super(message || failureKindWords[kind])
    this.kind = kind
    if (more.status !== undefined) this.status = more.status
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs
    if (more.usage !== undefined) this.usage = more.usage
    if (more.shouldRetry !== undefined) this.shouldRetry = more.shouldRetry
  }
}

/** What a provider's error says, whatever its envelope. Missing parts are ''. */
export interface ErrorFacts {
  readonly code: string
  readonly type: string
  readonly message: string
  /** Earliest retry, ms from now, when the body itself names one in a member of its own. */
  readonly retryAfterMs?: number
  /** The body says that a limit of the account is used up which no short wait brings back. */
  readonly exhausted?: boolean
}

/** What must not reach an error text. */
export interface Confidential {
  readonly secrets: readonly string[]
  /** Prompt texts, and what has been received of the answer. */
  readonly payloads: readonly string[]
}

/** Codes and types that mean the same whatever the status. Words as vague as `invalid_request_error` are left out on purpose. */
const kindByWord: ReadonlyMap<string, FailureKind> = new Map([
  ['insufficient_quota', 'quota_exhausted'],
  ['credit_balance_exhausted', 'quota_exhausted'],
  ['invalid_api_key', 'auth'],
  ['authentication_error', 'auth'],
  ['permission_error', 'auth'],
  ['context_length_exceeded', 'too_large'],
  ['rate_limit_exceeded', 'rate_limited'],
  ['rate_limit_error', 'rate_limited'],
  ['rate_limited', 'rate_limited'],
  ['slow_down', 'rate_limited'],
  ['capacity_exceeded', 'overloaded'],
  ['server_is_overloaded', 'overloaded'],
  ['service_unavailable_error', 'overloaded'],
  ['overloaded_error', 'overloaded'],
  ['insufficient_system_resource', 'overloaded'],
  ['server_error', 'server_error'],
  ['internal_server_error', 'server_error'],
  ['model_not_found', 'not_found'],
  ['model_decommissioned', 'not_found'],
  ['invalid_model', 'not_found'],
  ['content_filter', 'content_blocked'],
  ['content_policy_violation', 'content_blocked'],
  // Groq checked the answer against JSON itself and refused it: a repair can help, the same call again hardly.
  ['json_validate_failed', 'constraint_violated'],
  // Google's reasons and statuses; a key that is wrong comes as 400 INVALID_ARGUMENT with this reason.
  ['API_KEY_INVALID', 'auth'],
  ['UNAUTHENTICATED', 'auth'],
  ['PERMISSION_DENIED', 'auth'],
  ['NOT_FOUND', 'not_found'],
  ['RESOURCE_EXHAUSTED', 'rate_limited'],
  ['INVALID_ARGUMENT', 'bad_request'],
  ['FAILED_PRECONDITION', 'bad_request'],
  ['UNAVAILABLE', 'overloaded'],
  ['INTERNAL', 'server_error'],
  ['DEADLINE_EXCEEDED', 'server_error'],
])

const kindByStatus: ReadonlyMap<number, FailureKind> = new Map([
  [400, 'bad_request'],
  [401, 'auth'],
  [402, 'quota_exhausted'],
  [403, 'auth'],
  [404, 'not_found'],
  [405, 'not_found'],
  [408, 'server_error'],
  [409, 'server_error'],
  [413, 'too_large'],
  [422, 'bad_request'],
  [429, 'rate_limited'],
  [498, 'overloaded'], // Groq: flex tier without capacity
  [499, 'server_error'], // Groq: cancelled on its side, not ours
  [503, 'overloaded'],
  [529, 'overloaded'],
])

/** In the words of DeepSeek and OpenAI, Groq, Gemini. */
const tooLarge = /maximum context length|context window|request too large|exceeds the maximum number of tokens allowed/i

/** `status` 0: an error inside a stream that began with 200. */
export function failureKindOf(status: number, facts: ErrorFacts): FailureKind {
  // Groq sends 413 with the code of a rate limit: waiting never makes that prompt fit.
  if (status === 413) return 'too_large'
  if (tooLarge.test(facts.message)) return 'too_large'
  // Only Mistral's wording: DeepSeek's "based on your remaining balance" is a plain concurrency limit.
  if (/tier capacity exceeded/i.test(facts.message)) return 'overloaded'
  // Gemini's status word is the same for an empty purse (402) and a full minute (429).
  if (facts.exhausted || status === 402) return 'quota_exhausted'
  const byWord = kindByWord.get(facts.code) ?? kindByWord.get(facts.type)
  if (byWord) return byWord
  const numeric = status || Number(facts.code)
  return kindByStatus.get(numeric) ?? (numeric >= 400 && numeric < 500 ? 'bad_request' : 'server_error')
}

/** Reads any of the envelopes, Gemini's list of one error too: `error.message`, then `message` (text or object), then `detail` (text or list), then the bare text. */
export function errorFacts(body: unknown): ErrorFacts {
  if (typeof body === 'string') return { code: '', type: '', message: body }
  const outer = record(Array.isArray(body) ? body[0] : body)
  const inner = typeof outer['error'] === 'object' ? record(outer['error']) : outer
  const text = [outer['error'], inner['message'], outer['detail'], record(inner['message'])['detail']].map(wording)
  const message = text.find((part) => part !== '') ?? ''
  return { code: word(inner['code']), type: word(inner['type']), message, ...googleFacts(inner) }
}

/** A non-2xx reply as a failure. `bodyText` may be JSON, plain text or a gateway's HTML page, whose text says nothing. */
export function failureFromResponse(
  response: { readonly status: number; readonly headers: Headers },
  bodyText: string,
  confidential: Confidential,
  nowMs: number,
): CallFailure {
  const facts = parsedFacts(bodyText)
  const wait = waitOf(facts, response.headers, nowMs)
  const hint = response.headers.get('x-should-retry')
  const kind = failureKindOf(response.status, facts)
  return new CallFailure(kind, composed(response.status, facts, confidential), {
    status: response.status,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...((hint === 'true' || hint === 'false') && { shouldRetry: hint === 'true' }),
  })
}

/** An error object that came inside a 200 reply. */
export function failureInStream(body: unknown, confidential: Confidential, usage?: Usage): CallFailure {
  const facts = errorFacts(body)
  const wait = waitOf(facts, new Headers(), 0)
  return new CallFailure(failureKindOf(0, facts), composed(0, facts, confidential), {
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(usage && { usage }),
  })
}

/** A wait stated for a limit that is used up for the day would only be broken again. */
function waitOf(facts: ErrorFacts, headers: Headers, nowMs: number): number | undefined {
  if (facts.exhausted) return undefined
  return facts.retryAfterMs ?? retryAfterMs({ headers, message: facts.message, type: facts.type, nowMs })
}

function parsedFacts(bodyText: string): ErrorFacts {
  const text = bodyText.trim()
  if (text.startsWith('<')) return { code: '', type: '', message: 'the reply was an HTML page' }
  try {
    return errorFacts(JSON.parse(text))
  } catch {
    return errorFacts(text)
  }
}

/** "429 rate_limit_exceeded: …": the status and code always, the provider's words only when they are safe. */
function composed(status: number, facts: ErrorFacts, confidential: Confidential): string {
  const safe = (text: string) => safeMessage(text, confidential.secrets, confidential.payloads)
  // Google repeats the status where others have a code.
  const name = /^\d{3}$/.test(facts.code) && facts.type ? facts.type : facts.code || facts.type
  const head = [status > 0 ? String(status) : '', safe(name).slice(0, 60)].filter(Boolean).join(' ')
  return [head, safe(facts.message)].filter(Boolean).join(': ')
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** Mistral's `detail` is a list of `{loc, msg}`; the place is worth as much as the words. */
function wording(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  return value
    .map((item) =>
      [
        Array.isArray(record(item)['loc']) ? (record(item)['loc'] as unknown[]).join('.') : '',
        word(record(item)['msg']),
      ]
        .filter(Boolean)
        .join(': '),
    )
    .join('; ')
}
