/** Configuration: what providers exist, where they are, how calls are made and paid for. Trusted, never from a plan. */
import type { DraftsConfig } from './drafts-config.js'
import { AetherflowError } from '../../bindings/errors.js'
import { checkCacheConfig, type CacheConfig } from './cache/config.js'
import { checkChecksConfig, type ChecksConfig } from './checks-config.js'
import { isLoopback, presetNames, withPreset } from './presets.js'

/** A provider in a configuration; every member overrides the built-in table (core/route/defaults.json). */
export interface ProviderConfig {
  readonly name?: string
  /** Wire format: deepseek, gemini, groq, mistral, openai, or generic for any other OpenAI-compatible host. */
  readonly dialect?: string
  readonly baseUrl?: string
  /** Name of the environment variable that holds the key; null: it needs none. A host on this machine for which none is named needs none either. */
  readonly keyEnv?: string | null
  /** What is known of a host that people run themselves: ollama, lmstudio, llamacpp, vllm, openrouter. Own members win. */
  readonly preset?: string
  /** The key itself; better left to the environment. Never handed to the core, a log or a report. */
  readonly key?: string
  /** Most calls at once. */
  readonly concurrency?: number
  readonly default?: string
  /** By id: see `ModelConfig`. */
  readonly models?: Readonly<Record<string, ModelConfig>>
  readonly json?: 'schema' | 'object' | 'none'
  /** The group whose limits it counts towards; default: its id. Providers with several keys of one account share one. */
  readonly quotaGroup?: string
  /** It goes on from a given beginning of its answer. */
  readonly prefix?: boolean
  /**
   * Its prompt cache; absent: it has none. `minimum`: tokens that prompts must begin with in common before a step waits for another;
   * `leaders`: requests that must have read them before others find them (2 where whole units are kept; default 1); `idleMinutes`: how
   * long they are kept without use (default 5).
   */
  readonly promptCache?: { readonly minimum: number; readonly leaders?: 1 | 2; readonly idleMinutes?: number }
  /** Times at which it costs `factor` of its price: days from 1 = Monday, hours in UTC from inclusive to exclusive. */
  readonly peak?: {
    readonly factor: number
    readonly days: readonly number[]
    readonly hoursUtc: readonly (readonly [number, number])[]
  }
}

/** A model in a configuration. Prices in USD per million tokens; without them the run reckons with `unknownPrice`, and says so. */
export interface ModelConfig {
  readonly in?: number
  /** Read from the prompt cache; default `in`. */
  readonly cached?: number
  /** Written to it, where that has a price of its own; default `in`. */
  readonly written?: number
  /** Kept in an explicit cache for an hour. */
  readonly storedPerHour?: number
  readonly out?: number
  readonly asOf?: string
  readonly source?: string
  /** Planning estimates. */
  readonly firstTokenMs?: number
  readonly tokensPerSecond?: number
  /** Speed of reading a prompt; default 10,000. */
  readonly promptTokensPerSecond?: number
  /** Prompt tokens as the provider counts them for each that is estimated, 0.5 to 3; default 1, learnt in the run. */
  readonly tokenFactor?: number
  /** Most tokens of an answer. */
  readonly maxOut?: number
  /** Tokens of prompt and answer together; longer prompts are not sent. */
  readonly context?: number
  /** Set by a preset: `context` is what such a host has unless it was started otherwise. */
  readonly contextAssumed?: true
  /**
   * Tokens of hidden thought for each token of answer, typically; limits and reservations make room for them. Providers publish
   * no such shares: those of the built-in table are assumptions, and its `thinksSource` says so.
   */
  readonly thinks?: number
  readonly thinksSource?: string
  /** Longest silence before the first token, ms; default `timeouts.firstTokenMs`, three times that for a model that thinks. */
  readonly patienceMs?: number
  readonly quotaGroup?: string
  /** Who trained it; default: its provider. Verdicts on a draft come from another family than the draft. */
  readonly family?: string
}

/** How connections are made. */
export interface TransportConfig {
  /** HTTP/2 over TLS where it is offered; default false. */
  readonly http2?: boolean
  /** Most connections to one host; default 64. */
  readonly connections?: number
  /** Most unused connections to one host that are kept; default 50. */
  readonly kept?: number
  /** How long an unused connection is kept, ms; default 30000. */
  readonly keepAliveMs?: number
}

/** What failed calls lead to. Times in ms. */
export interface RetryConfig {
  /** Calls of one phase of a step (work, audit, repair), over all models; default 5. */
  readonly attempts?: number
  /** Of them at one model before the next admissible one has its turn; default 3. */
  readonly perModel?: number
  /** First back-off, doubled each time, × 0.8–1.2; default 500. */
  readonly baseMs?: number
  /** Longest back-off; default 8000. A provider's Retry-After is a floor and not bounded by it. */
  readonly capMs?: number
  /** From ready to done, over attempts, waits and fallbacks; default 0: none. */
  readonly deadlineMs?: number
  /** Longest wait that a provider may ask for before it counts as gone; default 900000. */
  readonly patienceMs?: number
}

/** Most money and tokens (prompts and answers). Reserved at worst case before each call, settled after. */
export interface CeilingConfig {
  readonly usd?: number
  readonly tokens?: number
}
export interface BudgetConfig {
  readonly run?: CeilingConfig
  readonly step?: CeilingConfig
  readonly attempt?: CeilingConfig
  /** What is given up when the rest does not suffice, in order; default all three. Without a rung left the step fails. */
  readonly ladder?: readonly ('cheaper' | 'skip_optional' | 'stop')[]
}

/** Limits of one quota group, in any placement of the window. */
export interface LimitConfig {
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  readonly requestsPerDay?: number
  readonly tokensPerDay?: number
  /** Most calls at once. */
  readonly concurrency?: number
}

/** How calls are made and paid for; part of a configuration, and overridable for one run. */
export interface PolicyConfig {
  readonly retry?: RetryConfig
  /** Opens after `failures` in a row (5) for `openMs` (10000), doubled at each failed probe up to `maxOpenMs` (60000). */
  readonly breaker?: { readonly failures?: number; readonly openMs?: number; readonly maxOpenMs?: number }
  /** Ask a second provider when the first token is late: the largest share of calls that may; default 0: never. */
  readonly hedge?: { readonly share?: number }
  /** A stream slower than this, measured after `afterMs` (10000), counts as timed out; default 0: any speed will do. */
  readonly floor?: { readonly tokensPerSecond?: number; readonly afterMs?: number }
  /** What to do when a stream breaks after its text was shown; a step's `on_interrupt` wins. Default restart. */
  readonly interrupt?: 'restart' | 'continue' | 'fail'
  readonly budget?: BudgetConfig
  /** What an answer counts as whose finish word nobody knows. Default incomplete: it is asked for again. */
  readonly unknownFinish?: 'incomplete' | 'accept'
  /** By quota group: a provider's id, or a `quotaGroup`. */
  readonly limits?: Readonly<Record<string, LimitConfig>>
}

/** A patch of the built-in table (RFC 7396), with keys. */
export interface Config extends PolicyConfig {
  readonly providers?: Readonly<Record<string, ProviderConfig>>
  readonly modes?: Readonly<Record<string, unknown>>
  readonly targets?: Readonly<Record<string, number>>
  readonly timeouts?: Readonly<Record<string, number>>
  readonly overflow?: 'never' | 'when_sooner'
  readonly repairs?: 0 | 1
  readonly unknownPrice?: Readonly<Record<string, number>>
  /** Answers of earlier runs. */
  readonly cache?: CacheConfig
  /** Programs that check answers. */
  readonly checks?: ChecksConfig
  /** Whether fast models draft for strong ones: see `draft` of a run's options. */
  readonly draft?: 'off' | 'auto' | 'always' | Readonly<Record<string, 'off' | 'auto' | 'always'>>
  readonly drafts?: DraftsConfig
  /** Connections of Node's hosts. */
  readonly transport?: TransportConfig
}

/** A provider as the host needs it: the built-in table with the configuration merged over it. */
export interface ProviderEntry {
  readonly id: string
  readonly name: string
  readonly dialect: string
  readonly baseUrl: string
  readonly keyEnv: string
  /** '': it needs none. */
  readonly key: string | undefined
  /** Of a host that people run themselves, or route through. */
  readonly preset?: string
}

const members = new Set([
  ...['providers', 'modes', 'targets', 'timeouts', 'overflow', 'repairs', 'unknownPrice'],
  ...[
    'retry',
    'breaker',
    'hedge',
    'floor',
    'interrupt',
    'budget',
    'limits',
    'cache',
    'unknownFinish',
    'transport',
    'checks',
  ],
  ...['draft', 'drafts'],
])
const providerMembers = new Set([
  ...['name', 'dialect', 'baseUrl', 'keyEnv', 'key', 'concurrency', 'default', 'models'],
  ...['json', 'quotaGroup', 'prefix', 'peak', 'promptCache', 'preset'],
])
/** As core/route/table.cpp reads them. */
const modelMembers = new Set([
  ...['in', 'cached', 'out', 'firstTokenMs', 'tokensPerSecond', 'maxOut', 'quotaGroup', 'asOf', 'source'],
  ...['context', 'thinks', 'thinksSource', 'patienceMs', 'written', 'storedPerHour', 'promptTokensPerSecond', 'family'],
  'tokenFactor',
])
/** `contextAssumed` is of a configuration that was read before, with its presets in it. */
const hostMembers = new Set([...modelMembers, 'contextAssumed'])
const texts = ['name', 'dialect', 'baseUrl', 'keyEnv', 'key', 'default'] as const

/** Checks what the host itself uses; the rest is checked by the core. */
export function checkConfig(value: unknown, where = ''): Config {
  if (!isObject(value)) throw new AetherflowError('host.config', where, 'expected a JSON object')
  for (const key of Object.keys(value)) {
    if (!members.has(key)) throw new AetherflowError('host.config', where, `unknown member ${shownName(key)}`)
  }
  checkCacheConfig(value['cache'], where)
  checkTransport(value['transport'], where)
  checkChecksConfig(value['checks'], where)
  const providers = value['providers'] ?? {}
  if (!isObject(providers)) throw new AetherflowError('host.config', where, "'providers' must be an object")
  for (const [id, provider] of Object.entries(providers)) {
    if (!isObject(provider)) throw new AetherflowError('host.config', where, `provider '${id}' must be an object`)
    checkMembers(provider, providerMembers, `provider '${id}'`, where)
    const { models } = provider
    for (const [model, about] of Object.entries(isObject(models) ? models : {}))
      if (isObject(about)) checkMembers(about, hostMembers, `model '${model}' of provider '${id}'`, where)
    for (const key of texts) {
      if (key === 'keyEnv' && provider[key] === null) continue
      if (provider[key] !== undefined && typeof provider[key] !== 'string') {
        throw new AetherflowError('host.config', where, `'${key}' of provider '${id}' must be text`)
      }
    }
    const { baseUrl } = provider
    if (typeof baseUrl === 'string' && !isBaseAddress(baseUrl)) {
      const wanted = 'must be an http(s) address without user, query or fragment'
      // Not quoted: somebody may have put a key into it.
      throw new AetherflowError('host.config', where, `'baseUrl' of provider '${id}' ${wanted}`)
    }
  }
  return expanded(value, where)
}

/** Presets replaced by what they stand for. Fails: host.config for an unknown one. */
function expanded(config: Record<string, unknown>, where: string): Config {
  if (config['providers'] === undefined) return config as Config
  const providers = Object.entries(config['providers'] as Record<string, Record<string, unknown>>).map(
    ([id, given]) => {
      const provider = withPreset(given)
      if (provider !== undefined) return [id, provider] as const
      throw new AetherflowError(
        'host.config',
        where,
        `no such preset of provider '${id}'; there are ${presetNames.join(', ')}`,
      )
    },
  )
  return { ...config, providers: Object.fromEntries(providers) } as Config
}

function checkTransport(value: unknown, where: string): void {
  if (value === undefined) return
  if (!isObject(value)) throw new AetherflowError('host.config', where, "'transport' must be an object")
  for (const [key, setting] of Object.entries(value)) {
    const fine = key === 'http2' ? typeof setting === 'boolean' : Number.isSafeInteger(setting) && Number(setting) > 0
    if (!['http2', 'connections', 'kept', 'keepAliveMs'].includes(key) || !fine)
      throw new AetherflowError(
        'host.config',
        where,
        `'transport' has no such '${key}': http2 (true or false), connections, kept, keepAliveMs`,
      )
  }
}

/** What is as long as a key may be one, put in the wrong place. */
const shownName = (name: string): string => (/^[\w.-]{1,16}$/.test(name) ? `'${name}'` : 'with a long or odd name')

/** What is misspelt is not obeyed: an address would be ignored, and a key copied to where keys never belong. */
function checkMembers(value: object, known: ReadonlySet<string>, of: string, where: string): void {
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue
    const plain = name.toLowerCase().replace(/[^a-z]/g, '')
    const meant =
      /token|secret|apikey|password/.test(plain) && known.has('key')
        ? 'key'
        : [...known].find((each) => each.toLowerCase() === plain)
    const hint = meant === undefined ? '' : `: is '${meant}' meant?`
    throw new AetherflowError('host.config', where, `unknown member ${shownName(name)} of ${of}${hint}`)
  }
}

const only = (value: object, known: ReadonlySet<string>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([name]) => known.has(name)))

/** The configuration without its keys and what hosts alone look at: what the core gets to merge. */
export function withoutKeys(config: Config): Record<string, unknown> {
  const providers: Record<string, unknown> = {}
  for (const [id, provider] of Object.entries(config.providers ?? {})) {
    // What is known and no more: all of this goes into the journal.
    const { key: _key, preset: _preset, ...rest } = only(provider, providerMembers)
    const models = Object.entries(provider.models ?? {}).map(([model, about]) => [
      model,
      isObject(about) ? only(about, modelMembers) : about,
    ])
    providers[id] = provider.models === undefined ? rest : { ...rest, models: Object.fromEntries(models) }
  }
  const { cache: _cache, transport: _transport, checks: _checks, draft: _draft, ...table } = config
  return { ...table, providers }
}

/** Built-in table and configuration, merged for the host. `defaults`: the core's document. `env`: where `keyEnv` is looked up. */
export function mergedEntries(
  defaults: unknown,
  config: Config,
  env: Readonly<Record<string, string | undefined>> = {},
): ProviderEntry[] {
  const known = (defaults as { providers: Record<string, ProviderConfig> }).providers
  const ids = new Set([...Object.keys(known), ...Object.keys(config.providers ?? {})])
  return [...ids].map((id) => {
    const merged: ProviderConfig = { ...known[id], ...config.providers?.[id] }
    const keyEnv = merged.keyEnv ?? ''
    const key = merged.key ?? (keyEnv === '' ? undefined : env[keyEnv])
    const needsNone = merged.keyEnv === null || (keyEnv === '' && isOwnMachine(merged.baseUrl))
    return {
      id,
      name: merged.name ?? id,
      dialect: merged.dialect ?? 'generic',
      baseUrl: merged.baseUrl ?? '',
      keyEnv,
      ...(merged.preset === undefined ? {} : { preset: merged.preset }),
      // An empty variable is an unset one.
      key: key === undefined || key.trim() === '' ? (needsNone ? '' : undefined) : key.trim(),
    }
  })
}

function isOwnMachine(baseUrl = ''): boolean {
  return URL.canParse(baseUrl) && isLoopback(new URL(baseUrl).hostname)
}

/** Patience with the first token of a provider's models, ms; undefined: the time-outs' own. `defaults`: the core's document. */
export function patienceOf(defaults: unknown, config: Config, provider: string): (model: string) => number | undefined {
  const known = (defaults as { providers: Record<string, ProviderConfig> }).providers
  const { firstTokenMs } = mergedTimeouts(defaults, config)
  return (model) => {
    const { patienceMs, thinks = 0 } = {
      ...known[provider]?.models?.[model],
      ...config.providers?.[provider]?.models?.[model],
    }
    return patienceMs ?? (thinks > 0 && firstTokenMs !== undefined ? thinkingFactor * firstTokenMs : undefined)
  }
}

/** A model that thinks may be silent for so many times as long before its first token. */
const thinkingFactor = 3

/** The time-outs of a call, ms: the built-in table's with the configuration's over them. `defaults`: the core's document. */
export function mergedTimeouts(defaults: unknown, { timeouts }: Config): Readonly<Record<string, number>> {
  return { ...(defaults as { timeouts?: Readonly<Record<string, number>> }).timeouts, ...timeouts }
}

/** What the clients take too: they would throw, and the platform's own error quotes an address that it cannot read. */
function isBaseAddress(text: string): boolean {
  if (!/^https?:\/\/[^\s?#]+$/.test(text) || !URL.canParse(text)) return false
  const { username, password } = new URL(text)
  return username === '' && password === ''
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The configuration with another policy over it, member by member. */
export function withPolicy(config: Config, policy: PolicyConfig): Config {
  return merged(config, policy) as Config
}

function merged(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over
  const result: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined) result[key] = Object.hasOwn(under, key) ? merged(under[key], value) : value
  }
  return result
}
