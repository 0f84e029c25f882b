/** The clients of a run in a page: keys by question, a relay, or the simulator in this thread. A part by itself, see load-part.ts. */
import type { RunReport } from '../../bindings/events.js'
import type { Clock, Fetch, ModelClient } from '../../bindings/ports.js'
import { scaledClock, systemClock } from '../standard/clock.js'
import type { ProviderEntry } from '../standard/config.js'
import { clientFor, dialects, simulatedEntries, takesIdempotencyKey } from '../standard/providers/clients.js'
import { corsRule } from '../standard/providers/cors.js'
import type { Timeouts } from '../standard/providers/index.js'
import { profileOf } from '../standard/run/setup.js'
import type { SimulatorProfile } from '../standard/simulator/index.js'
import type { Here, JobSettings, Page } from './run/job.js'
import { Connections } from './connections.js'
import type * as simulator from '../standard/simulator/index.js'
import { pageFetch } from './worker/page-fetch.js'

export { draftDesk } from '../standard/draft/desk.js'

export interface PageProviders {
  /** Ids of those that can be called. */
  readonly available: readonly string[]
  client(provider: string): ModelClient | undefined
  readonly simulated: string | undefined
  /** The clock of what is played; undefined: the platform's. */
  readonly clock?: Clock | undefined
  /** The run's report with what is known of its connections. */
  complete(report: RunReport): RunReport
  close(): void
}

/** How long a call is waited for. */
export interface Waits {
  readonly timeouts?: Timeouts
  /** Patience with the first token of a provider's models, ms. */
  readonly patience?: (provider: string) => (model: string) => number | undefined
}

/** Never asked over a network: the simulator answers in this thread. */
const simulatorUrl = 'http://simulator.invalid'
const idempotencyHeader = 'idempotency-key'

export async function openProviders(
  entries: readonly ProviderEntry[],
  settings: JobSettings,
  page: Page,
  here: Here,
  waits: Waits,
  loadSimulator: () => Promise<typeof simulator>,
): Promise<PageProviders> {
  const more = {
    ...(here.clock === undefined ? {} : { clock: here.clock }),
    ...waits,
  }
  if (settings.simulate !== undefined && settings.simulate !== false)
    return simulated(entries, settings, settings.simulate, more, here.fetch, loadSimulator)
  const asks = settings.answers.includes('key')
  const clients = new Map<string, ModelClient>()
  const connections = new Connections()
  for (const entry of await callable(entries, settings, asks ? page : undefined)) {
    const { id, dialect } = entry
    const key = async (): Promise<string> => {
      const known = await keyOf(entry, asks ? page : undefined)
      // Something has to stand in the header; a relay puts its own key there.
      return known !== '' || settings.relay === undefined ? known : 'relay'
    }
    const rule = corsRule(settings.relay === undefined ? dialect : 'relay')
    const fetch = pageFetch(here.fetch ?? platformFetch, rule, (url) => connections.sent(url))
    // Browsers repeat requests by themselves: where it may go, a key keeps the provider from answering twice.
    const keyed = takesIdempotencyKey.has(dialect) && rule.headers === undefined
    const client = clientFor(dialect, {
      ...{ baseUrl: addressOf(entry, settings), key, fetch, ...more, patience: more.patience?.(id) },
      ...(keyed ? { idempotencyHeader } : {}),
      ...(entry.key === '' ? { keyless: true } : {}),
    })
    if (client !== undefined) clients.set(id, client)
  }
  return {
    available: [...clients.keys()],
    client: (provider) => clients.get(provider),
    simulated: undefined,
    complete: (report) => connections.complete(report),
    close: () => connections.close(),
  }
}

/** Those that are named, else those with a key; behind a relay that holds the keys, all. */
async function callable(
  entries: readonly ProviderEntry[],
  { providers, relay }: JobSettings,
  page: Page | undefined,
): Promise<ProviderEntry[]> {
  const spoken = entries.filter(({ dialect, baseUrl }) => Object.hasOwn(dialects, dialect) && baseUrl !== '')
  if (providers !== undefined) return spoken.filter(({ id }) => providers.includes(id))
  if (relay !== undefined && page === undefined) return spoken
  const keyed: ProviderEntry[] = []
  // One after the other: anyone who asks a person must not ask for five keys at once.
  for (const entry of spoken) {
    // A host of this machine needs none, but may have been given one.
    const key = await keyOf(entry, page)
    if (key !== '' || entry.key === '') keyed.push(entry)
  }
  return keyed
}

/** '': there is none. */
async function keyOf({ id, key }: ProviderEntry, page: Page | undefined): Promise<string> {
  return key !== undefined && key !== '' ? key : ((await page?.key(id)) ?? '').trim()
}

export const platformFetch: Fetch = (input, init) => globalThis.fetch(input, init)

/** Where a provider is called: itself, or `{relay}/{id}` and the path of its own address, so that a relay need only know origins. */
export function addressOf({ id, baseUrl }: ProviderEntry, { relay }: Pick<JobSettings, 'relay'>): string {
  if (relay === undefined) return baseUrl
  return `${relay.replace(/\/+$/, '')}/${encodeURIComponent(id)}${new URL(baseUrl).pathname.replace(/\/+$/, '')}`
}

/** Fails: host.usage for an unknown name. */
export async function playedProfile(
  simulate: NonNullable<JobSettings['simulate']>,
  load: () => Promise<typeof simulator>,
): Promise<SimulatorProfile> {
  const { simulatorProfiles } = await load()
  return profileOf(simulate === false ? true : simulate, simulatorProfiles)
}

async function simulated(
  entries: readonly ProviderEntry[],
  { simulateSpeed = 1, seed }: JobSettings,
  simulate: NonNullable<JobSettings['simulate']>,
  more: Waits & { readonly clock?: Clock },
  fetch: Fetch | undefined,
  load: () => Promise<typeof simulator>,
): Promise<PageProviders> {
  const { createSimulator } = await load()
  const named = await playedProfile(simulate, load)
  // Everything is told in the profile's own time, at whatever speed it is played.
  const clock = scaledClock(more.clock ?? systemClock, named.timeScale / simulateSpeed)
  const profile = { ...named, timeScale: 1 }
  const options = { clock, ...(seed === undefined ? {} : { seed }) }
  const played = createSimulator(profile, options)
  const clients = new Map<string, ModelClient>()
  for (const { id, dialect, baseUrl } of simulatedEntries(entries, profile, simulatorUrl)) {
    const config = {
      ...more,
      clock,
      baseUrl,
      key: () => 'simulated',
      fetch: fetch ?? played.fetch,
      patience: more.patience?.(id),
    }
    // The simulator keeps a ledger of them.
    const client = clientFor(dialect, { ...config, idempotencyHeader })
    if (client !== undefined) clients.set(id, client)
  }
  return {
    available: [...clients.keys()],
    client: (provider) => clients.get(provider),
    simulated: profile.name,
    clock,
    complete: (report) => report,
    close: () => undefined,
  }
}
