/** One HTTP/2 connection, by the rules under which it fails. */
import { connect as connectHttp2, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { afterIo } from '../../bindings/late.js'
import type { Clock } from '../../bindings/ports.js'
import { Unprocessed, type PooledExchange } from './exchange.js'
import type { OutgoingRequest } from './http1.js'

/** A request that waits for a connection or is on one. */
export interface Job {
  readonly request: OutgoingRequest
  readonly exchange: PooledExchange
  /** How often it went out without being processed. */
  returned: number
}

/** Most streams that a connection is given, whatever the other side allows. */
const mostStreams = 100
/** A connection that was idle for longer is asked whether it still stands before it gets a request, ms. */
const idleMs = 3000
/** Streams that hear nothing for so long have their connection asked, ms; so long it has to answer. */
const silentMs = 10_000
const answerMs = 3000

/** A connection that stands. */
export interface Connected {
  readonly socket: Socket
  readonly setupMs: number
  readonly clock: Clock
}

/** What a session tells its line. */
export interface SessionOwner {
  /** There is room, or there is none any more. */
  changed(): void
  /** The request was never processed: it may go out again. */
  returned(job: Job): void
}

export class Http2Session {
  readonly #session: ClientHttp2Session
  readonly #owner: SessionOwner
  readonly #clock: Clock
  readonly #setupMs: number
  readonly #streams = new Map<ClientHttp2Stream, Job>()
  #limit = 1
  #told = false
  #used = false
  #retired = false
  #gone = false
  #lastStream = Infinity
  #heardAt: number
  #asking = false
  #endWatch: (() => void) | undefined

  constructor(origin: string, { socket, setupMs, clock }: Connected, owner: SessionOwner) {
    this.#owner = owner
    this.#clock = clock
    this.#heardAt = clock.now()
    this.#setupMs = setupMs
    const session = connectHttp2(origin, { createConnection: () => socket, settings: { enablePush: false } })
    this.#session = session
    session.on('remoteSettings', ({ maxConcurrentStreams = mostStreams }) => {
      this.#told = true
      this.#limit = Math.min(mostStreams, maxConcurrentStreams)
      owner.changed()
    })
    session.on('goaway', (_code, last) => {
      this.#lastStream = last
      this.retire()
    })
    session.on('error', () => this.retire())
    session.on('close', () => {
      this.#gone = true
      this.#endWatch?.()
      this.retire()
    })
  }

  get usable(): boolean {
    return !this.#retired && !this.#session.destroyed && !this.#session.closed
  }
  /** The other side has said how much it takes. */
  get told(): boolean {
    return this.#told
  }
  get gone(): boolean {
    return this.#gone
  }
  get room(): boolean {
    return this.usable && this.#streams.size < this.#limit && !this.#asking
  }
  /** It may have been forgotten on the way: it is to be asked first. */
  get stale(): boolean {
    return this.#streams.size === 0 && this.#clock.now() - this.#heardAt > idleMs
  }

  /** Takes no further request; what it has goes on. */
  retire(): void {
    if (this.#retired) return
    this.#retired = true
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close()
    this.#owner.changed()
  }

  /** Ends it, and what it has. */
  destroy(): void {
    this.#session.destroy()
  }

  /** Asks whether the other side is there; what has not answered in time is given up. */
  ask(): void {
    if (this.#asking || !this.usable) return
    this.#asking = true
    const stop = afterIo(this.#clock, answerMs, () => {
      this.#asking = false
      this.retire()
      this.#session.destroy()
    })
    const sent = this.#session.ping((error) => {
      stop()
      this.#asking = false
      if (error) return this.retire()
      this.#heard()
      this.#owner.changed()
    })
    if (sent) return
    stop()
    this.#asking = false
  }

  /** Sends a request. */
  carry(job: Job): void {
    const { request, exchange } = job
    let stream: ClientHttp2Stream
    try {
      stream = this.#session.request(headersOf(request), { endStream: request.body === null })
    } catch {
      // Node refuses a session that has just gone away: nothing left.
      this.retire()
      return this.#owner.returned(job)
    }
    this.#streams.set(stream, job)
    this.#session.ref()
    this.#watchOver()
    if (job.returned === 0) {
      exchange.onConnect(() => stream.close(constants.NGHTTP2_CANCEL))
      exchange.sent({ reused: this.#used, setupMs: this.#used ? 0 : this.#setupMs })
    } else exchange.moved(() => stream.close(constants.NGHTTP2_CANCEL))
    this.#used = true
    this.#listen(stream, job)
    if (request.body !== null) stream.end(request.body)
  }

  #listen(stream: ClientHttp2Stream, job: Job): void {
    const { exchange } = job
    let [answered, ended] = [false, false]
    stream.on('response', (headers) => {
      answered = true
      this.#heard()
      exchange.onHeaders(Number(headers[':status']), flat(headers), () => stream.resume())
    })
    stream.on('data', (part: Buffer) => {
      this.#heard()
      if (!exchange.onData(part)) stream.pause()
    })
    stream.on('end', () => {
      ended = true
    })
    // `close` follows, with the code.
    stream.on('error', () => undefined)
    stream.on('close', () => {
      this.#streams.delete(stream)
      if (this.#streams.size === 0) this.#rest()
      const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || (stream.id ?? Infinity) > this.#lastStream
      if (!answered && refused && !exchange.over) this.#owner.returned(job)
      else if (answered && ended && stream.rstCode === constants.NGHTTP2_NO_ERROR) exchange.onComplete()
      else exchange.onError(Object.assign(new Error('the stream was closed'), { code: 'ERR_HTTP2_STREAM' }))
      this.#owner.changed()
    })
  }

  #heard(): void {
    this.#heardAt = this.#clock.now()
  }

  #watchOver(): void {
    if (this.#endWatch !== undefined) return
    this.#heard()
    const look = (): void => {
      this.#endWatch = afterIo(this.#clock, silentMs / 2, () => {
        look()
        if (this.#clock.now() - this.#heardAt > silentMs) this.ask()
      })
    }
    look()
  }

  #rest(): void {
    this.#endWatch?.()
    this.#endWatch = undefined
    this.#heard()
    // An idle connection holds no process.
    this.#session.unref()
  }
}

/** Gives up on a request that came back too often. */
export function giveUp({ exchange }: Job): void {
  exchange.onError(new Unprocessed('the server took no request'))
}

function headersOf({ path, method, headers }: OutgoingRequest): Record<string, string> {
  return { ':path': path, ':method': method, ...headers }
}

/** Names and values in turn, as undici hands them over. */
function flat(headers: Readonly<Record<string, string | string[] | number | undefined>>): Buffer[] {
  return Object.entries(headers)
    .filter(([name, value]) => !name.startsWith(':') && value !== undefined)
    .flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [String(value)]).flatMap((one) => [Buffer.from(name), Buffer.from(one)]),
    )
}
