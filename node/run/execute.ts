/** One run of a plan: core, providers, journal and driver put together, and taken apart again. */
import { resolve } from 'node:path'
import { CoreRun } from '../../bindings/core.js'
import { Driver } from '../../bindings/driver.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import { systemClock } from '../../web/standard/clock.js'
import { checkConfig, mergedTimeouts, withPolicy, type Config, type ProviderEntry } from '../../web/standard/config.js'
import { ModelPerformer } from '../../web/standard/run/performer.js'
import type { RunControl, RunResult } from '../../web/standard/run/plan-run.js'
import { planBytes, type PlanSource } from '../../web/standard/run/plan-source.js'
import type { Timeouts } from '../../web/standard/providers/index.js'
import { damageEvent, looser, mustAgree, mustBeAvailable, mustNotLoosen } from '../../web/standard/run/resume.js'
import { beginOptions, cacheOptions, planError, profileOf, tenantOf } from '../../web/standard/run/setup.js'
import { simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { providerEntries, readConfig, userConfigPath } from '../config.js'
import { contextFiles, type ContextOptions } from './context-files.js'
import { digest } from '../digest.js'
import type { PlanOptions, RunPlanOptions } from '../index.js'
import { loadCore } from '../loader.js'
import { realProviders, simulatedProviders, type Providers } from '../providers.js'
import { openRun, peekRun, type OpenRun, type RunJournalOptions } from './journal.js'
import type { RunFolder } from './run-folder.js'
import { SemanticCache } from '../cache/semantic-cache.js'

export interface ExecuteOptions extends RunPlanOptions {
  /** Who has taken the folder of the journal already, and lets go of it afterwards. */
  readonly owner?: RunFolder | undefined
}

export async function execute(
  plan: PlanSource | undefined,
  options: ExecuteOptions,
  emit: (event: RunEvent) => void,
  own: (control: RunControl) => void,
): Promise<RunResult> {
  const core = new CoreRun(await loadCore())
  let providers: Providers | undefined
  let run: OpenRun | undefined
  // A new run that never called anything leaves no journal: its plan or its options were refused.
  let called = false
  try {
    const known = await knownRun(plan, options)
    const { config, entries, timeouts } = await setUp(core, options)
    const simulate = options.simulate ?? known?.header.simulated
    if (options.performer === undefined) providers = await openProviders(entries, { ...options, simulate }, timeouts)
    const available = providers?.available ?? entries.map(({ id }) => id)
    mustBeAvailable(known?.begin, available, options.journal)
    if (options.reuse !== true) mustNotLoosen(config, known?.begin)
    const anew = known !== undefined && looser(config, known.begin) !== undefined
    const context = contextOptions(options, entries)
    run = await openJournal(plan, options, { simulated: providers?.simulated, anew, context })
    const driver = new Driver(core, {
      ...driverOptions(options, run, providers, context),
      begin: { ...beginOptions(options, config, available), ...cacheOptions(options), ...cachePlace(options) },
      onEvent: (event) => {
        called ||= event.type === 'call' || event.type === 'hit'
        emit(event)
      },
    })
    own(driver)
    if (run?.damage !== undefined) emit(damageEvent(run.damage, options.journal ?? ''))
    const result = await driver.run(run?.plan ?? planBytes(plan ?? ''))
    if (result.hostError !== undefined) throw result.hostError
    if (result.outcome === 'plan_invalid') throw planError(core)
    called = true
    return { ...result, simulated: providers?.simulated, run: run?.header }
  } finally {
    core.dispose()
    await providers?.close()
    const leaveNothing = !called && run?.past === undefined && run?.header.reuses === undefined
    await (leaveNothing ? run?.discard() : run?.close())
  }
}

/** What of the files that a plan names may be sent: never a configuration, never a key. */
function contextOptions({ allowFiles, configFile }: RunPlanOptions, entries: readonly ProviderEntry[]): ContextOptions {
  const keys = entries.flatMap(({ key }) => (key === undefined ? [] : [key]))
  const configs = [userConfigPath(), ...(configFile === undefined ? [] : [resolve(configFile)])]
  return { allowed: allowFiles, configs, keys }
}

function driverOptions(
  options: RunPlanOptions,
  run: OpenRun | undefined,
  providers: Providers | undefined,
  context: ContextOptions,
) {
  const folder = options.folder ?? run?.files ?? process.cwd()
  const client = (id: string) => providers?.client(id)
  return {
    clock: options.clock ?? systemClock,
    wallClock: Date.now,
    performer:
      options.performer ??
      new ModelPerformer({ client, files: contextFiles(folder, context), digest, plain: options.stream === false }),
    signal: options.signal,
    onText: options.onText,
    deliver: options.deliver,
    identity: { run: run?.header.run ?? crypto.randomUUID(), digest },
    journal: run?.journal,
    past: run?.past,
    recalled: run?.recalled,
    cache: options.cache,
    tenant: tenantOf(options, providers?.simulated),
  }
}

/** For whoever goes on with the run: where its cache is. The core does not read it. */
function cachePlace({ cache, tenant }: RunPlanOptions): { cacheAt?: object } {
  const place = cache instanceof SemanticCache ? cache.place : undefined
  return place === undefined ? {} : { cacheAt: { ...place, ...(tenant === undefined ? {} : { tenant }) } }
}

/** What stands in the folder, when it is to be gone on with. Fails: host.usage for options that the run did not begin with. */
async function knownRun(plan: PlanSource | undefined, options: RunPlanOptions) {
  const { journal, resume, reuse } = options
  const goesOn = resume === true || reuse === true
  if (goesOn && journal === undefined) throw new AetherflowError('host.usage', '', 'to resume a run, name its folder')
  if (plan === undefined && !goesOn) throw new AetherflowError('host.usage', '', 'there is no plan to run')
  if (journal === undefined || !goesOn) return undefined
  const known = await peekRun(journal)
  if (known !== undefined && reuse !== true) mustAgree(options, known.begin)
  return known
}

async function openJournal(
  plan: PlanSource | undefined,
  options: ExecuteOptions,
  about: Pick<RunJournalOptions, 'simulated' | 'anew' | 'context'>,
): Promise<OpenRun | undefined> {
  const { journal: folder, resume, reuse, takeOver, sync, planName, folder: files, owner } = options
  if (folder === undefined) return undefined
  return openRun({ folder, resume, reuse, takeOver, sync, plan, planName, files, owner, ...about })
}

export async function setUp(
  core: CoreRun,
  options: PlanOptions,
): Promise<{ config: Config; entries: ProviderEntry[]; timeouts: Timeouts }> {
  const read = options.config === undefined ? await readConfig(options.configFile) : checkConfig(options.config)
  const config = options.policy === undefined ? read : withPolicy(read, options.policy)
  const defaults = core.document('defaults')
  return { config, entries: providerEntries(defaults, config), timeouts: mergedTimeouts(defaults, config) }
}

/** Fails: host.usage for an unknown name. */
export const simulatedProfile = (simulate: true | string | SimulatorProfile): SimulatorProfile =>
  profileOf(simulate, simulatorProfiles)

async function openProviders(
  entries: ProviderEntry[],
  options: RunPlanOptions,
  timeouts: Timeouts,
): Promise<Providers> {
  const { simulate, fetch, pool, clock, seed } = options
  if (simulate === undefined || simulate === false) return realProviders({ entries, fetch, pool, clock, timeouts })
  const profile = simulatedProfile(simulate)
  return simulatedProviders({ entries, fetch, clock, timeouts, profile, ...(seed === undefined ? {} : { seed }) })
}
