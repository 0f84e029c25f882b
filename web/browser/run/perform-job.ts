/** Carries out a job in this thread: core, providers and driver put together, and taken apart again. */
import { CoreRun } from '../../../bindings/core.js'
import { Driver } from '../../../bindings/driver.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { StepInfo } from '../../../bindings/events.js'
import { systemClock } from '../../standard/clock.js'
import { checkConfig, mergedEntries, mergedTimeouts, withPolicy } from '../../standard/config.js'
import { ModelPerformer } from '../../standard/run/performer.js'
import type { RunResult } from '../../standard/run/plan-run.js'
import { beginOptions, cacheOptions, checkWith, explainWith, planError, tenantOf } from '../../standard/run/setup.js'
import { damageEvent, mustAgree, mustBeAvailable } from '../../standard/run/resume.js'
import { version } from '../../standard/version.js'
import { digest } from '../digest.js'
import type { Here, Job, JobKind, JobSettings, KeptRunsJob, Page } from './job.js'
import type { RunPlace, StartedRun } from './journal.js'
import { loadJournal } from '../worker/load-part.js'
import { loadCore } from '../loader.js'
import { probe, type CorsProbe } from '../probe.js'
import { addressOf, openProviders, platformFetch, type PageProviders } from '../providers.js'
import { runId, toldJournal, tellingToo } from './told-journal.js'

/** A RunResult, CheckedPlan, ExplainedPlan or CorsProbe, as the job's kind asks. Rejects as the public functions do. */
export async function performJob(job: Job, page: Page, here: Here = {}): Promise<unknown> {
  if (isKeptRuns(job.kind)) return await (await loadJournal())[job.kind](job.settings.journal ?? '')
  const core = new CoreRun(await loadCore(job.settings.core))
  try {
    if (job.kind === 'check') return await checkWith(core, job.plan)
    if (job.kind === 'probe') return await probeProvider(core, job, page, here)
    return await (job.kind === 'explain' ? explain(core, job, page) : run(core, job, page, here))
  } finally {
    core.dispose()
  }
}

const isKeptRuns = (kind: JobKind): kind is KeptRunsJob => /^(list|delete|read)Runs?$/.test(kind)

function setUp(core: CoreRun, { settings }: Job) {
  const { config: given = {}, policy } = settings
  const checked = checkConfig(given)
  const config = policy === undefined ? checked : withPolicy(checked, policy)
  const defaults = core.document('defaults')
  const { connectMs: _connect, ...timeouts } = mergedTimeouts(defaults, config)
  // A page cannot tell a connection from the first byte, and many providers send their headers with the first token only.
  return { config, entries: mergedEntries(defaults, config), timeouts }
}

async function probeProvider(core: CoreRun, job: Job, page: Page, here: Here): Promise<CorsProbe> {
  const { providers: [id = ''] = [], relay, answers } = job.settings
  const entry = setUp(core, job).entries.find((known) => known.id === id && known.baseUrl !== '')
  if (entry === undefined) throw new AetherflowError('route.unknown_provider', '', id)
  const key = entry.key ?? (answers.includes('key') ? await page.key(id) : undefined)
  return probe(entry, addressOf(entry, { relay }), key?.trim() ?? '', here.fetch ?? platformFetch)
}

async function explain(core: CoreRun, job: Job, page: Page): Promise<unknown> {
  const { config, entries } = setUp(core, job)
  const { available, close } = await openProviders(entries, job.settings, page, {})
  close()
  const simulated = job.settings.simulate !== undefined && job.settings.simulate !== false
  const all = entries.map(({ id }) => id)
  return explainWith(core, job.plan, job.settings, { config, keyed: simulated ? [] : available, all })
}

async function run(core: CoreRun, job: Job, page: Page, here: Here): Promise<RunResult> {
  const { settings, plan } = job
  const { config, entries } = setUp(core, job)
  const place = settings.journal === undefined ? undefined : await takeRun(settings.journal, settings)
  let providers: PageProviders | undefined
  // A new run that never called anything leaves no journal: its plan or its options were refused.
  let called = place?.known !== undefined
  try {
    const simulate = settings.simulate ?? place?.known?.header.simulated
    if (here.performer === undefined)
      providers = await openProviders(entries, { ...settings, simulate }, page, here, config.timeouts)
    const available = providers?.available ?? entries.map(({ id }) => id)
    mustBeAvailable(place?.begin, available, settings.journal)
    const begun = await place?.start({
      plan: plan instanceof Uint8Array && plan.length === 0 ? undefined : plan,
      simulated: providers?.simulated,
      planName: settings.planName,
      version,
    })
    const cache = settings.answers.includes('cache') ? { get: page.look, put: page.keep } : undefined
    const id = begun?.header.run ?? runId()
    const driver = new Driver(core, {
      ...driverOptions(job, page, here, providers),
      begin: { ...beginOptions(settings, config, available), ...cacheOptions({ ...settings, cache }) },
      cache,
      tenant: tenantOf(settings, providers?.simulated),
      identity: { run: id, digest },
      journal: journalOf(begun, settings.answers.includes('journal') ? page : undefined, providers?.simulated, id),
      past: begun?.past,
      onEvent: (event) => {
        called ||= event.type === 'call'
        page.emit(event)
      },
    })
    page.own(driver)
    if (place?.damage !== undefined) page.emit(damageEvent(place.damage, place.name))
    const result = await driver.run(begun?.plan ?? plan)
    if (result.hostError !== undefined) throw result.hostError
    if (result.outcome === 'plan_invalid') throw planError(core)
    called = true
    const report = providers?.complete(result.report) ?? result.report
    return { ...result, report, simulated: providers?.simulated, run: begun?.header }
  } finally {
    providers?.close()
    await (called ? place?.close() : place?.discard())
  }
}

function driverOptions({ settings }: Job, page: Page, here: Here, providers: PageProviders | undefined) {
  const can = (question: (typeof settings.answers)[number]): boolean => settings.answers.includes(question)
  return {
    clock: here.clock ?? systemClock,
    wallClock: Date.now,
    performer:
      here.performer ??
      new ModelPerformer({
        client: (id) => providers?.client(id),
        files: can('file') ? { read: async (path) => page.file(path) } : undefined,
        digest,
        plain: settings.stream === false,
      }),
    onText: can('text') ? (step: string, piece: string) => page.text(step, piece) : undefined,
    deliver: can('deliver')
      ? (step: StepInfo, text: string, again: boolean) => page.deliver(step, text, again)
      : undefined,
  }
}

/** The run's own, the page's, or both. */
function journalOf(run: StartedRun | undefined, page: Page | undefined, simulated: string | undefined, id: string) {
  if (page === undefined) return run?.journal
  return run === undefined ? toldJournal(page, simulated, id) : tellingToo(run, page)
}

/** Owned until it is closed. Fails also with host.usage, for options that the run did not begin with. */
async function takeRun(name: string, settings: JobSettings): Promise<RunPlace> {
  const { RunPlace } = await loadJournal()
  const place = await RunPlace.open(name, settings.resume === true)
  try {
    mustAgree(settings, place.begin)
    return place
  } catch (error) {
    await place.close()
    throw error
  }
}
