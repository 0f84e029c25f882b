/** HTTP/1.1 to one origin: a pool of connections over undici, directly or through a proxy. */
import { rootCertificates } from 'node:tls'
import type { Socket } from 'node:net'
import { buildConnector, Client, Pool, ProxyAgent, type Dispatcher } from 'undici'
import type { Clock } from '../../bindings/ports.js'
import { setUp } from './connections.js'
import { attemptMs, lookupBoth } from './environment.js'
import type { PooledExchange } from './exchange.js'

export interface LineOptions {
  readonly connections: number
  readonly kept: number
  readonly connectMs: number
  readonly keepAliveMs: number
  readonly silenceMs: number
  readonly ca: string | undefined
  /** Its timers hold no process. */
  readonly clock: Clock
}

export interface OutgoingRequest {
  readonly path: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

/** How requests get to one origin. */
export interface Line {
  dispatch(request: OutgoingRequest, exchange: PooledExchange): void
  /** Connections that stand; 0 behind a proxy, which has them. */
  readonly open: number
  /** A request was given up because nothing came: no further one goes to the connections of before. */
  retire(): void
  close(): Promise<void>
}

/** Certificates for `tls.connect`: those of Node, and one's own. */
export const trusted = (ca: string | undefined): { ca?: string[] } =>
  ca === undefined ? {} : { ca: [...rootCertificates, ca] }

export class Http1Line implements Line {
  readonly #origin: string
  readonly #options: LineOptions
  readonly #proxy: string | undefined
  readonly #retired = new Set<Dispatcher>()
  /** undici forgets a connection that has not come about yet; left alone, it would hold the process. */
  readonly #connecting = new Set<Socket>()
  #pool: Dispatcher | undefined
  #spare: Socket | undefined

  /** `proxy`: its address; undefined: none. */
  constructor(origin: string, options: LineOptions, proxy: string | undefined) {
    this.#origin = origin
    this.#options = options
    this.#proxy = proxy
  }

  dispatch(request: OutgoingRequest, exchange: PooledExchange): void {
    // undici frees a connection a turn after its reply has ended: a call that follows on the heels of another would open a
    // second one. Measured, the two turns cost less than the connections that they save.
    setImmediate(() =>
      setImmediate(() => {
        if (exchange.over) return
        this.#pool ??= this.#open()
        // The headers are the request's own: a proxy's wrapper adds to them.
        this.#pool.dispatch({ origin: this.#origin, ...request, headers: { ...request.headers } }, exchange)
      }),
    )
  }

  /** Takes over a connection that turned out to be of this kind. */
  adopt(socket: Socket, setupMs: number): void {
    this.#spare = socket
    setUp(socket, setupMs)
    socket.once('close', () => {
      if (this.#spare === socket) this.#spare = undefined
    })
    socket.on('error', () => undefined)
  }

  get open(): number {
    return this.#pool instanceof Pool ? this.#pool.stats.connected : 0
  }

  /** The old pool finishes what it has. */
  retire(): void {
    const pool = this.#pool
    if (pool === undefined) return
    this.#pool = undefined
    this.#retired.add(pool)
    pool.close().then(
      () => this.#retired.delete(pool),
      () => this.#retired.delete(pool),
    )
  }

  async close(): Promise<void> {
    const pools = [...this.#retired, ...(this.#pool ? [this.#pool] : [])]
    await Promise.all(pools.map((pool) => pool.destroy()))
    for (const socket of this.#connecting) socket.destroy()
    this.#spare?.destroy()
  }

  #open(): Dispatcher {
    const { connections, kept, keepAliveMs, silenceMs, connectMs, ca } = this.#options
    const limits = {
      connections,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      allowH2: false,
    }
    const how = {
      timeout: connectMs,
      allowH2: false,
      lookup: lookupBoth as never,
      autoSelectFamilyAttemptTimeout: attemptMs(new URL(this.#origin).hostname),
      ...trusted(ca),
    }
    if (this.#proxy !== undefined)
      return new ProxyAgent({ ...limits, uri: this.#proxy, proxyTunnel: false, requestTls: how, proxyTls: how })
    const connect = buildConnector(how)
    let clients = 0
    return new Pool(this.#origin, {
      ...limits,
      // Free ones are taken in the order in which they were made: those beyond `kept` serve a rush, and are let go after it.
      factory: (origin, options: Client.Options) =>
        new Client(origin, clients++ < kept ? options : { ...options, keepAliveTimeout: 1, keepAliveMaxTimeout: 1 }),
      connect: (target, callback) => {
        const spare = this.#spare
        this.#spare = undefined
        if (spare !== undefined && !spare.destroyed) return void setImmediate(() => callback(null, spare))
        // It returns its socket, which the types leave out.
        const pending = connect(target, (...result) => {
          this.#connecting.delete(pending)
          callback(...result)
        }) as unknown as Socket
        this.#connecting.add(pending)
      },
    })
  }
}
