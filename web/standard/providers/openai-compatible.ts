import type { CallObserver, Clock, Fetch, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { systemClock } from '../clock.js'
import { CallFailure, failureFromResponse } from '../failure.js'
import { readEvents, SseTooLarge } from '../sse.js'
import { readText, settle } from './body.js'
import { CallGuard, type Timeouts } from './call-guard.js'
import { ChatReply } from './chat-reply.js'
import type { Dialect } from './dialect.js'
import { transportFailure } from './transport-failure.js'

export interface OpenAiCompatibleConfig {
  readonly fetch: Fetch
  /** From trusted configuration only: the key goes there. Without the path of the endpoint, e.g. `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** Asked for once a call; the key is held no longer than the call. */
  readonly key: () => string | Promise<string>
  readonly dialect: Dialect
  readonly timeouts?: Timeouts
  readonly clock?: Clock
  /** Wall-clock time, ms since 1970, for `Retry-After` dates. */
  readonly wallClock?: () => number
}

/** How long an error page may be before the rest is not read, bytes. */
const maxErrorBytes = 64 * 1024
const maxReplyBytes = 64 * 1024 * 1024

/** A client of any host that speaks chat completions. Throws a `TypeError` here, not in a call, when the base URL is none. */
export function createOpenAiCompatible(config: OpenAiCompatibleConfig): ModelClient {
  const url = endpoint(config.baseUrl)
  const clock = config.clock ?? systemClock
  return {
    async generate(request, signal, observer = {}) {
      const guard = new CallGuard(clock, config.timeouts ?? {}, signal)
      try {
        return await call(config, url, clock, request, guard, observer)
      } catch (error) {
        // When the guard ended the call, whatever the transport threw is only its echo.
        throw guard.failure ?? (error instanceof CallFailure ? error : transportFailure(error, 'before'))
      } finally {
        guard.release()
      }
    },
  }
}

async function call(
  config: OpenAiCompatibleConfig,
  url: string,
  clock: Clock,
  request: ModelRequest,
  guard: CallGuard,
  observer: CallObserver,
): Promise<ModelReply> {
  guard.arm('totalMs')
  const key = await guard.race(usableKey(config.key))
  const confidential = { secrets: [key], payloads: [request.system, request.user] }
  const body = config.dialect.body(request)
  if (body['stream'] === true) {
    guard.arm('connectMs')
    guard.arm('firstTokenMs')
  }
  const pending = config.fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
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
  const reply = new ChatReply(confidential)
  return body['stream'] === true && !/\bjson\b|\bhtml\b/i.test(type)
    ? streamed(response, reply, guard, clock, observer)
    : whole(response, reply, guard, observer)
}

async function whole(
  response: Response,
  reply: ChatReply,
  guard: CallGuard,
  observer: CallObserver,
): Promise<ModelReply> {
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
  reply: ChatReply,
  guard: CallGuard,
  clock: Clock,
  observer: CallObserver,
): Promise<ModelReply> {
  if (!response.body) throw new CallFailure('truncated', 'the reply has no body')
  guard.arm('idleMs')
  let begun = false
  let done = false
  try {
    const events = readEvents(response.body, {
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
  return reply.end(done)
}

/** `undefined`: the end of the body cut this event off, so it is no news but the end. */
function accept(
  reply: ChatReply,
  data: string,
  event: string,
  complete: boolean,
): ReturnType<ChatReply['accept']> | undefined {
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

function endpoint(baseUrl: string): string {
  const url = new URL(baseUrl)
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new TypeError('a base URL is http(s) without user, query or fragment')
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}/chat/completions`
}
