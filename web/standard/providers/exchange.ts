/** One call over HTTP, whatever the wire format: key, time-outs, redirects, refusals, the stream and the whole reply. */
import type {
  CallObserver,
  Clock,
  Fetch,
  LimitSeen,
  ModelReply,
  Transport,
  TransportReply,
} from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { CallFailure, failureFromResponse, type Adapt, type Confidential } from '../failure/failure.js'
import { openaiLimits, type ReadLimits } from '../limit-headers.js'
import { fetchTransport } from '../transport/transport.js'
import { readText } from './body.js'
import { CallGuard, type Timeouts } from './call-guard.js'
import type { FailureTable } from './failures/index.js'
import type { Reply } from './reply.js'
import { readStream, readWhole } from './stream.js'
import { transportFailure } from './transport-failure.js'

/** What every client is made of. `transport` or `fetch`; the transport wins. */
export interface ClientConfig {
  readonly fetch?: Fetch
  readonly transport?: Transport
  /** From trusted configuration only: the key goes there. Without the path of the endpoint, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Asked for once a call; the key is held no longer than the call. */
  readonly key: () => string | Promise<string>
  /** The host asks for no key: an empty one is sent to nobody. */
  readonly keyless?: boolean
  /** Name of the header that carries a request's idempotency key; absent: none is sent. Pages only where the preflight lets it through. */
  readonly idempotencyHeader?: string
  readonly timeouts?: Timeouts
  /** Patience with the first token of a model, ms; `undefined`: that of `timeouts`. Models that think take longer. */
  readonly patience?: ((model: string) => number | undefined) | undefined
  readonly clock?: Clock
  /** Wall-clock time, ms since 1970, for `Retry-After` dates. */
  readonly wallClock?: () => number
}

/** One request, ready but for the key. */
export interface Exchange {
  readonly url: string
  /** The one header that carries the key: never the address, which ends up in logs. */
  readonly authorisation: (key: string) => Readonly<Record<string, string>>
  readonly body: Readonly<Record<string, unknown>>
  /** Whether a stream was asked for. A host that answers with a whole reply all the same is understood. */
  readonly stream: boolean
  /** Prompt texts, which no error text may quote. */
  readonly payloads: readonly string[]
  readonly reply: (confidential: Confidential) => Reply
  /** The host may put an error into a stream as bare JSON between the events. */
  readonly bareErrors?: boolean
  /** What the reply's headers say of limits. Default: OpenAI's, which most hosts copy. */
  readonly limitHeaders?: ReadLimits | undefined
  readonly idempotencyKey?: string | undefined
  /** What the provider's errors mean; absent: as at any of the known ones. */
  readonly failures?: FailureTable | undefined
  /** What a refused request can do without from now on; absent: nothing was added to it. */
  readonly adapt?: Adapt | undefined
  /** The model that is asked, for its patience. */
  readonly model?: string
}

/** How long an error page may be before the rest is not read, bytes. */
const maxErrorBytes = 64 * 1024

/** Carries out one call. Rejects with a `CallFailure` and nothing else; never retries. */
export async function carryOut(
  config: ClientConfig,
  exchange: Exchange,
  signal: AbortSignal,
  observer: CallObserver,
): Promise<ModelReply> {
  const clock = config.clock ?? systemClock
  const guard = new CallGuard(clock, timeoutsFor(config, exchange.model), signal)
  try {
    return await call(config, exchange, clock, guard, observer)
  } catch (error) {
    // When the guard ended the call, whatever the transport threw is only its echo.
    throw guard.failure ?? (error instanceof CallFailure ? error : transportFailure(error, 'before'))
  } finally {
    guard.release()
  }
}

/** A whole reply is waited for so many times as long as the first token of a stream: all of it is written meanwhile. */
const wholeFactor = 4

/** The time-outs with the model's own patience in them. */
function timeoutsFor({ timeouts = {}, patience }: ClientConfig, model: string | undefined): Timeouts {
  const own = model === undefined ? undefined : patience?.(model)
  const firstTokenMs = own ?? timeouts.firstTokenMs
  const wholeMs = timeouts.wholeMs ?? (firstTokenMs === undefined ? undefined : wholeFactor * firstTokenMs)
  return {
    ...timeouts,
    ...(firstTokenMs !== undefined && { firstTokenMs }),
    ...(wholeMs !== undefined && { wholeMs }),
  }
}

async function call(
  config: ClientConfig,
  exchange: Exchange,
  clock: Clock,
  guard: CallGuard,
  observer: CallObserver,
): Promise<ModelReply> {
  guard.arm('totalMs')
  const key = await guard.race(usableKey(config))
  const confidential = { secrets: [key], payloads: exchange.payloads }
  const reply = await headersOf(config, exchange, key, guard, observer)
  const { status, body } = reply
  if (status === 0 || (status >= 300 && status < 400)) {
    body.cancel()
    const known = status > 0 ? { status } : {}
    throw new CallFailure('not_found', 'the address answers with a redirect, which is not followed', known)
  }
  tellLimits(reply, exchange, observer)
  if (status < 200 || status >= 300) {
    const text = await readText(body, maxErrorBytes, guard)
    const headers = { get: reply.header.bind(reply) }
    const nowMs = (config.wallClock ?? Date.now)()
    throw failureFromResponse({ status, headers }, text, confidential, nowMs, exchange.failures, exchange.adapt)
  }
  const parts = exchange.reply(confidential)
  return exchange.stream
    ? readStream(body, parts, exchange.bareErrors === true, guard, observer, clock)
    : readWhole(body, parts, guard, observer)
}

async function headersOf(
  config: ClientConfig,
  exchange: Exchange,
  key: string,
  guard: CallGuard,
  observer: CallObserver,
): Promise<TransportReply> {
  const { transport } = config
  // A pooled transport says when the connection stood; fetch does not, so its time-out lasts until the headers.
  if (exchange.stream || transport) guard.arm('connectMs')
  guard.arm(exchange.stream ? 'firstTokenMs' : 'wholeMs')
  const name = config.idempotencyHeader
  const pending = (transport ?? platform(config)).send({
    url: exchange.url,
    method: 'POST',
    // Nothing in pages that asks for a preflight: two providers refuse one for any further header. `accept` needs none.
    headers: {
      accept: exchange.stream ? 'text/event-stream, application/json' : 'application/json',
      ...(key === '' ? {} : exchange.authorisation(key)),
      'content-type': 'application/json',
      ...(name !== undefined && exchange.idempotencyKey !== undefined && { [name]: exchange.idempotencyKey }),
    },
    body: JSON.stringify(exchange.body),
    signal: guard,
    onSent(connection) {
      if (transport) guard.disarm('connectMs')
      if (!guard.failure) observer.started?.(connection)
    },
  })
  const reply = await guard.race(pending, (late) => late.body.cancel())
  guard.disarm('connectMs')
  return reply
}

/** The platform's fetch as a transport, where the configuration names no other. */
export function platform({ fetch }: Pick<ClientConfig, 'fetch'>): Transport {
  if (!fetch) throw new TypeError('a client needs a transport or a fetch')
  return fetchTransport(fetch)
}

/** Refusals teach limits too. A host with headers of its own must not fail a call. */
function tellLimits(reply: TransportReply, exchange: Exchange, observer: CallObserver): void {
  if (!observer.limits) return
  const seen: readonly LimitSeen[] = (exchange.limitHeaders ?? openaiLimits)((name) => reply.header(name))
  if (seen.length > 0) observer.limits(seen)
}

/** Checked here because the platform's own complaint about a bad header quotes its value, which is the key. */
export async function usableKey({ key: ask, keyless }: Pick<ClientConfig, 'key' | 'keyless'>): Promise<string> {
  let key: string
  try {
    key = await ask()
  } catch {
    throw new CallFailure('auth', 'the key could not be read')
  }
  if (key === '' && keyless === true) return key
  if (key === '') throw new CallFailure('auth', 'no key is configured')
  if (!/^[\x21-\x7e]+$/.test(key)) throw new CallFailure('auth', 'the key holds characters that no header can carry')
  return key
}

/** The base URL without a trailing slash. Throws a `TypeError` when it is not valid. */
export function baseAddress(baseUrl: string): string {
  const url = new URL(baseUrl)
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new TypeError('a base URL is http(s) without user, query or fragment')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

/** The authorisation that all of them know but Gemini. */
export function bearer(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` }
}
