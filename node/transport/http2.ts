/** HTTP/2 to one origin over `node:http2`; where the other side speaks HTTP/1.1 only, its pool takes over. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { attemptMs, lookupBoth } from './environment.js'
import { afterIo } from '../../bindings/late.js'
import type { PooledExchange } from './exchange.js'
import { trusted, type Http1Line, type Line, type LineOptions, type OutgoingRequest } from './http1.js'
import { giveUp, Http2Session, type Job } from './http2-session.js'

/** Most connections; each carries as many requests as the other side allows. */
const mostSessions = 8
/** How often a request goes out again that was not processed. */
const mostReturns = 3
/** A connection that was idle is asked first; after so long without its answer a second one is opened beside it, ms. */
const doubtMs = 300

export class Http2Line implements Line {
  readonly #origin: string
  readonly #options: LineOptions
  readonly #http1: Http1Line
  readonly #sessions = new Set<Http2Session>()
  #queue: Job[] = []
  #connecting: Socket | undefined
  /** What the other side speaks; undefined: not known yet. */
  #speaks: 'h2' | 'http/1.1' | undefined
  #closed = false
  #pumping = false
  #endDoubt: (() => void) | undefined

  constructor(origin: string, options: LineOptions, http1: Http1Line) {
    this.#origin = origin
    this.#options = options
    this.#http1 = http1
  }

  dispatch(request: OutgoingRequest, exchange: PooledExchange): void {
    if (this.#speaks === 'http/1.1') return this.#http1.dispatch(request, exchange)
    this.#queue.push({ request, exchange, returned: 0 })
    this.#pump()
  }

  get open(): number {
    return [...this.#sessions].filter(({ gone }) => !gone).length + this.#http1.open
  }

  retire(): void {
    for (const session of this.#sessions) session.retire()
    this.#http1.retire()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#endDoubt?.()
    this.#connecting?.destroy()
    for (const session of this.#sessions) session.destroy()
    this.#fail(Object.assign(new Error('the transport was closed'), { code: 'UND_ERR_DESTROYED' }))
    await this.#http1.close()
  }

  /** Hands out what waits. Sessions call it too, also while it runs. */
  #pump(): void {
    if (this.#pumping || this.#closed) return
    this.#pumping = true
    for (const session of this.#sessions) if (session.gone) this.#sessions.delete(session)
    this.#queue = this.#queue.filter(({ exchange }) => !exchange.over)
    while (this.#queue.length > 0) {
      const open = [...this.#sessions].filter(({ room }) => room)
      const fresh = open.find(({ stale }) => !stale)
      if (fresh === undefined) {
        this.#seek(open[0])
        break
      }
      this.#endDoubt?.()
      this.#endDoubt = undefined
      fresh.carry(this.#queue.shift()!)
    }
    this.#pumping = false
  }

  /** Nothing has room now: asks an idle connection, or opens another. */
  #seek(idle: Http2Session | undefined): void {
    if (idle !== undefined) {
      idle.ask()
      this.#endDoubt ??= afterIo(this.#options.clock, doubtMs, () => {
        this.#endDoubt = undefined
        if (this.#queue.length > 0 && ![...this.#sessions].some(({ room, stale }) => room && !stale)) this.#connect()
      })
      return
    }
    // One that has not said yet how much it takes may take it all.
    if ([...this.#sessions].some(({ usable, told }) => usable && !told)) return
    if (this.#endDoubt === undefined && [...this.#sessions].filter(({ usable }) => usable).length < mostSessions)
      this.#connect()
  }

  /** One at a time: many at once would each open one before the first has said how much it takes. */
  #connect(): void {
    if (this.#connecting !== undefined || this.#closed) return
    const { clock, connectMs } = this.#options
    const began = clock.now()
    const { hostname, port, protocol } = new URL(this.#origin)
    const secure = protocol === 'https:'
    const host = hostname.replace(/^\[|\]$/g, '')
    const to = {
      host,
      port: Number(port || (secure ? 443 : 80)),
      lookup: lookupBoth as never,
      autoSelectFamilyAttemptTimeout: attemptMs(host),
    }
    const named = /^[\d.]+$|:/.test(host) ? {} : { servername: host }
    const socket = secure
      ? connectTls({ ...to, ...named, ALPNProtocols: ['h2', 'http/1.1'], ...trusted(this.#options.ca) })
      : connectTcp(to)
    this.#connecting = socket
    socket.setNoDelay(true)
    const stop = afterIo(clock, connectMs, () => {
      socket.destroy(Object.assign(new Error('no connection in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' }))
    })
    const failed = (error: Error) => {
      stop()
      this.#connecting = undefined
      this.#fail(error)
    }
    socket.once('error', failed)
    socket.once(secure ? 'secureConnect' : 'connect', () => {
      stop()
      socket.off('error', failed)
      this.#connecting = undefined
      this.#connected(socket, clock.now() - began)
    })
  }

  #connected(socket: Socket, setupMs: number): void {
    const alpn = (socket as TLSSocket).alpnProtocol
    if (alpn !== undefined && alpn !== 'h2') {
      this.#speaks = 'http/1.1'
      this.#http1.adopt(socket, setupMs)
      for (const { request, exchange } of this.#queue.splice(0)) this.#http1.dispatch(request, exchange)
      return
    }
    this.#speaks = 'h2'
    this.#sessions.add(
      new Http2Session(
        this.#origin,
        { socket, setupMs, clock: this.#options.clock },
        {
          changed: () => this.#pump(),
          returned: (job) => {
            job.returned += 1
            if (job.returned > mostReturns) giveUp(job)
            else this.#queue.unshift(job)
            this.#pump()
          },
        },
      ),
    )
    this.#pump()
  }

  /** No connection came about: what waits for one fails, as long as none is left. */
  #fail(error: Error): void {
    if (!this.#closed && [...this.#sessions].some(({ usable }) => usable)) return
    for (const { exchange } of this.#queue.splice(0)) exchange.onError(error)
  }
}
