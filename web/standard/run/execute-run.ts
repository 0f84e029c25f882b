/** One run of a plan, for every host: kept journal, providers, driver put together, and taken apart again. */
import type { AnswerChecker } from '../../../bindings/checker.js'
import type { CoreRun } from '../../../bindings/core.js'
import { Driver } from '../../../bindings/driver.js'
import type { DriverOptions } from '../../../bindings/driver-options.js'
import type { DraftDesk } from '../../../bindings/drafts.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent, RunReport } from '../../../bindings/events.js'
import { journalVersion } from '../../../bindings/journal/journal.js'
import type { Performer } from '../../../bindings/performer.js'
import type { Clock, DocumentFinder, FileReader, ModelClient } from '../../../bindings/ports.js'
import type { LimitSharing } from '../../../bindings/shared-limits.js'
import { systemClock } from '../clock.js'
import type { Config } from '../config.js'
import { CacheKeys } from './cache-keys.js'
import type { OpenedRun } from './open-run.js'
import { ModelPerformer, type SentPrompt } from './performer.js'
import type { RunControl, RunResult } from './plan-run.js'
import { continuesRun, noRunThere, runExists, runId } from './run-words.js'
import type { reusableOutputs } from './reuse.js'
import type { KeptJournal, OwnedRun, RunStore } from './run-store.js'
import { withMeasured } from './measured-table.js'
import {
  beginOptions,
  cacheOptions,
  draftUses,
  planError,
  tenantOf,
  type CacheSettings,
  type PlanSettings,
} from './setup.js'
import { memoryJournal, telling } from './told-journal.js'

/** What the caller asks for; hosts add options of their own. */
export interface RunSettings extends PlanSettings, CacheSettings {
  readonly resume?: boolean | undefined
  readonly reuse?: boolean | undefined
  readonly planName?: string | undefined
  /** False: answers come whole instead of streamed. Default true. */
  readonly stream?: boolean | undefined
  /** Told of every prompt before it is sent; not of those that a cache or a journal answers. */
  readonly onPrompt?: ((prompt: SentPrompt) => void) | undefined
}

/** The clients of a run. */
export interface RunProviders {
  /** Ids of those that can be called. */
  readonly available: readonly string[]
  client(provider: string): ModelClient | undefined
  /** Name of the simulated profile, when there is one. */
  readonly simulated: string | undefined
  /** The clock of what is played; absent: the host's. */
  readonly clock?: Clock | undefined
  /** The report with what the host knows of its connections and the core does not. */
  complete?(report: RunReport): RunReport
  close(): Promise<void> | void
}

/** What a host brings to a run. */
export interface RunHost {
  /** Fresh; the host disposes it. */
  readonly core: CoreRun
  /** Another one, for what is compared with an earlier run. The run disposes it. */
  anotherCore(): CoreRun
  /** Version of AetherFlow. */
  readonly version: string
  readonly config: Config
  /** Ids of all providers of the table. */
  readonly providerIds: readonly string[]
  /** Where the run is kept; undefined: nowhere. */
  readonly store?: RunStore | undefined
  /** What verdicts on drafts are made with; a host loads it when a run may draft. Undefined: a run that drafts fails. */
  readonly drafts?: DraftDesk | undefined
  /** Undefined: calls are carried out by `performer`. */
  readonly openProviders?: ((simulate: PlanSettings['simulate']) => Promise<RunProviders>) | undefined
  readonly performer?: Performer | undefined
  /** Resolves to what a changed plan keeps of an earlier run; a page loads it only when a run asks for it. */
  loadReuse(): Promise<typeof reusableOutputs>
  /** Reads context files. Undefined: steps that name files fail. */
  files(): FileReader | undefined
  /** Finds documents. Undefined: steps that ask for some fail. */
  readonly documents?: DocumentFinder | undefined
  /** Checks answers. Undefined: none is checked. */
  readonly checker?: AnswerChecker | undefined
  /** Rejects for a run that this host must not resume. */
  mayResume?(kept: KeptJournal): Promise<void>
  /** A cryptographic hash over the parts, in hex. */
  digest(parts: readonly string[]): string
  readonly clock?: Clock | undefined
  /** ms since 1970, for prices that depend on the hour; default the platform's. */
  readonly wallClock?: (() => number) | undefined
  /** The limits that a run shares with others. Simulated runs have their own: each has its own simulated providers. */
  readonly limits?: LimitSharing | undefined
  /** More members of the options document; the core does not read them. */
  readonly begin?: object | undefined
  /** The report of the result is made when it is asked for, before the core is disposed. Default: at the end of the run. */
  readonly lazyReport?: boolean | undefined
  /** Lines of the journal, as they are written. */
  readonly onJournal?: ((lines: string) => void) | undefined
  readonly driver: Pick<DriverOptions, 'signal' | 'onText' | 'deliver' | 'rejected'>
  emit(event: RunEvent): void
  /** Before the first event: the run begins with what its journal tells, until `resumed`. */
  goesOn?(): void
  own(control: RunControl): void
}

/** Undefined `plan`: the run that is kept has it. Rejects as `runPlan` does. */
export async function executeRun(
  plan: Uint8Array | AsyncIterable<Uint8Array> | undefined,
  settings: RunSettings,
  host: RunHost,
): Promise<RunResult> {
  const { store } = host
  const known = await keptRun(plan, settings, store)
  if (known !== undefined) await host.mayResume?.(known)
  const simulate = settings.simulate ?? known?.journal.header.simulated
  const providers = await host.openProviders?.(simulate)
  let owned: OwnedRun | undefined
  // A new run that never called anything leaves no journal: its plan or its options were refused.
  let disposable = false
  try {
    const available = providers?.available ?? host.providerIds
    const resumed = known && (await import('./resume.js'))
    resumed?.mustBeAvailable(known?.begin, available, store?.name)
    const anew = resumed?.looser(host.config, known?.begin) !== undefined
    if (settings.reuse !== true) resumed?.mustNotLoosen(host.config, known?.begin)
    owned = await store?.open()
    const simulated = providers?.simulated
    const run =
      store &&
      owned &&
      (await (
        await import('./open-run.js')
      ).openRun(store, owned, { ...settings, plan, simulated, anew, ...openWith(host) }))
    disposable = run?.past === undefined && run?.header.reuses === undefined
    const table = await withMeasured(host.core.sharedDocument('defaults'), host.config, host.limits)
    const driver = new Driver(host.core, {
      ...driverOptions(settings, host, run, providers),
      begin: {
        ...beginOptions(settings, table, available),
        ...cacheOptions(settings),
        ...checkOptions(host),
        ...host.begin,
      },
      onEvent: (event) => {
        // An answer from the cache is as good as a call's.
        if (event.type === 'call' || event.type === 'hit') disposable = false
        host.emit(event)
      },
    })
    host.own(driver)
    if (run?.past !== undefined) host.goesOn?.()
    if (run?.damage !== undefined) host.emit((await import('./resume.js')).damageEvent(run.damage, store?.name ?? ''))
    const result = await driver.run(run?.plan ?? plan ?? new Uint8Array())
    if (result.hostError !== undefined) throw result.hostError
    if (result.outcome === 'plan_invalid') throw planError(host.core)
    disposable = false
    if (host.lazyReport === true) return Object.assign(result, { simulated, run: run?.header })
    const report = providers?.complete?.(result.report) ?? result.report
    return { ...result, report, simulated, run: run?.header }
  } finally {
    await providers?.close()
    await (disposable ? owned?.discard() : owned?.close())
  }
}

/** What is there of a run that is to go on. Fails: host.usage, host.journal, before anything is opened. */
async function keptRun(
  plan: unknown,
  settings: RunSettings,
  store: RunStore | undefined,
): Promise<KeptJournal | undefined> {
  const resumes = continuesRun(settings)
  if (resumes && store === undefined)
    throw new AetherflowError('host.usage', 'resume', 'to resume a run, say where it is kept')
  if (plan === undefined && !resumes) throw new AetherflowError('host.usage', 'plan', 'there is no plan to run')
  if (store === undefined) return undefined
  const known = await store.peek()
  if (known !== undefined && !resumes) throw runExists(store.name)
  if (known === undefined && plan === undefined) throw noRunThere(store.name)
  if (known !== undefined && settings.reuse !== true) (await import('./resume.js')).mustAgree(settings, known.begin)
  return known
}

const checkOptions = ({ checker }: RunHost): { checks?: true } => (checker === undefined ? {} : { checks: true })

function openWith(host: RunHost) {
  const { version, digest } = host
  return {
    version,
    reusable: async (old: Parameters<typeof reusableOutputs>[0], plan: Uint8Array) =>
      (await host.loadReuse())(old, plan, {
        files: host.files(),
        documents: host.documents,
        digest,
        core: () => host.anotherCore(),
      }),
  }
}

function driverOptions(
  settings: RunSettings,
  host: RunHost,
  run: OpenedRun | undefined,
  providers: RunProviders | undefined,
): Omit<DriverOptions, 'begin' | 'onEvent'> {
  const { digest, version, onJournal } = host
  const simulated = providers?.simulated
  const id = run?.header.run ?? runId()
  const header = () =>
    ({ aetherflow: version, journal: journalVersion, run: id, startedAt: new Date().toISOString() }) as const
  const told =
    onJournal && (run === undefined ? memoryJournal(onJournal, header(), simulated) : telling(run, onJournal))
  return {
    ...host.driver,
    rules: async () => (await import('../spread/rules.js')).rulesWith(host.files()),
    lazyReport: host.lazyReport,
    clock: providers?.clock ?? host.clock ?? systemClock,
    files: host.performer === undefined ? host.files() : undefined,
    documents: host.documents,
    wallClock: host.wallClock ?? Date.now,
    checker: host.checker,
    performer:
      host.performer ??
      new ModelPerformer({
        client: (provider) => providers?.client(provider),
        files: host.files(),
        digest,
        plain: settings.stream === false,
        clock: providers?.clock ?? host.clock,
        ...(settings.promptCache === 'off' ? {} : { cacheKeys: new CacheKeys(digest, settings.tenant) }),
        draftUses: draftUses(settings, host.config),
        onPrompt: settings.onPrompt,
      }),
    identity: { run: id, digest },
    journal: onJournal === undefined ? run?.journal : told,
    past: run?.past,
    limits: simulated === undefined ? host.limits : undefined,
    recalled: run?.recalled,
    cache: settings.cache,
    drafts: host.drafts,
    tenant: tenantOf(settings, simulated),
  }
}
