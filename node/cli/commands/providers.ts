/** `aetherflow providers`: what is configured, without a word of any key and without the network. */
import { oneLine } from '../../../web/standard/format.js'
import { readConfig, type ProviderEntry } from '../../config.js'
import { listProviders } from '../../index.js'
import { dialects } from '../../providers.js'
import { paint, type Paint } from '../colour.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'

export interface ProvidersFlags {
  readonly config?: string
  readonly json?: true
}

interface Model {
  readonly id: string
  /** USD per million tokens; null: unknown, never zero. */
  readonly in: number | null
  readonly cached: number | null
  readonly out: number | null
  readonly asOf: string | null
  readonly source: string | null
}
interface Listed {
  readonly id: string
  readonly name: string
  readonly baseUrl: string
  readonly keyVariable: string
  readonly keyPresent: boolean
  /** False: no client speaks its wire format yet. */
  readonly supported: boolean
  readonly dialect: string
  readonly models: readonly Model[]
}

export async function providers(flags: ProvidersFlags, host: Host): Promise<ExitCode> {
  const config = await readConfig(flags.config)
  const { entries, table } = await listProviders({ config })
  const listed = entries.map((entry) => describe(entry, modelsOf(entry.id, table, config.providers)))
  if (flags.json) {
    host.stdout.write(`${asciiControls(JSON.stringify({ providers: listed }))}\n`)
    return exitCodes.ok
  }
  const colours = paint(host.stdout, host.env)
  const columns = host.stdout.columns ?? 120
  const lines = listed.flatMap((provider) => [...providerLines(provider, columns, colours), ''])
  host.stdout.write(`${lines.join('\n')}prices are in USD per million tokens\n`)
  return exitCodes.ok
}

function describe(entry: ProviderEntry, models: readonly Model[]): Listed {
  const { id, name, baseUrl, keyEnv, key, dialect } = entry
  const supported = Object.hasOwn(dialects, dialect)
  return {
    id,
    name,
    baseUrl: withoutSecrets(baseUrl),
    keyVariable: keyEnv,
    keyPresent: key !== undefined,
    supported,
    dialect,
    models,
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
function modelsOf(id: string, table: unknown, patch: unknown): Model[] {
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

function providerLines(provider: Listed, columns: number, colours: Paint): string[] {
  const { id, name, keyPresent, keyVariable, supported, dialect, baseUrl, models } = provider
  const key = keyPresent ? colours.green('key present') : colours.yellow('no key')
  const variable = keyVariable === '' ? '' : ` (${oneLine(keyVariable)})`
  const client = supported ? '' : colours.dim(`, no client for the ${oneLine(dialect)} format yet`)
  const title = name === id ? oneLine(id) : `${oneLine(id)} – ${oneLine(name)}`
  const price = (value: number | null): string => (value === null ? 'unknown' : String(value))
  const rows = models.map((model) => [
    `  ${oneLine(model.id)}`,
    price(model.in),
    price(model.cached),
    price(model.out),
    oneLine(model.asOf ?? '–'),
    oneLine(model.source ?? '–'),
  ])
  const [heads = '', ...lines] = alignedTable(['  model', 'in', 'cached', 'out', 'as of', 'source'], rows, columns)
  return [`${colours.bold(title)}: ${key}${variable}${client}`, `  ${oneLine(baseUrl)}`, colours.dim(heads), ...lines]
}
