/**
 * Runs plans once per arm and repeat, interleaved, so that what changes with time (a provider's load) falls on all arms alike. Simulated
 * runs pass on a virtual clock; real ones are runs like any other.
 */
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent, RunReport, StepInfo } from '../../bindings/events.js'
import type { DocumentFinder } from '../../bindings/ports.js'
import { withPolicy, type Config, type PolicyConfig, type ProviderConfig } from '../../web/standard/config.js'
import type { RunResult } from '../../web/standard/run/plan-run.js'
import type { Expected } from '../../web/standard/report/facts.js'
import { DraftBook } from '../../web/standard/draft/book.js'
import { explainWith } from '../../web/standard/run/dry-run.js'
import type { PlanSettings } from '../../web/standard/run/setup.js'
import type { SimulatorProfile } from '../../web/standard/simulator/index.js'
import { SemanticCache } from '../cache/semantic-cache.js'
import { withMeasured, type MeasuredSpeed } from '../ledger/speeds.js'
import { loadCore, loadLimits } from '../loader.js'
import type { RunDocuments, RunPlanOptions } from '../options.js'
import { realProviders } from '../providers.js'
import { contextOf, setUp } from '../run/execute.js'
import { expectedOf } from '../run/report-files.js'
import type { Arm, ArmSettings } from './arms.js'
import { runData, type BenchRun } from './data.js'
import { playRun } from './played-run.js'
import { TaskDocuments } from './task-documents.js'

export interface BenchTask {
  /** Of the plan's file, for people. */
  readonly name: string
  /** JSON text. */
  readonly plan: string
  /** Texts of its context files by the names that the plan gives them. */
  readonly files: Readonly<Record<string, string>>
  /** Where they lie. */
  readonly folder: string
}

/** A real run: `runPlan` with these options, and whatever the host keeps of it. */
export type RealRun = (
  plan: string,
  options: RunPlanOptions,
  of: { readonly task: BenchTask; readonly arm: Arm; readonly repeat: number },
) => PromiseLike<RunResult>

/** Whether the answers of a run do what was asked, by step id; steps that are not named were not judged. */
export type Judge = (task: BenchTask, outputs: RunResult['outputs']) => Promise<ReadonlyMap<string, boolean>>

export interface Measuring extends Pick<PlanSettings, 'mode' | 'concurrency' | 'draft'> {
  readonly tasks: readonly BenchTask[]
  readonly arms: readonly Arm[]
  readonly repeats: number
  /** Seed of the first repeat. */
  readonly seed: number
  /** Undefined: real providers. */
  readonly simulate: SimulatorProfile | undefined
  readonly policy?: PolicyConfig
  readonly configFile?: string | undefined
  readonly signal?: AbortSignal
  /** Where steps look that ask for documents. Default: in the folder of their plan; false: nowhere. */
  readonly documents?: RunDocuments | false | undefined
  readonly realRun: RealRun
  /** Called after each run. */
  readonly judge?: Judge
  /** Speeds of the user's own runs, for what is expected of real ones. */
  readonly speeds?: readonly MeasuredSpeed[]
  /** Told before anything is called: how many runs, and what `explain` expects them to cost together. */
  readonly onBegin?: (runs: number, expectedMicroUsd: number) => void
  /** Told before each run; `number` from 1. */
  readonly onRun?: (number: number, task: BenchTask, arm: Arm) => void
}

export interface MeasuredRun {
  readonly task: BenchTask
  readonly arm: Arm
  readonly run: BenchRun
  readonly report: RunReport
}

interface Combination {
  readonly task: BenchTask
  readonly arm: Arm
  readonly setting: Setting
  readonly expected: Expected
  readonly documents: DocumentFinder
}

/**
 * In the order in which they ran; of an aborted measurement the runs that were over. Rejects as `runPlan` does, before anything is
 * called where a plan or a configuration is wrong.
 */
export async function measure(measuring: Measuring): Promise<MeasuredRun[]> {
  const documents = await documentsFor(measuring)
  try {
    return await measuredRuns(measuring, await combinations(measuring, documents))
  } finally {
    await documents.close()
  }
}

async function measuredRuns(measuring: Measuring, all: readonly Combination[]): Promise<MeasuredRun[]> {
  const { tasks, arms, repeats, signal, onRun } = measuring
  const expected = all.reduce((sum, one) => sum + one.expected.costMicroUsd.expected, 0)
  measuring.onBegin?.(repeats * all.length, repeats * expected)
  const measured: MeasuredRun[] = []
  const books = new Map(await Promise.all(arms.map(async (arm) => [arm, new DraftBook(await loadLimits())] as const)))
  for (let repeat = 0; repeat < repeats; repeat++) {
    const caches = new Map<Arm, SemanticCache>()
    try {
      for (const task of tasks)
        for (let turn = 0; turn < arms.length; turn++) {
          const arm = arms[(turn + repeat) % arms.length]!
          const one = all.find((known) => known.task === task && known.arm === arm)!
          if (signal?.aborted) return measured
          onRun?.(measured.length + 1, task, arm)
          const cache = await cacheOf(arm, caches)
          const done = await oneRun(one, { repeat, seed: measuring.seed + repeat, cache, pairs: books.get(arm) })
          // What was interrupted measures nothing.
          if (signal?.aborted) return measured
          measured.push({ task, arm, ...done })
        }
    } finally {
      for (const cache of caches.values()) await cache.close()
    }
  }
  return measured
}

async function documentsFor({ configFile, documents }: Measuring): Promise<TaskDocuments> {
  const core = new CoreRun(await loadCore())
  try {
    const { entries } = await setUp(core, { configFile, project: configFile === undefined ? '.' : undefined })
    return new TaskDocuments(documents, entries)
  } finally {
    core.dispose()
  }
}

async function combinations(measuring: Measuring, documents: TaskDocuments): Promise<Combination[]> {
  const all: Combination[] = []
  for (const arm of measuring.arms) {
    const setting = await settingOf(measuring, arm)
    for (const task of measuring.tasks) {
      const found = documents.of(task)
      all.push({ task, arm, setting, expected: await expect(setting, task, found), documents: found })
    }
  }
  return all
}

async function cacheOf(arm: Arm, caches: Map<Arm, SemanticCache>): Promise<SemanticCache | undefined> {
  if (arm.settings.cache === undefined) return undefined
  const cache = caches.get(arm) ?? (await SemanticCache.open())
  caches.set(arm, cache)
  return cache
}

interface Setting {
  readonly measuring: Measuring
  readonly settings: ArmSettings
  readonly config: Config
}

/** The user's configuration with the arm's over it, and providers that it leaves out without a key. */
async function settingOf(measuring: Measuring, { settings }: Arm): Promise<Setting> {
  const core = new CoreRun(await loadCore())
  try {
    const { configFile, policy } = measuring
    const project = configFile === undefined ? '.' : undefined
    const { config: own } = await setUp(core, { configFile, project, policy })
    const config = withPolicy(own, (settings.config ?? {}) as PolicyConfig)
    return { measuring, settings, config: withoutOthers(core, config, settings.providers) }
  } finally {
    core.dispose()
  }
}

function withoutOthers(core: CoreRun, config: Config, only: readonly string[] | undefined): Config {
  if (only === undefined) return config
  const built = core.document<{ providers: object }>('defaults').providers
  const providers: Record<string, ProviderConfig> = { ...config.providers }
  for (const id of Object.keys({ ...built, ...providers }))
    if (!only.includes(id)) providers[id] = { ...providers[id], key: '', keyEnv: 'AETHERFLOW_LEFT_OUT' }
  return { ...config, providers }
}

const settingsOf = ({ measuring, settings }: Setting): Pick<PlanSettings, keyof ArmSettings & keyof PlanSettings> => {
  const { mode, strip, optimize, promptCache, draft = measuring.draft } = settings
  const concurrency = { ...measuring.concurrency, ...settings.concurrency }
  return {
    mode: mode ?? measuring.mode,
    ...(strip === undefined ? {} : { strip }),
    ...(optimize === undefined ? {} : { optimize }),
    ...(promptCache === undefined ? {} : { promptCache }),
    ...(draft === undefined ? {} : { draft }),
    ...(Object.keys(concurrency).length === 0 ? {} : { concurrency }),
  }
}

/** What `explain` says of it. */
async function expect(setting: Setting, { plan, folder }: BenchTask, documents: DocumentFinder): Promise<Expected> {
  const core = new CoreRun(await loadCore())
  try {
    const { config, measuring, settings } = setting
    const { entries } = await setUp(core, { config })
    const all = entries.map(({ id }) => id)
    const real = measuring.simulate === undefined ? realProviders({ entries }).available : []
    const keyed = measuring.simulate === undefined ? real : (settings.providers ?? [])
    const files = contextOf({ folder }, entries)
    const profile = measuring.simulate
    const known = profile === undefined ? (measuring.speeds ?? []) : []
    const { config: planned } = withMeasured(core.document('defaults'), config, known)
    const around = { config: planned, keyed, all, files, documents, profile }
    return expectedOf(await explainWith(core, plan, settingsOf(setting), around))
  } finally {
    core.dispose()
  }
}

interface Turn {
  readonly repeat: number
  readonly seed: number
  readonly cache: SemanticCache | undefined
  /** What simulated runs of the arm have learnt of drafts. Real ones keep that where the user's other runs do. */
  readonly pairs: DraftBook | undefined
}

const formOutputs = new Set<StepInfo['output']>(['code', 'json', 'schema'])

async function oneRun(
  { task, arm, setting, expected, documents }: Combination,
  { repeat, seed, cache, pairs }: Turn,
): Promise<Pick<MeasuredRun, 'run' | 'report'>> {
  const { measuring, config, settings } = setting
  const formed = new Set<string>()
  const watch = (event: RunEvent): void => {
    if (event.type !== 'steps') return
    for (const step of event.steps) if (formOutputs.has(step.output)) formed.add(step.id)
  }
  const cached = cache === undefined ? {} : { cache, cacheModes: { '*': settings.cache ?? 'off' } as const }
  const common = { ...settingsOf(setting), ...cached, seed, config }
  const told = async ({ outputs }: RunResult, report: RunReport) => {
    const judged = await measuring.judge?.(task, outputs)
    return { report, run: runData(report, { seed, expected, formed, judged }) }
  }
  if (measuring.simulate !== undefined) {
    const { plan, files } = task
    const { providers } = settings
    const { policy } = measuring
    const played = await playRun({
      ...common,
      ...{ plan, files, documents, profile: measuring.simulate },
      ...(pairs && { pairs }),
      ...(policy && { policy }),
      ...(providers && { providers }),
    })
    played.events.forEach(watch)
    return told(played, onVirtualClock(played.report))
  }
  const { signal } = measuring
  const options = { ...common, folder: task.folder, documents, signal, onEvent: watch }
  const result = await measuring.realRun(task.plan, options, { task, arm, repeat })
  return told(result, result.report)
}

/** Nothing travelled: what the report says of networks was not measured. */
function onVirtualClock(report: RunReport): RunReport {
  const steps = report.steps.map((step) => ({
    ...step,
    calls: step.calls.map((call) => ({ ...call, networkMs: null })),
  }))
  return { ...report, connectionReuseRate: null, steps }
}
