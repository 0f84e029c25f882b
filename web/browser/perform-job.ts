/** Carries out a job in this thread: core, providers and driver put together, and taken apart again. */
import { CoreRun } from '../../bindings/core.js'
import { Driver } from '../../bindings/driver.js'
import { AetherflowError } from '../../bindings/errors.js'
import { systemClock } from '../standard/clock.js'
import { checkConfig, mergedEntries, mergedTimeouts, withPolicy } from '../standard/config.js'
import { ModelPerformer } from '../standard/performer.js'
import type { RunResult } from '../standard/plan-run.js'
import { beginOptions, checkWith, explainWith, planError } from '../standard/run-setup.js'
import type { Here, Job, Page } from './job.js'
import { loadCore } from './loader.js'
import { probe, type CorsProbe } from './probe.js'
import { addressOf, openProviders, platformFetch } from './providers.js'
import { toldJournal } from './told-journal.js'

/** A RunResult, CheckedPlan, ExplainedPlan or CorsProbe, as the job's kind asks. Rejects as the public functions do. */
export async function performJob(job: Job, page: Page, here: Here = {}): Promise<unknown> {
  const core = new CoreRun(await loadCore(job.settings.core))
  try {
    if (job.kind === 'check') return await checkWith(core, job.plan)
    if (job.kind === 'probe') return await probeProvider(core, job, page, here)
    return await (job.kind === 'explain' ? explain(core, job, page) : run(core, job, page, here))
  } finally {
    core.dispose()
  }
}

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
  const { settings } = job
  const { config, entries, timeouts } = setUp(core, job)
  const { performer } = here
  const providers = performer === undefined ? await openProviders(entries, settings, page, here, timeouts) : undefined
  const can = (question: (typeof settings.answers)[number]): boolean => settings.answers.includes(question)
  const driver = new Driver(core, {
    clock: here.clock ?? systemClock,
    wallClock: Date.now,
    performer:
      performer ??
      new ModelPerformer({
        client: (id) => providers?.client(id),
        files: can('file') ? { read: async (path) => page.file(path) } : undefined,
        plain: settings.stream === false,
      }),
    begin: beginOptions(settings, config, providers?.available ?? entries.map(({ id }) => id)),
    onEvent: (event) => page.emit(event),
    onText: can('text') ? (step, piece) => page.text(step, piece) : undefined,
    journal: can('journal') ? toldJournal(page, providers?.simulated) : undefined,
    deliver: can('deliver') ? (step, text, again) => page.deliver(step, text, again) : undefined,
  })
  page.own(driver)
  try {
    const result = await driver.run(job.plan)
    if (result.hostError !== undefined) throw result.hostError
    if (result.outcome === 'plan_invalid') throw planError(core)
    const report = providers?.complete(result.report) ?? result.report
    return { ...result, report, simulated: providers?.simulated, run: undefined }
  } finally {
    providers?.close()
  }
}
