/** The clients of a run: real ones for every provider with a key, or all of them against the simulator. */
import type { Clock, Fetch, ModelClient } from '../bindings/ports.js'
import type { ProviderEntry } from '../web/standard/config.js'
import { clientFor, simulatedEntries, takesIdempotencyKey } from '../web/standard/providers/clients.js'
import { withinContext } from '../web/standard/providers/local-context.js'
import type { RunProviders } from '../web/standard/run/execute-run.js'
import type { Timeouts } from '../web/standard/providers/index.js'
import { createSimulator, type SimulatorProfile } from '../web/standard/simulator/index.js'
import { startSimulatorServer } from './simulator-server.js'
import {
  pooledTransport,
  type PooledTransport,
  type PooledTransportOptions,
  type TransportStats,
} from './transport/transport.js'

export interface Providers {
  /** Ids of those that can be called. */
  readonly available: readonly string[]
  client(provider: string): ModelClient | undefined
  /** Name of the simulated profile, when there is one. */
  readonly simulated: string | undefined
  /** What the connections came to; undefined with an injected fetch, which tells nothing. */
  connections(): TransportStats | undefined
  /** Ends all connections. */
  close(): Promise<void>
}

export interface ProvidersOptions {
  readonly entries: readonly ProviderEntry[]
  /** Instead of pooled connections. */
  readonly fetch?: Fetch | undefined
  readonly transport?: PooledTransportOptions | undefined
  /** A pool that outlives this run: it is used, and not closed. */
  readonly pool?: PooledTransport | undefined
  readonly clock?: Clock | undefined
  readonly timeouts?: Timeouts | undefined
  /** Patience with the first token of a provider's models, ms. */
  readonly patience?: ((provider: string) => (model: string) => number | undefined) | undefined
}

const idempotencyHeader = 'idempotency-key'

/** Clients of all providers that have a key and a client, over one pool of connections. */
export function realProviders(options: ProvidersOptions): Providers {
  return open(options, (dialect) => takesIdempotencyKey.has(dialect))
}

/** Bun puts a part of its own in the place of undici, which has no pools: its fetch keeps connections by itself. */
const fetchInstead = (): Fetch | undefined => (process.versions['bun'] === undefined ? undefined : globalThis.fetch)

function open(options: ProvidersOptions, takesKey: (dialect: string) => boolean): Providers {
  const { pool, clock, timeouts } = options
  const fetch = options.fetch ?? (pool === undefined ? fetchInstead() : undefined)
  const transport: PooledTransport | undefined = fetch ? undefined : (pool ?? pooledTransport(options.transport))
  const over = transport ? { transport } : { fetch: fetch! }
  const clients = new Map<string, ModelClient>()
  for (const { id, dialect, baseUrl, key, preset } of options.entries) {
    if (key === undefined) continue
    const more = {
      ...(clock === undefined ? {} : { clock }),
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(takesKey(dialect) ? { idempotencyHeader } : {}),
      ...(key === '' ? { keyless: true } : {}),
      patience: options.patience?.(id),
    }
    const config = { ...over, baseUrl, key: () => key, ...more }
    const client = clientFor(dialect, config)
    if (client !== undefined) clients.set(id, withinContext(client, config, preset))
  }
  return {
    available: [...clients.keys()],
    client: (provider) => clients.get(provider),
    simulated: undefined,
    connections: () => transport?.stats(),
    close: async () => {
      if (pool === undefined) await transport?.close()
    },
  }
}

/** Clients that somebody else has opened, and closes. */
export function lentClients(clients: RunProviders): Providers {
  const { available, simulated } = clients
  const client = (provider: string): ModelClient | undefined => clients.client(provider)
  return { available, simulated, client, connections: () => undefined, close: () => Promise.resolve() }
}

/** The simulator on a loopback socket, and a client for each provider that it plays. */
export async function simulatedProviders(
  options: ProvidersOptions & { readonly profile: SimulatorProfile; readonly seed?: number },
): Promise<Providers> {
  const { clock, seed, profile, timeouts, patience } = options
  const simulator = createSimulator(profile, {
    ...(clock === undefined ? {} : { clock }),
    ...(seed === undefined ? {} : { seed }),
  })
  const server = await startSimulatorServer(simulator)
  const entries = simulatedEntries(options.entries, profile, server.url).map(({ preset: _preset, ...entry }) => entry)
  const { fetch, transport } = options
  // Every one of them is ours, and keeps a ledger of the keys.
  const played = open({ entries, clock, timeouts, patience, fetch, transport }, () => true)
  return {
    ...played,
    simulated: profile.name,
    async close() {
      await played.close()
      await server.close()
    },
  }
}
