/** The transport of Node: connections that are kept and used again. HTTP/1.1; HTTP/2 where it is asked for and offered. */
import { AetherflowError } from '../../bindings/errors.js'
import type { Transport, TransportReply, TransportRequest } from '../../bindings/ports.js'
import { watchConnections } from './connections.js'
import type { PooledTransportOptions } from './options.js'
import type { Origin } from './origin.js'

export type { PooledTransportOptions } from './options.js'

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

let loaded: typeof Origin | undefined

/** The client is large, and anyone who plays the providers needs none: it is loaded by the first request of the process. */
async function load(): Promise<typeof Origin> {
  try {
    loaded = (await import('./origin.js')).Origin
    return loaded
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', 'undici', `a part of the package cannot be loaded: ${detail}`)
  }
}

export function pooledTransport(options: PooledTransportOptions = {}): PooledTransport {
  let endWatch: (() => void) | undefined
  const origins = new Map<string, Origin>()
  let closed = false
  const send = (Client: typeof Origin, request: TransportRequest): Promise<TransportReply> => {
    if (closed) return Promise.reject(Object.assign(new Error('closed'), { code: 'UND_ERR_CLOSED' }))
    endWatch ??= watchConnections()
    const { origin: address, pathname, search } = new URL(request.url)
    let origin = origins.get(address)
    if (origin === undefined) origins.set(address, (origin = new Client(address, options)))
    return origin.send(request, pathname + search)
  }
  return {
    send: (request) => (loaded === undefined ? load().then((Client) => send(Client, request)) : send(loaded, request)),
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
