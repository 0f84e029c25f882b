/** The transport of Node: connections that are kept and used again. HTTP/1.1; HTTP/2 where it is asked for and offered. */
import type { ConnectionInfo, Transport, TransportReply, TransportRequest } from '../../bindings/ports.js'
import { version } from '../../web/standard/version.js'
import { watchConnections } from './connections.js'
import { decoded } from './decoding.js'
import { proxyFor } from './environment.js'
import { PooledExchange } from './exchange.js'
import { Http1Line, type Line, type LineOptions } from './http1.js'
import { Http2Line } from './http2.js'

export interface PooledTransportOptions {
  /** Most connections to one origin. Default 64. */
  readonly connections?: number | undefined
  /** Most unused HTTP/1.1 connections to one origin that are kept open; those beyond are closed within a second or two. Default 50. */
  readonly kept?: number | undefined
  /** Until a connection stands: name, TCP, TLS. ms, default 10,000. */
  readonly connectMs?: number | undefined
  /** How long an unused connection is kept when the server names no time, ms. Default 30,000. */
  readonly keepAliveMs?: number | undefined
  /** Longest silence of a connection that has a request, ms: a net below the time-outs of a call. Default 600,000. */
  readonly silenceMs?: number | undefined
  /** HTTP/2 over TLS where it is offered. Default false: see node/README.md for what either costs. */
  readonly http2?: boolean | undefined
  /** HTTP/2 without TLS, to hosts that are known to speak it. Default false. */
  readonly cleartextHttp2?: boolean | undefined
  /** Certificates to trust besides those of Node, PEM: hosts of one's own. */
  readonly ca?: string | undefined
  /** Where proxies are looked up: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. Default: the process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** Since the transport was made. */
export interface TransportStats {
  /** Requests that left. */
  readonly requests: number
  /** Of these, how many went out on a connection that had served before. */
  readonly reused: number
  /** Connections that stand now; those that a proxy holds are not known. */
  readonly open: number
  /** Spent on setting connections up, ms. */
  readonly setupMs: number
  /** What the reused ones would have cost: each the mean set-up of its origin, ms. */
  readonly savedMs: number
}

export interface PooledTransport extends Transport {
  stats(): TransportStats
  /** Ends all connections at once; exchanges in flight reject with UND_ERR_DESTROYED. */
  close(): Promise<void>
}

/** Firewalls refuse clients without a name. */
const userAgent = `aetherflow/${version}`

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
  const total = { requests: 0, reused: 0, open: 0, setupMs: 0, savedMs: 0 }
  for (const { requests, reused, open, setupMs } of origins) {
    total.open += open
    total.requests += requests
    total.reused += reused
    total.setupMs += setupMs
    if (requests > reused) total.savedMs += (reused * setupMs) / (requests - reused)
  }
  return total
}

/** One origin: its connections, and what they have cost. A key goes to its own origin because each request names one. */
class Origin {
  requests = 0
  reused = 0
  setupMs = 0
  readonly #line: Line

  constructor(origin: string, options: PooledTransportOptions) {
    const { connections = 64, kept = 50, connectMs = 10_000, keepAliveMs = 30_000, silenceMs = 600_000, ca } = options
    const how: LineOptions = { connections, kept, connectMs, keepAliveMs, silenceMs, ca }
    const proxy = proxyFor(origin, options.env ?? process.env)
    const http1 = new Http1Line(origin, how, proxy)
    const http2 = origin.startsWith('https:') ? options.http2 : options.cleartextHttp2
    this.#line = http2 === true && proxy === undefined ? new Http2Line(origin, how, http1) : http1
  }

  async send(request: TransportRequest, path: string): Promise<TransportReply> {
    const reply = await new Promise<TransportReply>((resolve, reject) => {
      const { onSent, signal, method, body = null } = request
      const exchange = new PooledExchange({ resolve, reject }, (connection) => {
        this.#count(connection)
        onSent?.call(request, connection)
      })
      signal.onStop(() => {
        exchange.stop()
        if (signal.silent) this.#line.retire()
      })
      if (!signal.stopped) this.#line.dispatch({ path, method, headers: headersOf(request), body }, exchange)
    })
    return decoded(reply)
  }

  get open(): number {
    return this.#line.open
  }

  close(): Promise<void> {
    return this.#line.close()
  }

  #count({ reused, setupMs }: Required<ConnectionInfo>): void {
    this.requests++
    if (reused) this.reused++
    this.setupMs += setupMs
  }
}

/** A stream is asked for as it is: what is packed comes late, in blocks. */
function headersOf({ headers }: TransportRequest): Record<string, string> {
  const streamed = (headers['accept'] ?? '').includes('text/event-stream')
  return {
    'user-agent': userAgent,
    accept: 'application/json',
    'accept-encoding': streamed ? 'identity' : 'gzip, deflate, br',
    ...headers,
  }
}
