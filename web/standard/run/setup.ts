/** What every host does around the driver: options for the core, simulated profiles. */
import type { AnswerCache, CacheMode } from '../../../bindings/cache/ports.js'
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError, type Fault } from '../../../bindings/errors.js'
import { draftUses as draftWords, type DraftUse } from '../../../bindings/generated/wire.js'
import { withoutKeys, type Config, type PolicyConfig } from '../config.js'
import type { DraftUses } from '../draft/use.js'
import type { SimulatorProfile } from '../simulator/index.js'

/** Options of a plan that every host knows. */
export interface PlanSettings {
  /** build (default), fast, double-check, or a mode of the configuration. */
  readonly mode?: string | undefined
  /** Most calls at once, by provider id. */
  readonly concurrency?: Readonly<Record<string, number>> | undefined
  readonly config?: Config | undefined
  /** Plays all providers: a profile's name or the profile; true: `default`. Costs nothing, proves nothing about providers. */
  readonly simulate?: boolean | string | SimulatorProfile | undefined
  /** Strip prompts. Default true. */
  readonly strip?: boolean | undefined
  /** Look further ahead before a place is given away: ten times the computing. Default false. */
  readonly optimize?: boolean | undefined
  /** Retries, limits and budgets of this run, over those of the configuration. */
  readonly policy?: PolicyConfig | undefined
  /**
   * Prompts made for the providers' prompt caches. `auto`: what steps share stands first, and they wait for it to be read where that
   * pays; `always`: wherever it saves money; `off`: each step in its own layout, at once. Default auto.
   */
  readonly promptCache?: 'auto' | 'always' | 'off' | undefined
  /**
   * Let a fast model draft and a strong one of another family verify: `off`, `auto` where that is expected to save time, `always`; for
   * all steps, or by type of step with `*` for all others. A step's own `draft` wins, unless this forbids it. Default: as the plan
   * says, else off. No effect in a mode that audits.
   */
  readonly draft?: DraftUse | Readonly<Record<string, DraftUse>> | undefined
  /** Of the simulator, jitter and searches. Default 1. */
  readonly seed?: number | undefined
}

/** Options of a run that every host knows which has a cache. */
export interface CacheSettings {
  /**
   * Answers of earlier work: steps are looked for there before they are called, and what they are answered is kept there. The same
   * request in flight twice is then called once. Its opener closes it. A run that is resumed needs one when it began with one.
   */
  readonly cache?: AnswerCache | undefined
  /**
   * With a cache, how far it is used: by type of step, `*` for all others. A plan's step may narrow that by its own `cache`.
   * Default: semantic for analysis and documentation, exact for all others. A run that is resumed keeps those that it began with.
   */
  readonly cacheModes?: Readonly<Record<string, CacheMode>> | undefined
  /** Whose answers: those of one tenant never serve another. */
  readonly tenant?: string | undefined
}

/** The options document of `begin`. */
export function beginOptions(
  options: PlanSettings,
  config: Config,
  available: readonly string[],
): Record<string, unknown> {
  const { mode, concurrency, strip, optimize, promptCache, seed } = options
  const draft = draftUses(options, config)
  const drafts = draft === undefined ? {} : { draft }
  return { mode, concurrency, strip, optimize, promptCache, seed, available, table: withoutKeys(config), ...drafts }
}

/** What the run says of drafts, by type of step; undefined: nothing. Fails: host.usage for an unknown word. */
export function draftUses(options: PlanSettings, config: Config): DraftUses | undefined {
  const { draft = config.draft } = options
  if (draft === undefined) return undefined
  const uses: unknown = typeof draft === 'string' ? { '*': draft } : draft
  const words: readonly unknown[] = draftWords
  if (typeof uses === 'object' && uses !== null && Object.values(uses).every((use) => words.includes(use)))
    return uses as DraftUses
  const detail = `expected ${draftWords.map((word) => JSON.stringify(word)).join(', ')}, or one of them for each type of step and *`
  throw new AetherflowError('host.usage', 'draft', detail)
}

/** Answers about the same material may be worded freely; code, tests and plans of work must be asked for in the same words. */
const defaultModes = { '*': 'exact', analysis: 'semantic', documentation: 'semantic' } as const

const simulatedTenant = 'simulated:'

/** What a simulator has said is never told to a real run, nor to another profile's. Fails: host.usage. */
export function tenantOf({ tenant }: CacheSettings, simulated: string | undefined): string | undefined {
  if (tenant?.startsWith(simulatedTenant) === true) {
    const detail = `names that begin with ${simulatedTenant} are kept for simulated runs`
    throw new AetherflowError('host.usage', 'tenant', detail)
  }
  if (simulated === undefined) return tenant
  return `${simulatedTenant}${simulated}${tenant === undefined ? '' : ` ${tenant}`}`
}

/** What `begin` gets to know of a cache: nothing when there is none. */
export function cacheOptions({ cache, cacheModes }: CacheSettings): { cache?: object } {
  return cache === undefined ? {} : { cache: { ...defaultModes, ...cacheModes } }
}

/** The core's verdict on a plan that it refused. */
export function planError(core: CoreRun): AetherflowError {
  const { code, where, detail, others } = core.document<Fault & { others: Fault[] }>('error')
  return new AetherflowError(code, where, detail, others)
}

/** `profiles`: handed in, as a page loads them on demand. Fails: host.usage for an unknown name. */
export function profileOf(
  simulate: true | string | SimulatorProfile,
  profiles: Readonly<Record<string, SimulatorProfile>>,
): SimulatorProfile {
  if (typeof simulate === 'object') return simulate
  const name = simulate === true ? 'default' : simulate
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (profile === undefined) {
    const known = Object.keys(profiles).join(', ')
    throw new AetherflowError('host.usage', 'simulate', `no profile '${name}'; there are ${known}`)
  }
  return profile
}
