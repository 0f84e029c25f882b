/** The transport of Node: pools of connections over undici, HTTP/2 where the other side offers it. */
import type { Socket } from 'node:net'
import { buildConnector, Pool, type Client } from 'undici'
import type { ConnectionInfo, Transport, TransportReply, TransportRequest } from '../../bindings/ports.js'
import { watchConnections } from './connections.js'
import { PooledExchange } from './exchange.js'

export interface PooledTransportOptions {
  /** Most connections to one origin. Default 64. */
  readonly connections?: number | undefined
  /** Until a connection stands: name, TCP, TLS. ms, default 10,000. */
  readonly connectMs?: number | undefined
  /** How long an unused connection is kept when the server names no time, ms. Default 30,000. */
  readonly keepAliveMs?: number | undefined
  /** Longest silence of a connection that has a request, ms: a net below the time-outs of a call. Default 600,000. */
  readonly silenceMs?: number | undefined
  /** HTTP/2 over TLS where it is offered. Default true. */
  readonly http2?: boolean | undefined
  /** HTTP/2 without TLS, to hosts that are known to speak it: the simulator. Default false. */
  readonly cleartextHttp2?: boolean | undefined
  /** Certificates to trust besides those of Node, PEM: hosts of one's own. */
  readonly ca?: string | undefined
}

/** Since the transport was made. */
export interface TransportStats {
  /** Requests that left. */
  readonly requests: number
  /** Of these, how many went out on a connection that had served before. */
  readonly reused: number
  /** Spent on setting connections up, ms. */
  readonly setupMs: number
  /** What the reused ones would have cost: each the mean set-up of its origin, ms. */
  readonly savedMs: number
}

export interface PooledTransport extends Transport {
  stats(): TransportStats
  /** Ends all connections at once; exchanges under way reject with UND_ERR_DESTROYED. */
  close(): Promise<void>
}

/** Most streams that one HTTP/2 connection is given at once; servers that allow fewer say so, and the rest waits. */
const maxStreams = 100

export function pooledTransport(options: PooledTransportOptions = {}): PooledTransport {
  let endWatch: (() => void) | undefined
  const origins = new Map<string, Origin>()
  let closed = false
  const originOf = (address: string): Origin => {
    const known = origins.get(address)
    if (known) return known
    const origin = new Origin(address, options)
    origins.set(address, origin)
    return origin
  }
  return {
    send(request) {
      if (closed) return Promise.reject(Object.assign(new Error('closed'), { code: 'UND_ERR_CLOSED' }))
      endWatch ??= watchConnections()
      const { origin, pathname, search } = new URL(request.url)
      return originOf(origin).send(request, pathname + search)
    },
    stats: () => sum([...origins.values()]),
    async close() {
      if (closed) return
      closed = true
      await Promise.all([...origins.values()].map((origin) => origin.close()))
      endWatch?.()
    },
  }
}

function sum(origins: readonly Origin[]): TransportStats {
  const total = { requests: 0, reused: 0, setupMs: 0, savedMs: 0 }
  for (const { requests, reused, setupMs } of origins) {
    total.requests += requests
    total.reused += reused
    total.setupMs += setupMs
    if (requests > reused) total.savedMs += (reused * setupMs) / (requests - reused)
  }
  return total
}

/** One origin: its pool, and what its connections have cost. A key goes to its own origin because each request names one. */
class Origin {
  requests = 0
  reused = 0
  setupMs = 0
  readonly #pool: Pool
  /** Requests that wait for the first connection to say whether it speaks HTTP/2; undefined: it is known. */
  #waiting: (() => void)[] | undefined
  #asked = false
  /** undici forgets a connection that has not come about yet; left alone, it would hold the process. */
  readonly #connecting = new Set<Socket>()

  constructor(origin: string, options: PooledTransportOptions) {
    const {
      connections = 64,
      connectMs = 10_000,
      keepAliveMs = 30_000,
      silenceMs = 600_000,
      http2 = true,
      cleartextHttp2 = false,
      ca,
    } = options
    const allowH2 = http2 && origin.startsWith('https:')
    const useH2c = cleartextHttp2 && origin.startsWith('http:')
    const connect = buildConnector({
      allowH2,
      timeout: connectMs,
      ...(ca !== undefined && { ca }),
      // Missing in the types.
      ...(useH2c && ({ useH2c } as object)),
    })
    let http2Connected = false
    this.#pool = new Pool(origin, {
      connections,
      allowH2,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      connect: (target, callback) => {
        // It returns its socket, which the types leave out.
        const pending = connect(target, (...result) => {
          this.#connecting.delete(pending)
          // undici calls the listener of `connect` below within this callback, which has one argument when it failed.
          const [, socket] = result
          http2Connected = Boolean(socket && 'alpnProtocol' in socket && socket.alpnProtocol === 'h2')
          callback(...result)
        }) as unknown as Socket
        this.#connecting.add(pending)
      },
    })
    if (!allowH2 && !useH2c) return
    this.#waiting = []
    // A new client is given one request at a time, so that HTTP/1.1 is never pipelined. Only a connection that turned out
    // to be HTTP/2 takes more.
    this.#pool.on('connect', (_origin, [, client]) => {
      if (client !== undefined) (client as Client).pipelining = http2Connected ? maxStreams : 1
      // Only after the pool has heard that this one takes more: it would open others for what waits.
      queueMicrotask(() => this.#release())
    })
    this.#pool.on('connectionError', () => this.#release())
  }

  send(request: TransportRequest, path: string): Promise<TransportReply> {
    return new Promise((resolve, reject) => {
      const { onSent } = request
      const exchange = new PooledExchange({ resolve, reject }, (connection) => {
        this.#count(connection)
        onSent?.call(request, connection)
      })
      request.signal.onStop(() => exchange.stop())
      const go = (): void => {
        // Ended while it waited.
        if (request.signal.stopped) return
        const { method, headers, body = null } = request
        // "Idempotent" is what undici asks of requests that share an HTTP/2 connection. It sends none again for that:
        // PooledExchange refuses.
        this.#pool.dispatch({ path, method, headers, body, idempotent: true }, exchange)
      }
      if (this.#waiting === undefined || !this.#asked) {
        this.#asked = true
        go()
      } else this.#waiting.push(go)
    })
  }

  async close(): Promise<void> {
    this.#release()
    await this.#pool.destroy()
    for (const socket of this.#connecting) socket.destroy()
  }

  /** Asked at once by many, a server would otherwise see as many connections before the first has said that one will do. */
  #release(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    for (const go of waiting ?? []) go()
  }

  #count({ reused, setupMs }: Required<ConnectionInfo>): void {
    this.requests++
    if (reused) this.reused++
    this.setupMs += setupMs
  }
}
