/** The clients of a run: real ones for every provider with a key, or all of them against the simulator. */
import type { Clock, Fetch, ModelClient } from '../bindings/ports.js'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  generic,
  groq,
  mistral,
  openai,
  type ClientConfig,
  type Dialect,
  type Timeouts,
} from '../web/standard/providers/index.js'
import { createSimulator, type SimulatorProfile } from '../web/standard/simulator/index.js'
import type { ProviderEntry } from './config.js'
import { startSimulatorServer } from './simulator-server.js'
import { pooledTransport, type PooledTransport, type PooledTransportOptions, type TransportStats } from './transport.js'

type MakeClient = (config: ClientConfig) => ModelClient

const chat =
  (dialect: Dialect): MakeClient =>
  (config) =>
    createOpenAiCompatible({ ...config, dialect })

/** Wire formats that have a client, and how to make it. */
export const dialects: Readonly<Record<string, MakeClient>> = {
  deepseek: chat(deepseek),
  gemini: createGemini,
  generic: chat(generic),
  groq: chat(groq),
  mistral: chat(mistral),
  openai: chat(openai),
}

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
}

/** Wire formats whose hosts take a header that no rule names; others have been seen to refuse what they do not know. */
const takesIdempotencyKey: ReadonlySet<string> = new Set(['openai', 'generic'])
const idempotencyHeader = 'idempotency-key'

/** Clients of all providers that have a key and a client, over one pool of connections. */
export function realProviders(options: ProvidersOptions): Providers {
  return open(options, (dialect) => takesIdempotencyKey.has(dialect))
}

function open(options: ProvidersOptions, takesKey: (dialect: string) => boolean): Providers {
  const { fetch, pool, clock, timeouts } = options
  const transport: PooledTransport | undefined = fetch ? undefined : (pool ?? pooledTransport(options.transport))
  const over = transport ? { transport } : { fetch: fetch! }
  const clients = new Map<string, ModelClient>()
  for (const { id, dialect, baseUrl, key } of options.entries) {
    const make = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined
    if (make === undefined || key === undefined || baseUrl === '') continue
    const more = {
      ...(clock === undefined ? {} : { clock }),
      ...(timeouts === undefined ? {} : { timeouts }),
      ...(takesKey(dialect) ? { idempotencyHeader } : {}),
    }
    clients.set(id, make({ ...over, baseUrl, key: () => key, ...more }))
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

/** The simulator on a loopback socket, and a client for each provider that it plays. */
export async function simulatedProviders(
  options: ProvidersOptions & { readonly profile: SimulatorProfile; readonly seed?: number },
): Promise<Providers> {
  const { clock, seed, profile, timeouts } = options
  const simulator = createSimulator(profile, {
    ...(clock === undefined ? {} : { clock }),
    ...(seed === undefined ? {} : { seed }),
  })
  const server = await startSimulatorServer(simulator)
  const entries = simulatedEntries(options.entries, profile, server.url)
  const { fetch } = options
  // As the real ones do: calls at once share one connection.
  const transport = { ...options.transport, cleartextHttp2: true }
  // Every one of them is ours, and keeps a ledger of the keys.
  const played = open({ entries, clock, timeouts, fetch, transport }, () => true)
  return {
    ...played,
    simulated: profile.name,
    async close() {
      await played.close()
      await server.close()
    },
  }
}

/** Those that the profile plays, at a simulator's address. */
export function simulatedEntries(
  entries: readonly ProviderEntry[],
  profile: SimulatorProfile,
  url: string,
): ProviderEntry[] {
  const names = new Set(Object.keys(profile.providers))
  return entries
    .filter(({ id }) => names.has(id))
    .map((entry) => ({
      ...entry,
      baseUrl: `${url}/${entry.id}/${entry.id === 'gemini' ? 'v1beta' : 'v1'}`,
      // Each is played in its own format, whatever the configuration calls through.
      dialect: entry.id,
      key: 'simulated',
    }))
}
