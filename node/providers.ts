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
  close(): Promise<void>
}

export interface ProvidersOptions {
  readonly entries: readonly ProviderEntry[]
  readonly fetch?: Fetch | undefined
  readonly clock?: Clock | undefined
  readonly timeouts?: Timeouts | undefined
}

const platformFetch: Fetch = (input, init) => fetch(input, init)

/** Clients of all providers that have a key and a client. */
export function realProviders(options: ProvidersOptions): Providers {
  const { fetch = platformFetch, clock, timeouts } = options
  const clients = new Map<string, ModelClient>()
  for (const { id, dialect, baseUrl, key } of options.entries) {
    const make = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined
    if (make === undefined || key === undefined || baseUrl === '') continue
    const more = { ...(clock === undefined ? {} : { clock }), ...(timeouts === undefined ? {} : { timeouts }) }
    clients.set(id, make({ fetch, baseUrl, key: () => key, ...more }))
  }
  return {
    available: [...clients.keys()],
    client: (provider) => clients.get(provider),
    simulated: undefined,
    close: () => Promise.resolve(),
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
  const played = new Set(Object.keys(profile.providers))
  const entries = options.entries
    .filter(({ id }) => played.has(id))
    .map((entry) => ({
      ...entry,
      baseUrl: `${server.url}/${entry.id}/${entry.id === 'gemini' ? 'v1beta' : 'v1'}`,
      // Each is played in its own format, whatever the configuration calls through.
      dialect: entry.id,
      key: 'simulated',
    }))
  const real = realProviders({ entries, clock, timeouts, fetch: options.fetch })
  return { ...real, simulated: profile.name, close: () => server.close() }
}
