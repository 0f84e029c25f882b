/** One call over HTTP, whatever the wire format: key, time-outs, redirects, refusals, the stream and the whole reply. */
import type {
  CallObserver,
  Clock,
  Fetch,
  LimitSeen,
  ModelReply,
  Transport,
  TransportBody,
  TransportReply,
} from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { CallFailure, failureFromResponse, type Confidential } from '../failure/failure.js'
import { openaiLimits, type ReadLimits } from '../limit-headers.js'
import { SseReader, SseTooLarge, type SseEvent } from '../sse.js'
import { fetchTransport } from '../transport/transport.js'
import { BareText } from './bare-text.js'
import { readText, settle } from './body.js'
import { CallGuard, type Timeouts } from './call-guard.js'
import type { FailureTable } from './failures/index.js'
import type { Arrived, Reply } from './reply.js'
import { transportFailure } from './transport-failure.js'

/** What every client is made of. `transport` or `fetch`; the transport wins. */
export interface ClientConfig {
  readonly fetch?: Fetch
  readonly transport?: Transport
  /** From trusted configuration only: the key goes there. Without the path of the endpoint, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Asked for once a call; the key is held no longer than the call. */
  readonly key: () => string | Promise<string>
  /** Name of the header that carries a request's idempotency key; absent: none is sent. Pages only where the preflight lets it through. */
  readonly idempotencyHeader?: string
  readonly timeouts?: Timeouts
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
}

/** How long an error page may be before the rest is not read, bytes. */
const maxErrorBytes = 64 * 1024
const maxReplyBytes = 64 * 1024 * 1024

/** Carries out one call. Rejects with a `CallFailure` and nothing else; never retries. */
export async function carryOut(
  config: ClientConfig,
  exchange: Exchange,
  signal: AbortSignal,
  observer: CallObserver,
): Promise<ModelReply> {
  const clock = config.clock ?? systemClock
  const guard = new CallGuard(clock, config.timeouts ?? {}, signal)
  try {
    return await call(config, exchange, clock, guard, observer)
  } catch (error) {
    // When the guard ended the call, whatever the transport threw is only its echo.
    throw guard.failure ?? (error instanceof CallFailure ? error : transportFailure(error, 'before'))
  } finally {
    guard.release()
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
  const key = await guard.race(usableKey(config.key))
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
    throw failureFromResponse({ status, headers }, text, confidential, nowMs, exchange.failures)
  }
  const type = reply.header('content-type') ?? ''
  const parts = exchange.reply(confidential)
  return exchange.stream && !/\bjson\b|\bhtml\b/i.test(type)
    ? new Stream(parts, exchange.bareErrors === true, guard, observer).read(body, clock)
    : whole(body, parts, guard, observer)
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
  if (exchange.stream) guard.arm('firstTokenMs')
  const name = config.idempotencyHeader
  const pending = (transport ?? platform(config)).send({
    url: exchange.url,
    method: 'POST',
    // Nothing else in pages: two providers refuse the preflight of a browser that asks for any further header.
    headers: {
      ...exchange.authorisation(key),
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

async function whole(body: TransportBody, reply: Reply, guard: CallGuard, observer: CallObserver): Promise<ModelReply> {
  const text = await readText(body, maxReplyBytes, guard)
  // DeepSeek sends empty lines while it works; JSON.parse takes them.
  const arrived = reply.accept(parse(text))
  guard.disarm('firstTokenMs')
  const result = reply.end(reply.finished)
  if (arrived.token) observer.firstToken?.()
  if (arrived.text !== '') observer.text?.(arrived.text)
  return result
}

/** A reply that comes as events. */
class Stream {
  #begun = false
  #done = false
  readonly #bare: BareText | undefined
  readonly #sse = new SseReader()

  constructor(
    private readonly reply: Reply,
    bareErrors: boolean,
    private readonly guard: CallGuard,
    private readonly observer: CallObserver,
  ) {
    this.#bare = bareErrors ? new BareText() : undefined
  }

  async read(body: TransportBody, clock: Clock): Promise<ModelReply> {
    const { reply, guard } = this
    guard.arm('idleMs')
    let ended = false
    try {
      while (!ended && !this.#done) {
        const part = await body.read()
        if (guard.failure) throw guard.failure
        ended = part === undefined
        if (part) this.#see(part)
        if (!this.#take(part ? this.#sse.push(part) : this.#sse.end())) break
      }
    } catch (error) {
      // Not only the guard closes: a reply that is wrong is not read on.
      if (!this.#done) body.cancel()
      if (error instanceof CallFailure) throw error
      if (guard.failure) throw guard.failure
      if (error instanceof SseTooLarge) throw reply.failure('malformed', error.message)
      // A reset after the finish signal lost nothing.
      if (!reply.finished) throw transportFailure(error, 'during')
    }
    if (guard.failure) throw guard.failure
    // After [DONE] the answer is whole; the rest of the body is read in the background so that the connection is kept.
    if (this.#done && !ended) settle(body, clock)
    if (!reply.finished && this.#bare?.value !== undefined) reply.accept(this.#bare.value)
    return reply.end(this.#done)
  }

  #see(part: Uint8Array): void {
    this.guard.touch()
    this.#bare?.watch(part)
  }

  /** The events of one read. Their texts are told together: a read may hold dozens, and each telling crosses to the core. */
  #take(events: readonly SseEvent[]): boolean {
    let text = ''
    try {
      for (const { data, event, complete } of events) {
        if (this.guard.failure) throw this.guard.failure
        if (data === '[DONE]') {
          this.#done = true
          break
        }
        const arrived = accept(this.reply, data, event, complete)
        if (!arrived) return false
        if (arrived.token) this.#first()
        text += arrived.text
      }
    } finally {
      if (text !== '' && !this.guard.failure) this.observer.text?.(text)
    }
    return true
  }

  #first(): void {
    if (this.#begun) return
    this.#begun = true
    this.guard.disarm('firstTokenMs')
    this.observer.firstToken?.()
  }
}

/** `undefined`: the end of the body cut this event off, so it is no news but the end. */
function accept(reply: Reply, data: string, event: string, complete: boolean): Arrived | undefined {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    if (!complete) return undefined
    if (event === 'error') value = { error: { message: data } }
    else throw reply.failure('malformed', 'an event of the stream is not JSON')
  }
  return reply.accept(event === 'error' && !hasError(value) ? { error: value } : value)
}

function hasError(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'error' in value
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const start = text.trimStart().slice(0, 1)
    if (start === '<') throw new CallFailure('malformed', 'the reply was an HTML page')
    if (start === '') throw new CallFailure('truncated', 'the reply was empty')
    throw new CallFailure(start === '{' ? 'truncated' : 'malformed', 'the reply is not JSON')
  }
}

/** Checked here because the platform's own complaint about a bad header quotes its value, which is the key. */
export async function usableKey(ask: () => string | Promise<string>): Promise<string> {
  let key: string
  try {
    key = await ask()
  } catch {
    throw new CallFailure('auth', 'the key could not be read')
  }
  if (key === '') throw new CallFailure('auth', 'no key is configured')
  if (!/^[\x21-\x7e]+$/.test(key)) throw new CallFailure('auth', 'the key holds characters that no header can carry')
  return key
}

/** The base URL without a trailing slash. Throws a `TypeError` when it is none. */
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
