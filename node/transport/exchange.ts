/** One exchange over undici's dispatch: less than its `request` or `fetch`, and without their streams. */
import type { ConnectionInfo, TransportBody, TransportReply } from '../../bindings/ports.js'
import { expectSent } from './connections.js'

type Abort = (error?: Error) => void

/** What was read ahead of the consumer, bytes: above the first the connection is paused, below the second it goes on. */
const pauseAbove = 128 * 1024
const resumeBelow = 32 * 1024

/**
 * A connection that was kept alive and breaks so soon after a request went out, ms, had been closed on the other side before:
 * nobody read the request.
 */
const staleMs = 1000

/** Codes by which a connection breaks under a request. */
const broken: ReadonlySet<unknown> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE', 'ECONNABORTED'])

/** The request was never read: it may go out again, and nobody is charged for it. */
export class Unprocessed extends Error {
  override readonly name = 'Unprocessed'
  readonly code = 'ERR_UNPROCESSED'
}

export class Stopped extends Error {
  override readonly name = 'Stopped'
  readonly code = 'UND_ERR_ABORTED'
}

/** The handler that undici calls, the reply and its body in one: a call makes one object instead of four. */
export class PooledExchange implements TransportReply, TransportBody {
  status = 0
  readonly #onSent: ((connection: Required<ConnectionInfo>) => void) | undefined
  readonly #settle: { resolve(reply: TransportReply): void; reject(error: Error): void }
  #abort: Abort | undefined
  /** When the request went out on a connection that had served before, ms of the process. */
  #reusedAt: number | undefined
  #headers: readonly Buffer[] = []
  #resume: (() => void) | undefined
  #paused = false
  #parts: Uint8Array[] = []
  #ahead = 0
  /** How the body ended, once it has and is read to that point. */
  #end: Error | 'whole' | undefined
  #stopped = false
  #reading: { resolve(part: Uint8Array | undefined): void; reject(error: Error): void } | undefined

  constructor(
    settle: { resolve(reply: TransportReply): void; reject(error: Error): void },
    onSent: ((connection: Required<ConnectionInfo>) => void) | undefined,
  ) {
    this.#settle = settle
    this.#onSent = onSent
  }

  /** It has ended, or was stopped. */
  get over(): boolean {
    return this.#stopped || this.#end !== undefined
  }

  get body(): TransportBody {
    return this
  }

  header(name: string): string | null {
    const values: string[] = []
    for (let at = 0; at + 1 < this.#headers.length; at += 2) {
      const key = this.#headers[at]!
      if (key.length !== name.length || key.toString('latin1').toLowerCase() !== name) continue
      values.push(this.#headers[at + 1]!.toString('latin1'))
    }
    return values.length > 0 ? values.join(', ') : null
  }

  read(): Promise<Uint8Array | undefined> {
    const part = this.#parts.shift()
    if (part !== undefined) {
      this.#ahead -= part.length
      if (this.#paused && this.#ahead < resumeBelow) {
        this.#paused = false
        this.#resume?.()
      }
      return Promise.resolve(part)
    }
    if (this.#end === 'whole') return Promise.resolve(undefined)
    if (this.#end !== undefined) return Promise.reject(this.#end)
    return new Promise((resolve, reject) => (this.#reading = { resolve, reject }))
  }

  cancel(): void {
    this.stop()
  }

  /** Ends the exchange, whatever its state: closes the connection (HTTP/2: the stream) unless the reply is whole. */
  stop(): void {
    if (this.#stopped || this.#end !== undefined) return
    this.#stopped = true
    this.#parts = []
    const error = new Stopped('the exchange was ended')
    if (this.#abort) this.#abort(error)
    // No connection yet: undici learns of it when it has one, the caller now.
    this.onError(error)
  }

  // What undici calls from here on.

  onConnect(abort: Abort): void {
    // Thrown here, the connection stays for others. A second time means that undici would send again what may have been
    // carried out: after a connection that broke under several HTTP/2 streams, for instance.
    if (this.#stopped) throw new Stopped('the exchange was ended')
    if (this.#abort) throw Object.assign(new Error('not sent twice'), { code: 'UND_ERR_SOCKET' })
    this.#abort = abort
    expectSent(abort, (connection) => this.sent(connection))
  }

  /** The request goes out on this connection. */
  sent(connection: Required<ConnectionInfo>): void {
    if (connection.reused) this.#reusedAt = performance.now()
    this.#onSent?.(connection)
  }

  /** It goes out once more, as nobody had processed it: from now on this ends it. */
  moved(abort: Abort): void {
    this.#abort = abort
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    // 1xx: the real headers follow.
    if (status < 200) return true
    this.status = status
    this.#headers = headers
    this.#resume = resume
    this.#settle.resolve(this)
    return true
  }

  onData(part: Buffer): boolean {
    if (this.#stopped || part.length === 0) return true
    const reading = this.#reading
    if (reading) {
      this.#reading = undefined
      reading.resolve(part)
      return true
    }
    this.#parts.push(part)
    this.#ahead += part.length
    this.#paused = this.#ahead > pauseAbove
    return !this.#paused
  }

  onComplete(): void {
    if (this.#end !== undefined) return
    this.#end = 'whole'
    this.#reading?.resolve(undefined)
    this.#reading = undefined
  }

  onError(cause: Error): void {
    if (this.#end !== undefined) return
    const error = this.#neverRead(cause) ? new Unprocessed('the connection had been closed') : cause
    this.#end = error
    // Does nothing when the headers have come.
    this.#settle.reject(error)
    this.#reading?.reject(error)
    this.#reading = undefined
  }

  #neverRead(error: Error): boolean {
    const { code } = error as { code?: unknown }
    if (this.status !== 0 || this.#stopped || this.#reusedAt === undefined || !broken.has(code)) return false
    return performance.now() - this.#reusedAt < staleMs
  }
}
