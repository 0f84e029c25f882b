import { failureKindWords, type FailureKind } from '../../../bindings/generated/wire.js'
import type { CallFailureInfo, Usage } from '../../../bindings/ports.js'
import { failureKindOf, type FailureTable } from '../providers/failures/index.js'
import { bareFacts, errorFacts } from './envelopes.js'
import type { ErrorFacts } from './facts.js'
import { safeMessage } from './redact.js'
import { retryAfterMs, type HeaderReader } from './retry-after.js'

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

/** What must not reach an error text. */
export interface Confidential {
  readonly secrets: readonly string[]
  /** Prompt texts, and what has been received of the answer. */
  readonly payloads: readonly string[]
}

/** What a refused request can do without from now on, in words ("without thinking"); undefined: the refusal is of something else. */
export type Adapt = (status: number, facts: ErrorFacts) => string | undefined

/**
 * A non-2xx reply as a failure. `bodyText` may be JSON, plain text or a gateway's HTML page, whose text says nothing.
 * `table`: of the provider; absent: all of them.
 */
export function failureFromResponse(
  response: { readonly status: number; readonly headers: HeaderReader },
  bodyText: string,
  confidential: Confidential,
  nowMs: number,
  table?: FailureTable,
  adapt?: Adapt,
): CallFailure {
  const facts = parsedFacts(bodyText)
  const adapted = adapt?.(response.status, facts)
  if (adapted !== undefined) {
    const message = `${composed(response.status, facts, confidential)}; asked again ${adapted}`
    return new CallFailure('adapted', message, { status: response.status })
  }
  const wait = waitOf(facts, response.headers, nowMs)
  const hint = response.headers.get('x-should-retry')
  const kind = failureKindOf(response.status, facts, table)
  return new CallFailure(kind, composed(response.status, facts, confidential), {
    status: response.status,
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...((hint === 'true' || hint === 'false') && { shouldRetry: hint === 'true' }),
  })
}

/** An error object that came inside a 200 reply. */
export function failureInStream(
  body: unknown,
  confidential: Confidential,
  usage?: Usage,
  table?: FailureTable,
): CallFailure {
  const facts = errorFacts(body)
  const wait = waitOf(facts, new Headers(), 0)
  return new CallFailure(failureKindOf(0, facts, table), composed(0, facts, confidential), {
    ...(wait !== undefined && { retryAfterMs: wait }),
    ...(usage && { usage }),
  })
}

/** A wait stated for a limit that is used up for the day would only be broken again. */
function waitOf(facts: ErrorFacts, headers: HeaderReader, nowMs: number): number | undefined {
  if (facts.exhausted) return undefined
  return facts.retryAfterMs ?? retryAfterMs({ headers, message: facts.message, type: facts.type, nowMs })
}

function parsedFacts(bodyText: string): ErrorFacts {
  const text = bodyText.trim()
  if (text.startsWith('<')) return bareFacts('the reply was an HTML page', true)
  try {
    return errorFacts(JSON.parse(text))
  } catch {
    return bareFacts(text, /^error code: \d+$/i.test(text))
  }
}

export { errorFacts, isError } from './envelopes.js'

/** "429 rate_limit_exceeded: …": the status and code always, the provider's words only when they are safe. */
function composed(status: number, facts: ErrorFacts, confidential: Confidential): string {
  const safe = (text: string) => safeMessage(text, confidential.secrets, confidential.payloads)
  // Google repeats the status where others have a code.
  const repeated = /^\d{3}$/.test(facts.code)
  const name = repeated ? facts.type || (status > 0 ? '' : facts.code) : facts.code || facts.type
  const head = [status > 0 ? String(status) : '', safe(name).slice(0, 60)].filter(Boolean).join(' ')
  return [head, safe(facts.message)].filter(Boolean).join(': ')
}
