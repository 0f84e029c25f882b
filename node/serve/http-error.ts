/** What a request is refused with, in the shape that clients of OpenAI read: `{"error":{message,type,param,code}}`. */
import { AetherflowError } from '../../bindings/errors.js'
import type { FailureKind } from '../../bindings/generated/wire.js'
import { ChatFailure } from '../../web/standard/chat/chat-run.js'

export interface HttpErrorOptions {
  readonly param?: string | undefined
  /** Earliest time at which a repeat can succeed, ms from now. */
  readonly retryAfterMs?: number | undefined
  /** A repeat is pointless. Default: of every status but 408, 409, 429, 503 and 504. */
  readonly final?: boolean | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** The message goes to the caller: no prompt, no answer, no key, no path. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly options: HttpErrorOptions = {},
  ) {
    super(message)
  }

  get body(): { readonly error: object } {
    const { message, code, options, status } = this
    return { error: { message, type: typeOf(status), param: options.param ?? null, code } }
  }

  get headers(): Record<string, string> {
    const { retryAfterMs, final = !repeatable.has(this.status), headers } = this.options
    const wait = retryAfterMs === undefined ? undefined : Math.max(0, Math.ceil(retryAfterMs))
    return {
      ...(wait === undefined
        ? {}
        : { 'retry-after': String(Math.max(1, Math.ceil(wait / 1000))), 'retry-after-ms': String(wait) }),
      'x-should-retry': String(!final),
      ...headers,
    }
  }
}

const repeatable: ReadonlySet<number> = new Set([408, 409, 429, 503, 504])

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 402) return 'budget_exceeded'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

export const badRequest = (message: string, param?: string): HttpError =>
  new HttpError(400, 'invalid_request_error', message, { param })

/** What each way to fail is to a caller of the server: status and code. A key that a provider refuses is never the caller's. */
const failures: Readonly<Partial<Record<FailureKind, readonly [status: number, code: string]>>> = {
  rate_limited: [429, 'rate_limit_exceeded'],
  quota_exhausted: [503, 'provider_quota_exhausted'],
  auth: [503, 'provider_refused_key'],
  denied: [503, 'provider_denied'],
  bad_request: [400, 'invalid_request_error'],
  too_large: [400, 'context_length_exceeded'],
  content_blocked: [400, 'content_filter'],
  input: [400, 'invalid_request_error'],
  not_found: [404, 'model_not_found'],
  budget_exceeded: [402, 'budget_exceeded'],
  cancelled: [499, 'request_cancelled'],
  deadline: [504, 'deadline_exceeded'],
  timeout_connect: [504, 'provider_timeout'],
  timeout_first_token: [504, 'provider_timeout'],
  timeout_idle: [504, 'provider_timeout'],
  timeout_total: [504, 'provider_timeout'],
  constraint_violated: [502, 'constraint_violated'],
  malformed: [502, 'provider_malformed'],
  truncated: [502, 'provider_truncated'],
  generation_failed: [502, 'generation_failed'],
  host: [500, 'internal_error'],
}

/** How long a caller is asked to wait when nobody knows better, ms. */
const retryMs = 1000

/** Any error as a refusal; what nobody foresaw tells nothing of itself. */
export function httpErrorOf(error: unknown): HttpError {
  if (error instanceof HttpError) return error
  if (error instanceof ChatFailure) return ofFailure(error.kind, error.message, error.retryAfterMs)
  if (error instanceof AetherflowError) return ofCode(error)
  return new HttpError(500, 'internal_error', 'the server failed on this request')
}

export function ofFailure(kind: FailureKind, message: string, retryAfterMs?: number): HttpError {
  const [status, code] = failures[kind] ?? [503, 'no_provider_available']
  const waits = status === 429 || status === 503 || status === 504
  // These last: a repeat meets the same refusal.
  const final = kind === 'auth' || kind === 'denied' || kind === 'quota_exhausted' ? true : undefined
  return new HttpError(status, code, message, {
    ...(waits ? { retryAfterMs: retryAfterMs ?? retryMs } : {}),
    ...(final === undefined ? {} : { final }),
  })
}

function ofCode(error: AetherflowError): HttpError {
  const { code, message } = error
  if (code === 'route.unknown_provider') return new HttpError(404, 'model_not_found', message, { param: 'model' })
  if (code === 'route.no_provider')
    return new HttpError(503, 'no_provider_available', message, { retryAfterMs: 60_000, final: true })
  if (code === 'plan.too_large') return new HttpError(413, code, message)
  if (code.startsWith('plan.') || code.startsWith('json.') || code === 'options.invalid' || code === 'host.usage')
    return new HttpError(400, code, message)
  if (code === 'host.run_locked') return new HttpError(409, code, 'another process owns this run')
  // Paths and addresses of this machine are nobody else's business.
  return new HttpError(500, code, `the server failed on this request (${error.advice})`)
}
