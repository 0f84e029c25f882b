/** All connections to one host: its HTTP/1.1 or HTTP/2 client, and what they have cost. */
import type { Clock, ConnectionInfo, TransportReply, TransportRequest } from '../../bindings/ports.js'
import { version } from '../../web/standard/version.js'
import { decoded } from './decoding.js'
import { proxyFor } from './environment.js'
import { PooledExchange } from './exchange.js'
import { Http1Line, type Line, type LineOptions } from './http1.js'
import { Http2Line } from './http2.js'
import type { PooledTransportOptions } from './options.js'

/** Firewalls refuse clients without a name. */
const userAgent = `aetherflow/${version}`

/** The platform's clock; its timers hold no process. */
const quietClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms).unref()
    return () => clearTimeout(timer)
  },
}

/** One origin: its connections, and what they have cost. A key goes to its own origin because each request names one. */
export class Origin {
  requests = 0
  reused = 0
  setupMs = 0
  readonly #line: Line

  constructor(origin: string, options: PooledTransportOptions) {
    const { connections = 64, kept = 50, connectMs = 10_000, keepAliveMs = 30_000, silenceMs = 600_000 } = options
    const { ca, clock = quietClock } = options
    const how: LineOptions = { connections, kept, connectMs, keepAliveMs, silenceMs, ca, clock }
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
