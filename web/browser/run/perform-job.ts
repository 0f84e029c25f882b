/** Carries out a job in this thread. */
import { CoreRun, type CoreModule } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { DocumentFinder, FileReader } from '../../../bindings/ports.js'
import { checkConfig, mergedEntries, mergedTimeouts, patienceOf, withPolicy } from '../../standard/config.js'
import { executeRun } from '../../standard/run/execute-run.js'
import type { RunResult } from '../../standard/run/plan-run.js'
import { version } from '../../standard/version.js'
import { digest } from '../digest.js'
import { loadCore } from '../loader.js'
import type { CorsProbe } from '../probe.js'
import { loadJournal, loadProbe, loadProviders, loadSimulator } from '../worker/load-part.js'
import type { Here, Job, JobKind, KeptRunsJob, Page } from './job.js'

/** A RunResult, CheckedPlan, ExplainedPlan or CorsProbe, as the job's kind asks. Rejects as the public functions do. */
export async function performJob(job: Job, page: Page, here: Here = {}): Promise<unknown> {
  if (isKeptRuns(job.kind)) return await (await loadJournal())[job.kind](job.settings.journal ?? '')
  const module = await loadCore(job.settings.core)
  const core = new CoreRun(module)
  try {
    if (job.kind === 'check') return await (await import('../../standard/run/dry-run.js')).checkWith(core, job.plan)
    if (job.kind === 'probe') return await probeProvider(core, job, page, here)
    return await (job.kind === 'explain' ? explain(core, module, job, page) : run(core, module, job, page, here))
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
  const waits = { timeouts, patience: (id: string) => patienceOf(defaults, config, id) }
  return { config, entries: mergedEntries(defaults, config), waits }
}

async function probeProvider(core: CoreRun, job: Job, page: Page, here: Here): Promise<CorsProbe> {
  const { providers: [id = ''] = [], relay, answers } = job.settings
  const entry = setUp(core, job).entries.find((known) => known.id === id && known.baseUrl !== '')
  if (entry === undefined) throw new AetherflowError('route.unknown_provider', '', id)
  const key = entry.key ?? (answers.includes('key') ? await page.key(id) : undefined)
  const [{ probe }, { addressOf, platformFetch }] = await Promise.all([loadProbe(), loadProviders()])
  return probe(entry, addressOf(entry, { relay }), key?.trim() ?? '', here.fetch ?? platformFetch)
}

async function explain(core: CoreRun, module: CoreModule, job: Job, page: Page): Promise<unknown> {
  const { config, entries } = setUp(core, job)
  const { openProviders, playedProfile } = await loadProviders()
  const { available, close } = await openProviders(entries, job.settings, page, {}, {}, loadSimulator)
  close()
  const { simulate } = job.settings
  const profile =
    simulate === undefined || simulate === false ? undefined : await playedProfile(simulate, loadSimulator)
  const all = entries.map(({ id }) => id)
  const files = filesOf(job, page)
  const documents = finderOf(job, page)
  const { explainWith } = await import('../../standard/run/dry-run.js')
  return explainWith(core, job.plan, job.settings, {
    ...{ config, all, files, documents, profile },
    keyed: profile === undefined ? available : [],
    anotherCore: () => new CoreRun(module),
  })
}

function filesOf({ settings: { answers } }: Job, page: Page): FileReader | undefined {
  if (!answers.includes('file')) return undefined
  const read = async (path: string): Promise<string> => page.file(path)
  return answers.includes('list') ? { read, list: async (entry, most = 1000) => page.list(entry, most) } : { read }
}

const finderOf = ({ settings }: Job, { find }: Page): DocumentFinder | undefined =>
  settings.answers.includes('documents') ? { retrieve: find } : undefined

async function run(core: CoreRun, module: CoreModule, job: Job, page: Page, here: Here): Promise<RunResult> {
  const { settings, plan } = job
  const { answers, journal } = settings
  const { config, entries, waits } = setUp(core, job)
  const can = (question: (typeof answers)[number]): boolean => answers.includes(question)
  const files = filesOf(job, page)
  const cache = can('cache') ? { get: page.look, put: page.keep } : undefined
  const store = journal === undefined ? undefined : new (await loadJournal()).IndexedDbRunStore(journal)
  try {
    return await executeRun(
      plan instanceof Uint8Array && plan.length === 0 ? undefined : plan,
      { ...settings, cache },
      {
        ...{ core, version, digest, config, store, performer: here.performer, clock: here.clock },
        anotherCore: () => new CoreRun(module),
        loadReuse: async () => (await loadJournal()).reusableOutputs,
        providerIds: entries.map(({ id }) => id),
        openProviders:
          here.performer === undefined
            ? async (simulate) => {
                const { openProviders } = await loadProviders()
                return openProviders(entries, { ...settings, simulate }, page, here, waits, loadSimulator)
              }
            : undefined,
        drafts:
          here.performer === undefined
            ? (await loadProviders()).draftDesk({ config, available: entries.map(({ id }) => id) })
            : undefined,
        files: () => files,
        documents: finderOf(job, page),
        onJournal: can('journal') ? (lines) => page.journal(lines) : undefined,
        driver: {
          onText: can('text') ? (step, piece) => page.text(step, piece) : undefined,
          deliver: can('deliver') ? (step, text, again) => page.deliver(step, text, again) : undefined,
          rejected: can('rejected') ? async (step, text, why) => page.rejected(step, text, why) : undefined,
        },
        emit: (event) => page.emit(event),
        own: (control) => page.own(control),
      },
    )
  } finally {
    store?.close()
  }
}
