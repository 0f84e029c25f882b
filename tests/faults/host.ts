/** Runs plans on the real Node host against a fault server. */
import { jest } from '@jest/globals'
import {
  runPlan,
  type Clock,
  type Config,
  type RunEvent,
  type RunPlanOptions,
  type RunResult,
} from '../../node/index.js'
import { FaultServer, mark } from './fault-server.js'
import type { Prices } from './ledger.js'
import { PatientClock } from './patient-clock.js'

// Sockets and jumps of the clock are slow on a busy machine; no test waits for real time to pass.
jest.setTimeout(30_000)

/** The key of every provider of these tests: must never be seen outside the authorisation header. */
export const canary = 'sk-canary-5b1e0f6a9c3d72e84f'

/** USD per million tokens, which is micro-USD per token. */
export const prices: Readonly<Record<string, Prices>> = {
  alpha: { in: 1, out: 2 },
  beta: { in: 2, out: 4 },
  gamma: { in: 3, out: 6 },
}

/** Anything that a configuration may hold; the host checks it. */
export type Policy = Readonly<Record<string, unknown>>

export interface HostOptions extends Omit<RunPlanOptions, 'config' | 'clock'> {
  /** Members of the configuration beside the providers. */
  readonly policy?: Policy
  /** Members of single providers. */
  readonly providers?: Readonly<Record<string, object>>
}

/** Providers alpha, beta and gamma at the server, preferred in this order; the built-in ones have no key. */
export function configOf(server: Pick<FaultServer, 'at'>, { policy = {}, providers = {} }: HostOptions = {}): Config {
  const builtIn = ['deepseek', 'gemini', 'groq', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'AETHERFLOW_UNSET' }])
  const own = Object.entries(prices).map(([id, { in: input, out }]) => [
    id,
    {
      name: id,
      dialect: 'generic',
      baseUrl: server.at(id),
      key: canary,
      concurrency: 8,
      json: 'none',
      default: `${id}-1`,
      models: {
        [`${id}-1`]: { in: input, cached: input, out, firstTokenMs: 100, tokensPerSecond: 1000, maxOut: 4096 },
      },
      ...providers[id],
    },
  ])
  const rules = [{ name: 'all', use: Object.keys(prices), why: 'alpha comes first' }]
  return {
    providers: Object.fromEntries([...builtIn, ...own]) as NonNullable<Config['providers']>,
    modes: { build: { rules } },
    ...policy,
  } as Config
}

export const step = (id: string, more: object = {}): object => ({
  id,
  type: 'testing',
  description: `Do the work of ${mark(id)} and say so.`,
  complexity: 0.5,
  estimated_tokens: 50,
  dependencies: [],
  ...more,
})

export const plan = (...steps: object[]): Plan => ({ task_id: 'faults', description: 'd', steps })

type Plan = Record<string, unknown>

/** One attempt and no other model: what a fault does to a single call. */
export const once: Policy = { retry: { attempts: 1 } }

export interface Ran extends RunResult {
  readonly events: readonly RunEvent[]
  /** Text that was shown while it streamed, by step. */
  readonly shown: ReadonlyMap<string, string>
}

/** Runs the plan; the signal and the observers of `options` are served too. */
export async function run(
  server: FaultServer,
  source: Plan | AsyncIterable<Uint8Array>,
  options: HostOptions = {},
  clock?: Clock,
): Promise<Ran> {
  const { policy: _policy, providers: _providers, ...rest } = options
  const events: RunEvent[] = []
  const shown = new Map<string, string>()
  const result = await runPlan(source, {
    ...rest,
    config: configOf(server, options),
    clock,
    onEvent(event) {
      events.push(event)
      options.onEvent?.(event)
    },
    onText(id, piece) {
      shown.set(id, (shown.get(id) ?? '') + piece)
      options.onText?.(id, piece)
    },
  })
  return { ...result, events, shown }
}

/** Runs the plan in virtual time: the host's timers, the server's pauses and the ledger share one clock. */
export async function runVirtually(
  server: FaultServer,
  clock: PatientClock,
  source: Plan,
  options: HostOptions = {},
  mostMs?: number,
): Promise<Ran> {
  let calls = 0
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'call') calls += 1
    options.onEvent?.(event)
  }
  const before = server.ledger.entries.length
  const arrived = (): number => server.ledger.entries.length - before
  const quiet = {
    mark: () => `${calls} ${arrived()} ${server.busy} ${server.written}`,
    still: () => server.busy === 0 && arrived() >= calls,
  }
  return clock.drive(run(server, source, { ...options, onEvent }, clock), quiet, mostMs)
}

/** A server for one test, closed whatever happens. */
export async function withServer<T>(use: (server: FaultServer) => Promise<T>, clock?: Clock): Promise<T> {
  const server = await FaultServer.start(clock)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

/** As `withServer`, on a virtual clock. */
export function withVirtualServer<T>(use: (server: FaultServer, clock: PatientClock) => Promise<T>): Promise<T> {
  const clock = new PatientClock()
  return withServer((server) => use(server, clock), clock)
}

/** Notes of a reason, in order. */
export function notes({ events }: Ran, reason: string): Extract<RunEvent, { type: 'note' }>[] {
  return events.filter((event) => event.type === 'note').filter((note) => note.reason === reason)
}
