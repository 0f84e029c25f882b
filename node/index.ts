/**
 * AetherFlow in Node.
 *
 *   import { runPlan } from '@aetherflow/aetherflow'
 *   const result = await runPlan(plan, { onEvent: (event) => console.log(event.type) })
 *
 * @packageDocumentation
 */
import { CoreRun } from '../bindings/core.js'
import { Driver, type DriverResult } from '../bindings/driver.js'
import { AetherflowError } from '../bindings/errors.js'
import type { Performer } from '../bindings/performer.js'
import type { Explanation, RouteInfo, RunEvent, StepInfo } from '../bindings/events.js'
import type { Clock, Fetch } from '../bindings/ports.js'
import { systemClock } from '../web/standard/clock.js'
import { ModelPerformer } from '../web/standard/performer.js'
import type { Timeouts } from '../web/standard/providers/index.js'
import { simulatorProfiles, type SimulatorProfile } from '../web/standard/simulator/index.js'
import { checkConfig, providerEntries, readConfig, withoutKeys, type Config, type ProviderEntry } from './config.js'
import { contextFiles } from './context-files.js'
import { loadCore } from './loader.js'
import { planBytes, type PlanSource } from './plan-source.js'
import { PlanRun } from './plan-run.js'
import { realProviders, simulatedProviders, type Providers } from './providers.js'

export { AetherflowError } from '../bindings/errors.js'
export type { ErrorCode, FailureKind, Outcome, Purpose, Reason } from '../bindings/generated/wire.js'
export type * from '../bindings/events.js'
export type { Clock, Fetch } from '../bindings/ports.js'
export type { SimulatorProfile } from '../web/standard/simulator/index.js'
export type { Config, ProviderConfig } from './config.js'
export type { PlanSource } from './plan-source.js'
export { PlanRun } from './plan-run.js'

export interface PlanOptions {
  /** build (default), fast, double-check, or a mode of the configuration. */
  readonly mode?: string | undefined
  /** Most calls at once, by provider id. */
  readonly concurrency?: Readonly<Record<string, number>> | undefined
  /** Configuration; default: `configFile`, or the user's file. */
  readonly config?: Config | undefined
  readonly configFile?: string | undefined
  /** Plays all providers on a loopback socket: a profile's name or the profile; true: `default`. Costs nothing, proves nothing about providers. */
  readonly simulate?: boolean | string | SimulatorProfile | undefined
  /** Strip prompts. Default true. */
  readonly strip?: boolean | undefined
  /** Search a better order than longest-path-first over sampled durations. Default false. */
  readonly optimize?: boolean | undefined
  /** Of the simulator, jitter and searches. Default 1. */
  readonly seed?: number | undefined
}

export interface RunPlanOptions extends PlanOptions {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Answer text of steps as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /** Makes an output durable; a rejection cancels the run. */
  readonly deliver?: ((step: StepInfo, text: string) => Promise<void> | void) | undefined
  /** Instead of the platform's, for every provider call. */
  readonly fetch?: Fetch | undefined
  readonly clock?: Clock | undefined
  /** Folder that context files are read from; default: the working folder. */
  readonly folder?: string | undefined
  /** Carries out calls instead of the providers' clients: tools of your own, tests. Every provider then counts as configured. */
  readonly performer?: Performer | undefined
}

/** What a run came to. `outcome`: ok | steps_failed | cancelled. */
export interface RunResult extends DriverResult {
  /** Name of the simulated profile; undefined: real providers. */
  readonly simulated: string | undefined
}

/**
 * Runs a plan: an object, JSON text, bytes, or an async iterable of chunks (then steps start while it is still coming).
 * The result is awaited or iterated: `await runPlan(…)` gives a RunResult, `for await (… of runPlan(…))` its events.
 * Rejects with AetherflowError: json.* and plan.* (nothing was called, unless the plan streamed), route.*, options.invalid,
 * host.*. Failed steps do not reject: see `outcome` and `report`.
 */
export function runPlan(plan: PlanSource, options: RunPlanOptions = {}): PlanRun {
  return new PlanRun((emit, own) => {
    const tell = (event: RunEvent): void => {
      options.onEvent?.(event)
      emit(event)
    }
    return execute(plan, options, tell, own)
  })
}

async function execute(
  plan: PlanSource,
  options: RunPlanOptions,
  emit: (event: RunEvent) => void,
  own: (driver: Driver) => void,
): Promise<RunResult> {
  const clock = options.clock ?? systemClock
  const core = new CoreRun(await loadCore())
  let providers: Providers | undefined
  try {
    const { config, entries } = await setUp(core, options)
    const performer = options.performer
    if (performer === undefined) providers = await openProviders(entries, options, config)
    const available = providers?.available ?? entries.map(({ id }) => id)
    const driver = new Driver(core, {
      clock,
      performer:
        performer ??
        new ModelPerformer({
          client: (id) => providers?.client(id),
          files: contextFiles(options.folder ?? process.cwd()),
        }),
      begin: beginOptions(options, config, available),
      signal: options.signal,
      onEvent: emit,
      onText: options.onText,
      deliver: options.deliver,
    })
    own(driver)
    const result = await driver.run(planBytes(plan))
    if (result.hostError !== undefined) throw result.hostError
    if (result.outcome === 'plan_invalid') throw planError(core)
    return { ...result, simulated: providers?.simulated }
  } finally {
    core.dispose()
    await providers?.close()
  }
}

function planError(core: CoreRun): AetherflowError {
  const { code, where, detail } = core.document<{ code: AetherflowError['code']; where: string; detail: string }>(
    'error',
  )
  return new AetherflowError(code, where, detail)
}

/** Checks a plan without any provider: its steps and warnings. Rejects with json.* or plan.*. */
export async function checkPlan(
  plan: PlanSource,
): Promise<{ steps: StepInfo[]; warnings: { code: string; where: string; detail: string }[]; dot: string }> {
  const core = new CoreRun(await loadCore())
  try {
    await feed(core, plan)
    return { steps: core.document('steps'), warnings: core.document('warnings'), dot: core.documentText('dot') }
  } finally {
    core.dispose()
  }
}

/**
 * Runs the plan on a virtual clock: makespan, critical path, cost range, routes. No call is made. Providers without a key
 * count as configured when none has one, so that a plan can be explained before any key is set.
 */
export async function explainPlan(
  plan: PlanSource,
  options: PlanOptions = {},
): Promise<Explanation & { routes: RouteInfo[]; assumed: readonly string[] }> {
  const core = new CoreRun(await loadCore())
  try {
    const { config, entries } = await setUp(core, options)
    const real = options.simulate === undefined || options.simulate === false
    const keyed = real ? realProviders({ entries }).available : []
    const all = entries.map(({ id }) => id)
    const available = keyed.length > 0 ? keyed : all
    core.begin(beginOptions(options, config, available), 0)
    await feed(core, plan)
    const explanation = core.document<Explanation>('explain')
    return { ...explanation, routes: core.document('routes'), assumed: keyed.length > 0 ? [] : all }
  } finally {
    core.dispose()
  }
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

async function setUp(core: CoreRun, options: PlanOptions): Promise<{ config: Config; entries: ProviderEntry[] }> {
  const config = options.config === undefined ? await readConfig(options.configFile) : checkConfig(options.config)
  return { config, entries: providerEntries(core.document('defaults'), config) }
}

async function openProviders(entries: ProviderEntry[], options: RunPlanOptions, config: Config): Promise<Providers> {
  const { simulate, fetch, clock, seed } = options
  const timeouts = config.timeouts as Timeouts | undefined
  if (simulate === undefined || simulate === false) return realProviders({ entries, fetch, clock, timeouts })
  const profile = simulatedProfile(simulate)
  return simulatedProviders({ entries, fetch, clock, timeouts, profile, ...(seed === undefined ? {} : { seed }) })
}

/** Fails: host.usage for an unknown name. */
export function simulatedProfile(simulate: true | string | SimulatorProfile): SimulatorProfile {
  if (typeof simulate === 'object') return simulate
  const name = simulate === true ? 'default' : simulate
  const profile = Object.entries(simulatorProfiles).find(([known]) => known === name)?.[1]
  if (profile === undefined) {
    const known = Object.keys(simulatorProfiles).join(', ')
    throw new AetherflowError('host.usage', '--simulate', `no profile '${name}'; there are ${known}`)
  }
  return profile
}

function beginOptions(options: PlanOptions, config: Config, available: readonly string[]): Record<string, unknown> {
  const { mode, concurrency, strip, optimize, seed } = options
  return { mode, concurrency, strip, optimize, seed, available, table: withoutKeys(config) }
}

/** The configured providers: for listings. */
export async function listProviders(options: PlanOptions = {}): Promise<{ entries: ProviderEntry[]; table: unknown }> {
  const core = new CoreRun(await loadCore())
  try {
    const { entries } = await setUp(core, options)
    return { entries, table: core.document('defaults') }
  } finally {
    core.dispose()
  }
}
