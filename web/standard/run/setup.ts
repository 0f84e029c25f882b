/** What every host does around the driver: options for the core, plans fed for a verdict or an explanation, simulated profiles. */
import type { AnswerCache, CacheMode } from '../../../bindings/cache/ports.js'
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { Explanation, RouteInfo, StepInfo } from '../../../bindings/events.js'
import { withoutKeys, type Config, type PolicyConfig } from '../config.js'
import { planBytes, type PlanSource } from './plan-source.js'
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
  /** Search a better order than longest-path-first over sampled durations. Default false. */
  readonly optimize?: boolean | undefined
  /** Retries, limits and budgets of this run, over those of the configuration. */
  readonly policy?: PolicyConfig | undefined
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

/** A plan that was only read. `dot`: its graph in Graphviz's language. */
export interface CheckedPlan {
  readonly steps: StepInfo[]
  readonly warnings: { readonly code: string; readonly where: string; readonly detail: string }[]
  readonly dot: string
}

/** A plan on the virtual clock. `assumed`: providers that were taken for configured, as none has a key. */
export type ExplainedPlan = Explanation & { routes: RouteInfo[]; assumed: readonly string[] }

/** The options document of `begin`. */
export function beginOptions(
  options: PlanSettings,
  config: Config,
  available: readonly string[],
): Record<string, unknown> {
  const { mode, concurrency, strip, optimize, seed } = options
  return { mode, concurrency, strip, optimize, seed, available, table: withoutKeys(config) }
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
  const { code, where, detail } = core.document<{ code: AetherflowError['code']; where: string; detail: string }>(
    'error',
  )
  return new AetherflowError(code, where, detail)
}

/** Feeds a whole plan; goes on after a plan error to tell malformed text from a wrong plan, then throws the verdict. */
async function feed(core: CoreRun, plan: PlanSource): Promise<void> {
  const bytes = planBytes(plan)
  let failed = false
  const push = (chunk: Uint8Array): void => {
    try {
      core.planBytes(chunk, 0)
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code.startsWith('host.')) throw error
      failed = true
    }
  }
  if (bytes instanceof Uint8Array) push(bytes)
  else for await (const chunk of bytes) push(chunk)
  try {
    core.planEnd(0)
  } catch (error) {
    if (!failed) throw error
    throw planError(core)
  }
}

/** Reads a plan through a fresh core. Rejects with json.* or plan.*. */
export async function checkWith(core: CoreRun, plan: PlanSource): Promise<CheckedPlan> {
  await feed(core, plan)
  return { steps: core.document('steps'), warnings: core.document('warnings'), dot: core.documentText('dot') }
}

/** Runs a plan on the virtual clock of a fresh core. `keyed`: providers that can be called; none: `all` count as configured. */
export async function explainWith(
  core: CoreRun,
  plan: PlanSource,
  options: PlanSettings,
  { config, keyed, all }: { config: Config; keyed: readonly string[]; all: readonly string[] },
): Promise<ExplainedPlan> {
  core.begin(beginOptions(options, config, keyed.length > 0 ? keyed : all), 0)
  await feed(core, plan)
  const explanation = core.document<Explanation>('explain')
  return { ...explanation, routes: core.document('routes'), assumed: keyed.length > 0 ? [] : all }
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
