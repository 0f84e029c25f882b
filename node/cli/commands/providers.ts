/** `aetherflow providers`: what is configured and whether it answers, without a word of any key. */
import { createSimulator } from '../../../web/standard/simulator/index.js'
import type { ProviderEntry } from '../../../web/standard/config.js'
import { readConfig } from '../../config.js'
import { localContexts, withContexts } from '../../local-contexts.js'
import { listProviders, simulatedProfile } from '../../index.js'
import { probeProvider, type Probe } from '../../provider-probe.js'
import { dialects, simulatedEntries } from '../../../web/standard/providers/clients.js'
import { startSimulatorServer } from '../../simulator-server.js'
import { pooledTransport } from '../../transport/transport.js'
import { paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { providerLines, type Listed, type Model } from '../provider-lines.js'
import { asciiControls } from '../render/json.js'

export interface ProvidersFlags {
  readonly config?: string
  readonly json?: true
  /** Of commander: the profile's name, or true for the default one. */
  readonly simulate?: string | true
  readonly offline?: true
}

export async function providers(flags: ProvidersFlags, host: Host): Promise<ExitCode> {
  const config = await readConfig(flags.config)
  const { entries, table } = await listProviders({ config })
  const alone = flags.offline === true || flags.simulate !== undefined
  const { providers: known } = alone ? config : withContexts(config, await localContexts(config, entries))
  const simulated = flags.simulate === undefined ? undefined : simulatedProfile(flags.simulate).name
  const probes = flags.offline ? new Map<string, Probe>() : await probeAll(entries, flags, host)
  const listed = entries.map((entry) => describe(entry, modelsOf(entry.id, table, known), probes.get(entry.id)))
  if (flags.json) {
    const labelled = simulated === undefined ? {} : { simulated }
    host.stdout.write(`${asciiControls(JSON.stringify({ providers: listed, ...labelled }))}\n`)
    return exitCodes.ok
  }
  const colours = paint(host.stdout, host.env)
  const columns = host.stdout.columns ?? 120
  const lines = listed.flatMap((provider) => [...providerLines(provider, columns, colours, simulated), ''])
  host.stdout.write(`${lines.join('\n')}prices are in USD per million tokens\n`)
  return exitCodes.ok
}

/** All at once: the slowest decides how long it takes. Only providers with a key and an address, or the simulator's. */
async function probeAll(
  entries: readonly ProviderEntry[],
  { simulate }: ProvidersFlags,
  { clock }: Host,
): Promise<ReadonlyMap<string, Probe>> {
  const profile = simulate === undefined ? undefined : simulatedProfile(simulate)
  const server = profile && (await startSimulatorServer(createSimulator(profile)))
  const transport = pooledTransport()
  try {
    const asked =
      profile && server
        ? simulatedEntries(entries, profile, server.url)
        : entries.filter(({ key, baseUrl }) => key !== undefined && baseUrl !== '')
    const probes = await Promise.all(
      asked.map(async (entry) => [entry.id, await probeProvider(entry, { transport, clock })] as const),
    )
    return new Map(probes)
  } finally {
    await transport.close()
    await server?.close()
  }
}

function describe(entry: ProviderEntry, models: readonly Omit<Model, 'live'>[], probe: Probe | undefined): Listed {
  const { id, name, baseUrl, keyEnv, key, dialect } = entry
  const { models: live, ...answered } = probe ?? {}
  const there = live && new Set(live)
  const known = new Set(models.map((model) => model.id))
  return {
    id,
    name,
    baseUrl: withoutSecrets(baseUrl),
    keyVariable: keyEnv,
    keyPresent: key !== undefined && key !== '',
    keyNeeded: key !== '',
    supported: Object.hasOwn(dialects, dialect),
    dialect,
    models: models.map((model) => ({ ...model, live: there ? there.has(model.id) : null })),
    otherModels: live ? live.filter((model) => !known.has(model)).length : null,
    probe: probe ? (answered as Omit<Probe, 'models'>) : null,
  }
}

/** An address may carry a password or a key in its query. */
function withoutSecrets(address: string): string {
  try {
    const url = new URL(address)
    return url.username === '' && url.password === '' && url.search === '' ? address : `${url.origin}${url.pathname}`
  } catch {
    return address
  }
}

/** The built-in models with the configuration's over them, as the core merges them (RFC 7396). */
function modelsOf(id: string, table: unknown, patch: unknown): Omit<Model, 'live'>[] {
  const built = member(member(member(table, 'providers'), id), 'models')
  const own = member(member(patch, id), 'models')
  const merged = mergePatch(built, own)
  if (!isObject(merged)) return []
  return Object.entries(merged).map(([model, about]) => {
    const number = (key: string): number | null => numberOf(member(about, key))
    const text = (key: string): string | null => textOf(member(about, key))
    return {
      id: model,
      in: number('in'),
      cached: number('cached'),
      out: number('out'),
      asOf: text('asOf'),
      source: text('source'),
      context: number('context'),
      contextAssumed: member(about, 'contextAssumed') === true,
    }
  })
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === undefined) return target
  if (!isObject(patch)) return patch
  const entries = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) entries.delete(key)
    else entries.set(key, mergePatch(entries.get(key), value))
  }
  return Object.fromEntries(entries)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const member = (value: unknown, key: string): unknown =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null)
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null)
