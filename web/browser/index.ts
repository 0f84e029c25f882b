/**
 * AetherFlow in a page.
 *
 *   import { runPlan } from '@aetherflow/aetherflow'
 *   const result = await runPlan(plan, { keys: (provider) => form.get(provider), onEvent: draw })
 *
 * The core and the calls run in a worker. Keys, prompts and answers stay in memory; what a run with a `journal` or a `cache` is told to
 * keep goes to the browser's IndexedDB, keys never. Nothing here writes to an address.
 *
 * @packageDocumentation
 */
import type { AnswerCache } from '../../bindings/cache/ports.js'
import type { RunEvent } from '../../bindings/events.js'
import type {
  DebateSettings,
  PatternKind,
  PatternListeners,
  PatternPlan,
  PatternResult,
  SampleSettings,
} from '../standard/patterns/index.js'
import { PlanRun } from '../standard/run/plan-run.js'
import { planBytes, type PlanSource } from '../standard/run/plan-source.js'
import type { CheckedPlan, ExplainedPlan } from '../standard/run/dry-run.js'
import type { Analysis, Analyzer } from '../standard/analysis/analyzer.js'
import type { AnalyzeRequest } from '../standard/analysis/request.js'
import type { PageAnalyzerOptions } from './analysis/options.js'
import { cacheForRun, closeRunCaches } from './cache/run.js'
import { SemanticCache } from './cache/semantic-cache.js'
import { pageOf, type JobKind } from './run/job.js'
import { askToPersist } from './run/journal-persist.js'
import type { KeptRun, PageRunResult, PlanOptions, RunPlanOptions, ThreadOptions } from './options.js'
import type { CorsProbe } from './probe.js'
import { disposeWorkers as endWorkers, performAnywhere } from './worker/threads.js'

export { AetherflowError } from '../../bindings/errors.js'
export type { ErrorCode, FailureKind, Outcome, Purpose, Reason } from '../../bindings/generated/wire.js'
export type * from '../../bindings/events.js'
export type { Plan, Step, StepType } from '../../bindings/plan.js'
export type { Clock, DocumentFinder, Fetch, FoundDocuments } from '../../bindings/ports.js'
export type { Config, PolicyConfig, ProviderConfig } from '../standard/config.js'
export { PlanRun, type RunControl, type RunResult } from '../standard/run/plan-run.js'
export type { PlanSource } from '../standard/run/plan-source.js'
export type { CheckedPlan, ExplainedPlan } from '../standard/run/dry-run.js'
export type { SimulatorProfile } from '../standard/simulator/index.js'
export type * from '../../bindings/cache/ports.js'
export type * from './cache/options.js'
export type * from './options.js'
export { SemanticCache }
export { openDocs, openSearch, optimizeQueries } from './documents/load.js'
export { meilisearch, type MeilisearchOptions } from '../standard/search/meilisearch.js'
export { minisearch, type MiniSearchLike } from '../standard/search/minisearch.js'
export type { NgramResult, NgramSearch, SearchBatches, SearchReport } from '../standard/search/batches.js'
export type * from '../standard/search/port.js'
export type * from './documents/options.js'
export type {
  DocsOptions,
  DocsStatistics,
  DocumentPart,
  FoundSection,
  PickEntry,
  ResolvedReference,
  Retrieved,
  RetrieveOptions,
  SearchOptions,
  SearchResult,
  UpdateOptions,
  UpdateProgress,
  UpdateResult,
} from '../standard/documents/options.js'
export type { DocsBase } from '../standard/documents/documents.js'
export type * from '../standard/documents/ports.js'
export type { GramChoice, GramStrategy, RankSettings, Section } from '../../bindings/index/core.js'
export type { CorsProbe } from './probe.js'
export type { Analysis, Analyzer } from '../standard/analysis/analyzer.js'
export type { AnalyzerSettings } from '../standard/analysis/host.js'
export type { Turn } from '../standard/analysis/history.js'
export type { AnalyzeRequest } from '../standard/analysis/request.js'
export type * from '../standard/analysis/statistics.js'
export type {
  DebateSettings,
  PatternKind,
  PatternListeners,
  PatternPlan,
  PatternResult,
  PatternSettings,
  SampleSettings,
  Speaker,
} from '../standard/patterns/index.js'
export type { PageAnalyzerOptions } from './analysis/options.js'

/**
 * Runs a plan: an object, JSON text, bytes, or an async iterable of chunks (then steps start while it is still coming). The
 * result is awaited or iterated: `await runPlan(…)` gives a PageRunResult, `for await (… of runPlan(…))` its events.
 * Rejects with AetherflowError: json.* and plan.* (nothing was called, unless the plan streamed), route.*, options.invalid,
 * host.*; host.worker when the worker stops. Undefined: the plan of the journal, with `resume`. Failed steps do not reject: see `outcome` and `report`.
 */
export function runPlan(plan: PlanSource | undefined, options: RunPlanOptions = {}): PlanRun<PageRunResult> {
  return new PlanRun(async (emit, own) => {
    const tell = (event: RunEvent): void => {
      options.onEvent?.(event)
      emit(event)
    }
    const { signal, journal } = options
    if (journal !== undefined) askToPersist()
    // Not waited for: a model may take long to arrive, and anyone who looks something up waits for it.
    const opening = options.cache === undefined ? undefined : cacheForRun(options.cache, tell)
    const cache: AnswerCache | undefined = opening && {
      get: async (question) => (await opening).cache.get(question),
      put: async (put) => (await opening).cache.put(put),
    }
    let control: { cancel(): void } | undefined
    const abort = (): void => control?.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const page = pageOf(
        options,
        tell,
        (given) => {
          control = given
          own(given)
          if (signal?.aborted === true) given.cancel()
        },
        cache,
      )
      const { value, thread } = await performAnywhere(
        'run',
        plan === undefined ? new Uint8Array() : planBytes(plan),
        options,
        page,
      )
      return { ...(value as PageRunResult), thread }
    } finally {
      signal?.removeEventListener('abort', abort)
      void opening?.then(({ release }) => release())
    }
  })
}

/**
 * Opens an analyzer: JSON by a schema about a conversation, from quick models, at once the second time. Answers lie in memory, or in the
 * browser under `name`. Fails: host.config, cache.store_failed, host.io_failed for the package's files.
 */
export async function openAnalyzer(options: PageAnalyzerOptions = {}): Promise<Analyzer> {
  const { open } = await import('./analysis/analyze.js')
  return open(options, { run: runPlan, openCache: (of) => SemanticCache.open(of) })
}

/**
 * Several answers to one question as a plan: debate, consensus, vote, best-of or revise. It is explained, run and resumed as any other.
 * Rejects: host.usage.
 */
export async function patternPlan(kind: PatternKind, settings: DebateSettings & SampleSettings): Promise<PatternPlan> {
  return (await import('../standard/patterns/index.js')).patternOf(kind, settings)
}

/**
 * Runs the plan of a pattern, and reads what it came to; `onSpeech` hears the speakers as they speak. Rejects as `runPlan`; a pattern
 * without an answer does not reject: see `answer` and `why`.
 */
export async function runPattern(
  plan: PatternPlan,
  { onSpeech, ...options }: RunPlanOptions & PatternListeners = {},
): Promise<PatternResult & { readonly run: PageRunResult }> {
  const { patternRun } = await import('../standard/patterns/index.js')
  return patternRun(plan, (onText) => runPlan(plan, { ...options, onText }), { onText: options.onText, onSpeech })
}

let usual: Promise<Analyzer> | undefined

/** One analysis with the options of the first, and answers in the memory of this page. Rejects as `Analyzer.analyze` and `openAnalyzer`. */
export async function analyze<Value = unknown>(
  request: AnalyzeRequest,
  options: PageAnalyzerOptions = {},
): Promise<Analysis<Value>> {
  usual ??= openAnalyzer(options)
  return (await usual).analyze<Value>(request)
}

/** Checks a plan without any provider: its steps and warnings. Rejects with json.* or plan.*. */
export async function checkPlan(plan: PlanSource, options: ThreadOptions = {}): Promise<CheckedPlan> {
  return (await quietly('check', plan, options)) as CheckedPlan
}

/**
 * Runs the plan on a virtual clock: makespan, critical path, cost range, routes. No call is made. Providers without a key
 * count as configured when none has one.
 */
export async function explainPlan(
  plan: PlanSource,
  options: PlanOptions & Pick<RunPlanOptions, 'readFile' | 'listFiles' | 'documents'> = {},
): Promise<ExplainedPlan> {
  return (await quietly('explain', plan, options)) as ExplainedPlan
}

/**
 * Whether this page can call a provider, as far as a page can know: by asking for its models, with the key when `keys` knows one.
 * Behind `relay`, whether it can call the relay. Rejects with route.unknown_provider.
 */
export async function probeCors(provider: string, options: Omit<PlanOptions, 'providers'> = {}): Promise<CorsProbe> {
  return (await quietly('probe', '', { ...options, providers: [provider] })) as CorsProbe
}

/**
 * Ends every worker now, and closes the caches that runs have opened. What runs there rejects with host.disposed; later runs start a
 * new one. A SemanticCache of your own stays open.
 */
export function disposeWorkers(): void {
  endWorkers()
  closeRunCaches()
}

/** The runs whose journals this browser keeps, the last written first. Rejects with host.io_failed where IndexedDB is refused. */
export async function listRuns(): Promise<KeptRun[]> {
  return (await quietly('listRuns', '', {})) as KeptRun[]
}

/** Deletes the journal of a run; false if there is none. Rejects: host.run_locked while the run goes on in some tab, host.io_failed. */
export async function deleteRun(name: string): Promise<boolean> {
  return (await quietly('deleteRun', '', { journal: name })) as boolean
}

/** The journal of a run as the bytes of its lines, for a download or a replay; undefined if there is none. Rejects with host.io_failed. */
export async function readRun(name: string): Promise<Uint8Array | undefined> {
  return (await quietly('readRun', '', { journal: name })) as Uint8Array | undefined
}

async function quietly(kind: Exclude<JobKind, 'run'>, plan: PlanSource, options: RunPlanOptions): Promise<unknown> {
  const page = pageOf(
    options,
    () => undefined,
    () => undefined,
  )
  return (await performAnywhere(kind, planBytes(plan), options, page)).value
}
