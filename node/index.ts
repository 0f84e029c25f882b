/**
 * AetherFlow in Node.
 *
 *   import { runPlan } from '@aetherflow/aetherflow'
 *   const result = await runPlan(plan, { onEvent: (event) => console.log(event.type) })
 *
 * @packageDocumentation
 */
import { CoreRun } from '../bindings/core.js'
import type { Performer } from '../bindings/performer.js'
import type { RunEvent, StepInfo } from '../bindings/events.js'
import type { Clock, Fetch } from '../bindings/ports.js'
import type { ProviderEntry } from '../web/standard/config.js'
import { PlanRun } from '../web/standard/run/plan-run.js'
import type { PlanSource } from '../web/standard/run/plan-source.js'
import {
  checkWith,
  explainWith,
  type CacheSettings,
  type CheckedPlan,
  type ExplainedPlan,
  type PlanSettings,
} from '../web/standard/run/setup.js'
import { execute, setUp } from './run/execute.js'
import type { SyncPolicy } from './run/journal-file.js'
import { loadCore } from './loader.js'
import { realProviders } from './providers.js'
import type { PooledTransport } from './transport/transport.js'

export { AetherflowError } from '../bindings/errors.js'
export type { ErrorCode, FailureKind, Outcome, Purpose, Reason } from '../bindings/generated/wire.js'
export type * from '../bindings/events.js'
export type { Plan, Step, StepType } from '../bindings/plan.js'
export type { Clock, Fetch } from '../bindings/ports.js'
export type { SimulatorProfile } from '../web/standard/simulator/index.js'
export type { Config, PolicyConfig, ProviderConfig } from '../web/standard/config.js'
export type { PlanSource } from '../web/standard/run/plan-source.js'
export { PlanRun, type RunControl, type RunResult } from '../web/standard/run/plan-run.js'
export type { CheckedPlan, ExplainedPlan } from '../web/standard/run/setup.js'
export { pooledTransport, type PooledTransport, type PooledTransportOptions } from './transport/transport.js'
export { simulatedProfile } from './run/execute.js'
export type { JournalHeader } from '../bindings/journal/journal.js'
export type { SyncPolicy } from './run/journal-file.js'
export type { CacheConfig } from '../web/standard/cache/config.js'
export { SemanticCache, type CachePlace, type SemanticCacheOptions } from './cache/semantic-cache.js'
export { FileStore, type FileStoreOptions } from './stores/file.js'
export { openEmbedder, type OpenEmbedderOptions } from './embed/index.js'
export { pullModel, type PulledModel, type PullEvent, type PullOptions } from './model/pull.js'
export {
  evaluatePairs,
  readPairsFile,
  type EvaluateOptions,
  type EvaluationProgress,
  type EvaluationResult,
} from './cache/evaluate.js'
export type * from '../bindings/cache/ports.js'
export type { CacheAdmission, CacheLimits } from '../bindings/cache/core.js'
export type { CacheExplanation, CacheOptions, ExplainedCandidate } from '../web/standard/cache/options.js'
export { openDocs, type OpenDocsOptions } from './documents/open.js'
export { FolderSource, type FolderSourceOptions } from './documents/source.js'
export { FolderIndexStore } from './documents/store.js'
export { evaluateSet, readEvaluationFiles, type EvaluateDocsOptions } from './documents/evaluate.js'
export type { DocsEvaluation, EvaluationSet } from '../web/standard/documents/evaluation.js'
export { optimizeQueries, openSearch } from './documents/search.js'
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
} from '../web/standard/documents/options.js'
export type { DocsBase } from '../web/standard/documents/documents.js'
export type * from '../web/standard/documents/ports.js'
export type { GramChoice, GramStrategy, RankSettings, Section } from '../bindings/index/core.js'
export { recallOf, type NgramResult, type NgramSearch, type SearchReport } from '../web/standard/search/batches.js'
export { meilisearch, type MeilisearchOptions } from '../web/standard/search/meilisearch.js'
export { minisearch, type MiniSearchLike } from '../web/standard/search/minisearch.js'
export type * from '../web/standard/search/port.js'
export { preload, type Preloaded, type PreloadOptions, type PreloadStatistics } from './preload.js'
export { memoize, type Memoized, type MemoizeOptions, type MemoryStatistics } from '../web/standard/preload/memoize.js'
export type { CacheStatistics } from '../web/standard/cache/statistics.js'

/** `simulate` plays the providers on a loopback socket. `config`: default `configFile`, or the user's file. */
export interface PlanOptions extends PlanSettings {
  readonly configFile?: string | undefined
}

export interface RunPlanOptions extends PlanOptions, CacheSettings {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Answer text of steps as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /**
   * Makes an output durable; what it resolves to, a text, is the `path` of the event `done`. A rejection cancels the run. `again`: the step ended before the run was resumed, so that the output
   * may be there already: a delivery may come twice, and is never left out.
   */
  readonly deliver?:
    ((step: StepInfo, text: string, again: boolean) => Promise<string | void> | string | void) | undefined
  /**
   * Folder that keeps the run's journal, made when it is missing. With it the run outlives its process: `resume` goes on with it,
   * and nothing that the journal holds is called again. Absent: nothing is kept. A folder belongs to one run.
   */
  readonly journal?: string | undefined
  /** Goes on with the run in `journal`; with a plan, begins it when there is none. Options that the run began with stay. Default false. */
  readonly resume?: boolean | undefined
  /**
   * As `resume`; but when the plan has changed, or the run came to its end with steps undone, a new run takes its place, in
   * which steps that match a done one of the old (the step, all before it, their context files) keep its output. Default false.
   */
  readonly reuse?: boolean | undefined
  /** Takes the run from an owner on another machine. Only when that is gone for certain. Default false. */
  readonly takeOver?: boolean | undefined
  /**
   * When a journal line counts as kept, and its output is told: `always` (default) once flushed to disk; a number: likewise, with
   * at most one flush in so many ms; `never`: once the system has it, which a loss of power may undo.
   */
  readonly sync?: SyncPolicy | undefined
  /** Name of the plan for reports; kept in the journal. */
  readonly planName?: string | undefined
  /** Instead of the platform's, for every provider call. */
  readonly fetch?: Fetch | undefined
  /** Connections shared with other runs, from `pooledTransport()`; its opener closes it. Default: a pool of the run's own. */
  readonly pool?: PooledTransport | undefined
  /** False: answers come whole instead of streamed; then there is no first token and no text on the way. Default true. */
  readonly stream?: boolean | undefined
  readonly clock?: Clock | undefined
  /** Folder that context files are read from; default: the working folder. */
  readonly folder?: string | undefined
  /**
   * Files and folders below `folder` that a plan may send to providers although they are hidden, configurations of AetherFlow or
   * called like files of keys. A file that holds the key of a configured provider is never sent.
   */
  readonly allowFiles?: readonly string[] | undefined
  /** Carries out calls instead of the providers' clients: tools of your own, tests. Every provider then counts as configured. */
  readonly performer?: Performer | undefined
}

/**
 * Runs a plan: an object, JSON text, bytes, or an async iterable of chunks (then steps start while it is still coming).
 * Undefined: the plan of the journal, with `resume`. The result is awaited or iterated: `await runPlan(…)` gives a RunResult, `for await (… of runPlan(…))` its events.
 * Rejects with AetherflowError: json.* and plan.* (nothing was called, unless the plan streamed), route.*, options.invalid,
 * host.*. Failed steps do not reject: see `outcome` and `report`.
 */
export function runPlan(plan: PlanSource | undefined, options: RunPlanOptions = {}): PlanRun {
  return new PlanRun((emit, own) => {
    const tell = (event: RunEvent): void => {
      options.onEvent?.(event)
      emit(event)
    }
    return execute(plan, options, tell, own)
  })
}

/** Checks a plan without any provider: its steps and warnings. Rejects with json.* or plan.*. */
export async function checkPlan(plan: PlanSource): Promise<CheckedPlan> {
  const core = new CoreRun(await loadCore())
  try {
    return await checkWith(core, plan)
  } finally {
    core.dispose()
  }
}

/**
 * Runs the plan on a virtual clock: makespan, critical path, cost range, routes. No call is made. Providers without a key
 * count as configured when none has one, so that a plan can be explained before any key is set.
 */
export async function explainPlan(plan: PlanSource, options: PlanOptions = {}): Promise<ExplainedPlan> {
  const core = new CoreRun(await loadCore())
  try {
    const { config, entries } = await setUp(core, options)
    const real = options.simulate === undefined || options.simulate === false
    const keyed = real ? realProviders({ entries }).available : []
    return await explainWith(core, plan, options, { config, keyed, all: entries.map(({ id }) => id) })
  } finally {
    core.dispose()
  }
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
