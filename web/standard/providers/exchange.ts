/** One call over HTTP, whatever the wire format: key, time-outs, redirects, refusals, the stream and the whole reply. */
import type { CallObserver, Clock, Fetch, ModelReply } from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { CallFailure, failureFromResponse, type Confidential } from '../failure.js'
import { readEvents, SseTooLarge } from '../sse.js'
import { BareText } from './bare-text.js'
import { readText, settle } from './body.js'
import { CallGuard, type Timeouts } from './call-guard.js'
import type { Arrived, Reply } from './reply.js'
import { transportFailure } from './transport-failure.js'

/** What every client is made of. */
export interface ClientConfig {
  readonly fetch: Fetch
  /** From trusted configuration only: the key goes there. Without the path of the endpoint, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Asked for once a call; the key is held no longer than the call. */
  readonly key: () => string | Promise<string>
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
  if (exchange.stream) {
    guard.arm('connectMs')
    guard.arm('firstTokenMs')
  }
  const pending = config.fetch(exchange.url, {
    method: 'POST',
    // Nothing else: two providers refuse the preflight of a browser that asks for any further header.
    headers: { ...exchange.authorisation(key), 'content-type': 'application/json' },
    body: JSON.stringify(exchange.body),
    signal: guard.signal,
    // Followed by hand it would carry the key to another host; there is nothing to follow on an API.
    redirect: 'manual',
    credentials: 'omit',
  })
  observer.started?.({})
  const response = await guard.race(pending, (late) => void late.body?.cancel().catch(() => undefined))
  guard.disarm('connectMs')
  if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
    void response.body?.cancel().catch(() => undefined)
    throw new CallFailure(
      'not_found',
      'the address answers with a redirect, which is not followed',
      redirectStatus(response),
    )
  }
  if (!response.ok) {
    const text = await readText(response, maxErrorBytes, guard)
    throw failureFromResponse(response, text, confidential, (config.wallClock ?? Date.now)())
  }
  const type = response.headers.get('content-type') ?? ''
  const reply = exchange.reply(confidential)
  return exchange.stream && !/\bjson\b|\bhtml\b/i.test(type)
    ? streamed(response, reply, exchange.bareErrors === true, guard, clock, observer)
    : whole(response, reply, guard, observer)
}

async function whole(response: Response, reply: Reply, guard: CallGuard, observer: CallObserver): Promise<ModelReply> {
  const text = await readText(response, maxReplyBytes, guard)
  // DeepSeek sends empty lines while it works; JSON.parse takes them.
  const arrived = reply.accept(parse(text))
  guard.disarm('firstTokenMs')
  const result = reply.end(reply.finished)
  if (arrived.token) observer.firstToken?.()
  if (arrived.text !== '') observer.text?.(arrived.text)
  return result
}

async function streamed(
  response: Response,
  reply: Reply,
  bareErrors: boolean,
  guard: CallGuard,
  clock: Clock,
  observer: CallObserver,
): Promise<ModelReply> {
  if (!response.body) throw new CallFailure('truncated', 'the reply has no body')
  guard.arm('idleMs')
  const bare = bareErrors ? new BareText() : undefined
  let begun = false
  let done = false
  try {
    const events = readEvents(bare?.watch(response.body) ?? response.body, {
      onActivity: () => guard.touch(),
      onReader: (stop) => guard.onStop(stop),
      // After [DONE] the answer is whole; the rest of the body is read in the background so that the connection is kept.
      onLeave: (reader) => settle(reader, done ? clock : undefined),
    })
    for await (const event of events) {
      if (guard.failure) throw guard.failure
      if (event.data === '[DONE]') {
        done = true
        break
      }
      const arrived = accept(reply, event.data, event.event, event.complete)
      if (!arrived) break
      if (arrived.token && !begun) {
        begun = true
        guard.disarm('firstTokenMs')
        observer.firstToken?.()
      }
      if (arrived.text !== '') observer.text?.(arrived.text)
    }
  } catch (error) {
    if (error instanceof CallFailure) throw error
    if (guard.failure) throw guard.failure
    if (error instanceof SseTooLarge) throw reply.failure('malformed', error.message)
    // A reset after the finish signal lost nothing.
    if (!reply.finished) throw transportFailure(error, 'during')
  }
  if (guard.failure) throw guard.failure
  if (!reply.finished && bare?.value !== undefined) reply.accept(bare.value)
  return reply.end(done)
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
async function usableKey(ask: () => string | Promise<string>): Promise<string> {
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

function redirectStatus(response: Response): { readonly status?: number } {
  return response.status > 0 ? { status: response.status } : {}
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
