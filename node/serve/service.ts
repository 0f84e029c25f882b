/** What all requests of a server share: providers with one pool, limits of the process, cache, prices, model words. */
import { Authority } from '../../bindings/authority.js'
import type { AnswerCache } from '../../bindings/cache/ports.js'
import { CoreRun } from '../../bindings/core.js'
import { systemClock } from '../../web/standard/clock.js'
import type { ChatHost } from '../../web/standard/chat/chat-run.js'
import { patienceOf, type Config, type ProviderConfig } from '../../web/standard/config.js'
import type { CacheSettings } from '../../web/standard/run/setup.js'
import { simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { profileOf } from '../../web/standard/run/setup.js'
import { digest } from '../digest.js'
import { loadCore, loadLimits } from '../loader.js'
import type { PlanOptions, RunPlanOptions } from '../options.js'
import { pooledTransport } from '../transport/transport.js'
import type { LimitAuthority } from '../../bindings/ports.js'
import { lentClients, realProviders, simulatedProviders, type Providers } from '../providers.js'
import { setUp } from '../run/execute.js'
import { packageVersion } from '../version.js'

export interface ServiceOptions extends Pick<PlanOptions, 'config' | 'configFile' | 'simulate' | 'seed'> {
  readonly cache?: AnswerCache | undefined
  readonly cacheModes?: CacheSettings['cacheModes']
  /** Limits shared with other processes, such as `RedisAuthority`; its opener closes it. Default: of this server alone. */
  readonly limits?: LimitAuthority | undefined
  /** Who makes the calls, such as `RemoteCalls`; its opener closes it. Default: the clients of the configuration. */
  readonly clients?: RunPlanOptions['clients']
}

/** A model of the table. Prices in micro-USD a token. */
export interface PricedModel {
  readonly id: string
  readonly provider: string
  readonly inPrice: number
  readonly outPrice: number
}

export interface Service {
  readonly chat: ChatHost
  /** The limits of all chats and runs. */
  readonly authority: Authority
  /** The limits and connections of chats, for runs of plans. */
  readonly shared: Pick<RunPlanOptions, 'limits' | 'pool' | 'clients'>
  readonly config: Config
  /** Words that a request may name: modes, then every model of a provider that can be called. */
  readonly modes: readonly string[]
  readonly models: readonly PricedModel[]
  /** Name of the simulated profile; undefined: real providers. */
  readonly simulated: string | undefined
  close(): Promise<void>
}

/** Rejects with host.config, host.io_failed, host.usage, and route.no_provider when nothing can be called. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const module = await loadCore()
  const core = new CoreRun(module)
  try {
    const { config, entries, timeouts } = await setUp(core, options)
    const defaults = core.document<Config>('defaults')
    const patience = (id: string) => patienceOf(defaults, config, id)
    const pool = pooledTransport(config.transport)
    const providers = await openProviders(options, { entries, timeouts, patience, pool })
    const authority = new Authority(await loadLimits(), systemClock)
    const keys = new Map(entries.map(({ id, baseUrl, key }) => [id, digest([baseUrl, key ?? '']).slice(0, 16)]))
    return {
      config,
      modes: ['auto', ...Object.keys({ ...defaults.modes, ...config.modes })],
      models: pricedModels(defaults, config, providers.available),
      simulated: providers.simulated,
      chat: {
        freshCore: () => new CoreRun(module),
        version: packageVersion(),
        config,
        providerIds: entries.map(({ id }) => id),
        providers,
        dialects: Object.fromEntries(entries.map(({ id, dialect }) => [id, dialect])),
        waits: new Map(),
        digest,
        limits: { authority: options.limits ?? authority, scope: (id) => keys.get(id) ?? '' },
        cache: options.cache,
        cacheModes: options.cacheModes,
      },
      authority,
      shared: { limits: options.limits ?? authority, pool, clients: options.clients },
      close: async () => {
        await providers.close()
        await pool.close()
      },
    }
  } finally {
    core.dispose()
  }
}

/** One simulator for all requests: they share its limits as they would share a provider's. */
async function openProviders(
  { simulate, seed, clients }: ServiceOptions,
  how: Parameters<typeof realProviders>[0],
): Promise<Providers> {
  if (clients !== undefined) return lentClients(clients)
  if (simulate === undefined || simulate === false) return realProviders(how)
  const profile: SimulatorProfile = profileOf(simulate, simulatorProfiles)
  const { entries, timeouts } = how
  return simulatedProviders({ entries, timeouts, profile, ...(seed === undefined ? {} : { seed }) })
}

function pricedModels(defaults: Config, config: Config, available: readonly string[]): PricedModel[] {
  const priceless: Readonly<Record<string, number>> = { ...defaults.unknownPrice, ...config.unknownPrice }
  return available.flatMap((provider) => {
    const known: ProviderConfig = defaults.providers?.[provider] ?? {}
    const own: ProviderConfig = config.providers?.[provider] ?? {}
    const factor = (own.peak ?? known.peak)?.factor ?? 1
    const ids = new Set([...Object.keys(known.models ?? {}), ...Object.keys(own.models ?? {})])
    return [...ids].map((id) => {
      const model = { ...known.models?.[id], ...own.models?.[id] }
      const inPrice = (model.in ?? priceless['in'] ?? 0) * factor
      const outPrice = (model.out ?? priceless['out'] ?? 0) * factor
      return { id, provider, inPrice, outPrice }
    })
  })
}
