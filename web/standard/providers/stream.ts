/** Replies as they come: events, or one JSON, whatever the media type says. */
import type { CallObserver, Clock, ModelReply, TransportBody } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'
import { SseReader, SseTooLarge, type SseEvent } from '../sse.js'
import { BareText } from './bare-text.js'
import { readText, settle } from './body.js'
import type { CallGuard } from './call-guard.js'
import { heartbeat, type Arrived, type Reply } from './reply.js'
import { transportFailure } from './transport-failure.js'

const maxReplyBytes = 64 * 1024 * 1024

/** Events that say no more than that the line stands. */
const pings = /^(?:ping|heartbeat|keep-?alive)$/i

/** Reads a whole reply. Events in its place are understood too. */
export async function readWhole(
  body: TransportBody,
  reply: Reply,
  guard: CallGuard,
  observer: CallObserver,
  first?: Uint8Array,
): Promise<ModelReply> {
  const text = await readText(body, maxReplyBytes, guard, first)
  guard.disarm('wholeMs')
  if (/^\s*(?:data|event|id|retry)?:/.test(text)) {
    const events = new EventStream(reply, false, guard, observer)
    return events.read(bodyOf(new TextEncoder().encode(text)))
  }
  // DeepSeek sends empty lines while it works; JSON.parse takes them.
  const arrived = reply.accept(parse(text))
  guard.disarm('firstTokenMs')
  const shown = arrived.text + reply.rest()
  const result = reply.end(false, true)
  if (arrived.token) observer.firstToken?.()
  if (shown !== '') observer.text?.(shown)
  return result
}

/** Reads a reply that was asked for as a stream. Its first character tells what it is: hosts send JSON as events and events as JSON. */
export async function readStream(
  body: TransportBody,
  reply: Reply,
  bareErrors: boolean,
  guard: CallGuard,
  observer: CallObserver,
  clock: Clock,
): Promise<ModelReply> {
  // Before the answer begins, patience with its first token is all that counts.
  if (!guard.limits('firstTokenMs')) guard.arm('idleMs')
  const before: Uint8Array[] = []
  try {
    for (;;) {
      const part = await body.read()
      if (guard.failure) throw guard.failure
      if (part === undefined) break
      before.push(part)
      guard.touch()
      const character = firstCharacter(part)
      if (character === undefined) continue
      if (!/[[{<]/.test(character)) break
      guard.disarm('idleMs')
      return await readWhole(body, reply, guard, observer, joined(before))
    }
  } catch (error) {
    if (error instanceof CallFailure) throw error
    throw guard.failure ?? transportFailure(error, 'during')
  }
  return new EventStream(reply, bareErrors, guard, observer).read(body, clock, before)
}

/** A reply that comes as events. */
class EventStream {
  #begun = false
  #done = false
  readonly #bare: BareText | undefined
  readonly #sse = new SseReader()
  /** The first character of the line that has not ended. */
  #lineStart = ''

  constructor(
    private readonly reply: Reply,
    bareErrors: boolean,
    private readonly guard: CallGuard,
    private readonly observer: CallObserver,
  ) {
    this.#bare = bareErrors ? new BareText() : undefined
  }

  async read(body: TransportBody, clock?: Clock, before: readonly Uint8Array[] = []): Promise<ModelReply> {
    const { reply, guard } = this
    const first = [...before]
    let ended = false
    try {
      while (!ended && !this.#done) {
        const part = first.shift() ?? (await body.read())
        if (guard.failure) throw guard.failure
        ended = part === undefined
        if (part) this.#see(part)
        const events = part ? this.#sse.push(part) : this.#sse.end()
        // A piece that is so long that it comes in parts moves the reply; a comment does not.
        if (events.length === 0 && this.#lineStart === 'd') this.#move()
        if (!this.#take(events)) break
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
    if (this.#done && !ended && clock) settle(body, clock)
    if (!reply.finished && this.#bare?.value !== undefined) reply.accept(this.#bare.value)
    const rest = reply.rest()
    const result = reply.end(this.#done)
    if (rest !== '') this.observer.text?.(rest)
    return result
  }

  #see(part: Uint8Array): void {
    this.guard.touch()
    this.#bare?.watch(part)
    const end = Math.max(part.lastIndexOf(0x0a), part.lastIndexOf(0x0d))
    if (end >= 0) this.#lineStart = ''
    const first = part[end + 1]
    if (this.#lineStart === '' && first !== undefined) this.#lineStart = String.fromCharCode(first)
  }

  /** The events of one read. Their texts are told together: a read may hold dozens, and each telling crosses to the core. */
  #take(events: readonly SseEvent[]): boolean {
    let text = ''
    try {
      for (const event of events) {
        if (this.guard.failure) throw this.guard.failure
        if (event.data.trimEnd() === '[DONE]') {
          this.#done = true
          break
        }
        const arrived = accept(this.reply, event)
        if (!arrived) return false
        if (arrived.moved) this.#move()
        if (arrived.token) this.#first()
        text += arrived.text
        this.#done ||= arrived.done === true
      }
    } finally {
      if (text !== '' && !this.guard.failure) this.observer.text?.(text)
    }
    return true
  }

  #move(): void {
    this.guard.moved()
    this.guard.arm('idleMs')
  }

  #first(): void {
    if (this.#begun) return
    this.#begun = true
    this.guard.disarm('firstTokenMs')
    this.observer.firstToken?.()
  }
}

/** `undefined`: the end of the body cut this event off, so it is no news but the end. `done`: it held the end mark too. */
function accept(reply: Reply, { data, event, complete }: SseEvent): (Arrived & { done?: boolean }) | undefined {
  const text = data.trim()
  if (text === '' || pings.test(text) || (pings.test(event) && !/"choices"|"candidates"/.test(text))) return heartbeat
  const value = parsed(text)
  if (value !== undefined) return reply.accept(event === 'error' && !hasError(value) ? { error: value } : value)
  const lines = linesOf(text)
  if (lines !== undefined) return acceptLines(reply, lines)
  if (event === 'error') return reply.accept({ error: { message: data } })
  // What follows a finished answer takes nothing from it, whatever it is.
  if (reply.finished) return heartbeat
  if (!complete) return undefined
  throw reply.failure('malformed', 'an event of the stream is not JSON')
}

/** Events that were set apart by one line end instead of two, so that they came as one: each line is one of them. */
function linesOf(text: string): readonly unknown[] | undefined {
  if (!text.includes('\n')) return undefined
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const values = lines.map((line) => (line.trim() === '[DONE]' ? '[DONE]' : parsed(line)))
  return values.includes(undefined) ? undefined : values
}

function acceptLines(reply: Reply, lines: readonly unknown[]): Arrived & { done?: boolean } {
  const whole = { text: '', token: false, moved: false, done: false }
  for (const line of lines) {
    if (line === '[DONE]') {
      whole.done = true
      break
    }
    const arrived = reply.accept(line)
    whole.text += arrived.text
    whole.token ||= arrived.token
    whole.moved ||= arrived.moved
  }
  return whole
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
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

/** The first character that is no white space and no byte order mark; beyond ASCII: some other. */
function firstCharacter(part: Uint8Array): string | undefined {
  const blank = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf])
  const byte = part.find((value) => !blank.has(value))
  return byte === undefined ? undefined : String.fromCharCode(byte)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

function bodyOf(bytes: Uint8Array): TransportBody {
  let rest: Uint8Array | undefined = bytes
  return {
    read() {
      const part = rest
      rest = undefined
      return Promise.resolve(part)
    },
    cancel: () => undefined,
  }
}
