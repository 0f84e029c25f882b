/**
 * AetherFlow in Node.
 *
 *   import { runPlan } from '@aetherflow/aetherflow'
 *   const result = await runPlan(plan, { onEvent: (event) => console.log(event.type) })
 *
 * @packageDocumentation
 */
import { CoreRun } from '../bindings/core.js'
import type { RunEvent, StepInfo } from '../bindings/events.js'
import type { ProviderEntry } from '../web/standard/config.js'
import {
  patternRun,
  type PatternListeners,
  type PatternPlan,
  type PatternResult,
} from '../web/standard/patterns/index.js'
import { PlanRun, type RunResult } from '../web/standard/run/plan-run.js'
import { mustKnowOptions, sharedOptions } from '../web/standard/run/known-options.js'
import type { PlanSource } from '../web/standard/run/plan-source.js'
import { checkWith, explainWith, type CheckedPlan, type ExplainedPlan } from '../web/standard/run/dry-run.js'
import { telemetry } from '../web/standard/telemetry/otel.js'
import { placingOf } from './check/placing.js'
import type { LocalContext } from './local-contexts.js'
import { contextOf, documentsOf, execute, setUp, simulatedProfile, withLocalContexts } from './run/execute.js'
import type { OpenedDocuments } from './run/run-documents.js'
import { loadCore } from './loader.js'
import type { PlanOptions, RunPlanOptions } from './options.js'
import { realProviders } from './providers.js'

export { AetherflowError } from '../bindings/errors.js'
export type { ErrorCode, FailureKind, Outcome, Purpose, Reason } from '../bindings/generated/wire.js'
export type * from '../bindings/events.js'
export type { Plan, Step, StepType } from '../bindings/plan.js'
export type { Clock, DocumentFinder, Fetch, FoundDocuments } from '../bindings/ports.js'
export type { SimulatorProfile } from '../web/standard/simulator/index.js'
export type { Config, PolicyConfig, ProviderConfig } from '../web/standard/config.js'
export type { SentPrompt } from '../web/standard/run/performer.js'
export type { PlanSource } from '../web/standard/run/plan-source.js'
export { PlanRun, type RunControl, type RunResult } from '../web/standard/run/plan-run.js'
export type { CheckedPlan, ExplainedPlan } from '../web/standard/run/dry-run.js'
export { pooledTransport, type PooledTransport, type PooledTransportOptions } from './transport/transport.js'
export { simulatedProfile } from './run/execute.js'
export type { LocalContext } from './local-contexts.js'
export type { PlanOptions, RunDocuments, RunPlanOptions } from './options.js'
export { FileRunStore, type FileRunStoreOptions } from './run/file-run-store.js'
export { KeptJournal, type OwnedRun, type RunStore } from '../web/standard/run/run-store.js'
export type { JournalWriter } from '../bindings/journal/journal.js'
export type { JournalEnd } from '../bindings/journal/reader.js'
export type { JournalHeader } from '../bindings/journal/journal.js'
export type { SyncPolicy } from './run/journal-file.js'
export type { CacheConfig } from '../web/standard/cache/config.js'
export { SemanticCache, type SemanticCacheOptions } from './cache/semantic-cache.js'
export type { CachePlace } from './cache/place.js'
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
export {
  modelJudge,
  type AskModel,
  type CacheJudge,
  type JudgeQuestion,
  type JudgeVerdict,
} from '../web/standard/cache/judge.js'
export { openDocs, type OpenDocsOptions } from './documents/open.js'
export { FolderSource, type FolderSourceOptions } from './documents/source.js'
export { FolderIndexStore } from './documents/store.js'
export { evaluateSet, readEvaluationFiles, type EvaluateDocsOptions } from './documents/evaluate.js'
export type { DocsEvaluation, EvaluationSet } from '../web/standard/documents/evaluation.js'
export {
  boxKinds,
  openBox,
  type Box,
  type BoxFile,
  type BoxJob,
  type BoxKind,
  type BoxLimits,
  type BoxResult,
} from './check/box.js'
export { qualityOf, type Quality } from './check/quality.js'
export { checkCode, type CodeProblem, type CodeReport } from './check/syntax.js'
export { runTests, testsAreWeak, type TestJob, type TestOutcome } from './check/test-run.js'
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
export {
  bestOf,
  consensus,
  costLines,
  debate,
  patternOf,
  readPattern,
  revise,
  transcriptMarkdown,
  vote,
  type DebateSettings,
  type PatternCost,
  type PatternKind,
  type PatternListeners,
  type PatternPlan,
  type PatternResult,
  type PatternSettings,
  type PatternShape,
  type SaidTurn,
  type SampleSettings,
  type Speaker,
  type Turn as PatternTurn,
} from '../web/standard/patterns/index.js'
export { answerKey, type UntilRule } from '../bindings/until.js'
export { analyze, openAnalyzer, type AnalyzerOptions } from './analysis/analyze.js'
export type { Analysis, Analyzer } from '../web/standard/analysis/analyzer.js'
export type { AnalyzerSettings } from '../web/standard/analysis/host.js'
export type { Turn } from '../web/standard/analysis/history.js'
export type { AnalyzeRequest } from '../web/standard/analysis/request.js'
export type * from '../web/standard/analysis/statistics.js'
export type { TelemetryOptions } from '../web/standard/telemetry/otel.js'
export { Metrics } from '../web/standard/telemetry/metrics.js'
export { preload, type Preloaded, type PreloadOptions, type PreloadStatistics } from './preload.js'
export {
  memoize,
  type Memoized,
  type MemoizeOptions,
  type MemoryStatistics,
  type SharedValues,
} from '../web/standard/preload/memoize.js'
export type { CacheStatistics } from '../web/standard/cache/statistics.js'

/**
 * Runs a plan: an object, JSON text, bytes, or an async iterable of chunks (then steps start while it is still coming).
 * Undefined: the plan of the journal, with `resume`. The result is awaited or iterated: `await runPlan(…)` gives a RunResult, `for await (… of runPlan(…))` its events.
 * Rejects with AetherflowError: json.* and plan.* (nothing was called, unless the plan streamed), route.*, options.invalid,
 * host.*. Failed steps do not reject: see `outcome` and `report`.
 */
export function runPlan(plan: PlanSource | undefined, options: RunPlanOptions = {}): PlanRun {
  return new PlanRun(async (emit, own) => {
    const traced = options.telemetry && telemetry({ name: options.planName, ...options.telemetry })
    // What a journal tells was traced when it happened.
    let past = false
    const tell = (event: RunEvent): void => {
      options.onEvent?.(event)
      if (event.type === 'resumed') past = false
      if (!past) traced?.(event)
      emit(event)
    }
    mustKnowOptions(options, known)
    return execute(plan, options, tell, own, () => (past = true))
  })
}

/**
 * Runs the plan of a pattern, and reads what it came to; `onSpeech` hears the speakers as they speak. Rejects as `runPlan`; a pattern
 * without an answer does not reject: see `answer` and `why`.
 */
export async function runPattern(
  plan: PatternPlan,
  { onSpeech, ...options }: RunPlanOptions & PatternListeners = {},
): Promise<PatternResult & { readonly run: RunResult }> {
  return patternRun(plan, (onText) => runPlan(plan, { ...options, onText }), { onText: options.onText, onSpeech })
}

const known: Readonly<Record<keyof RunPlanOptions, true>> = {
  ...sharedOptions,
  configFile: true,
  checks: true,
  draftPairs: true,
  signal: true,
  onEvent: true,
  onText: true,
  deliver: true,
  journal: true,
  resume: true,
  reuse: true,
  takeOver: true,
  sync: true,
  planName: true,
  fetch: true,
  pool: true,
  stream: true,
  clock: true,
  folder: true,
  allowFiles: true,
  clients: true,
  performer: true,
  onPrompt: true,
  telemetry: true,
  limits: true,
  project: true,
  rejected: true,
  documents: true,
}

/** What `checkPlan` and `explainPlan` look at beside the plan. */
export interface CheckOptions extends PlanOptions {
  /** Folder of the context files, which are read to know what they weigh. Default of `explainPlan`: the working folder. */
  readonly folder?: string | undefined
  /** As of `runPlan`. */
  readonly allowFiles?: readonly string[] | undefined
  /** As of `runPlan`; looked into when `folder` is said, by `explainPlan` always. */
  readonly documents?: RunPlanOptions['documents']
  /** As of `runPlan`: with checks, what a rubric is put to costs a call. */
  readonly checks?: RunPlanOptions['checks']
}

/** Throws check.invalid for what a step says of its check, target or edit. */
function accepted<Plan extends { readonly steps: readonly StepInfo[] }>(plan: Plan): Plan {
  for (const step of plan.steps) placingOf(step)
  return plan
}

/**
 * Checks a plan without any provider: its steps and warnings. Rejects with json.*, plan.*, or check.invalid. With options it also sees what a run
 * with them would: providers and models that there are not (route.*), and with `folder` context files that cannot be read (host.*).
 */
export async function checkPlan(plan: PlanSource, options?: CheckOptions): Promise<CheckedPlan> {
  const core = new CoreRun(await loadCore())
  let documents: OpenedDocuments | undefined
  try {
    if (options === undefined) return accepted(await checkWith(core, plan))
    mustKnowOptions(options, known)
    const { config, entries } = await setUp(core, options)
    const files = options.folder === undefined ? undefined : contextOf(options, entries)
    if (files !== undefined || options.documents !== undefined) documents = documentsOf(options, entries)
    const finder = documents?.finder
    const all = entries.map(({ id }) => id)
    return accepted(await checkWith(core, plan, options, { config, all, files, documents: finder }))
  } finally {
    core.dispose()
    await documents?.close()
  }
}

/**
 * Runs the plan on a virtual clock: makespan, critical path, cost range, routes. No call is made: hosts of a preset are asked what
 * context their models have, nothing more. Context files are read, for what they weigh. With `simulate` the times are the profile's own. Providers without a key count as configured when none has one, so
 * that a plan can be explained before any key is set. Rejects as a run would before its first call.
 */
export async function explainPlan(
  plan: PlanSource,
  options: CheckOptions = {},
): Promise<ExplainedPlan & { readonly contexts: readonly LocalContext[] }> {
  const module = await loadCore()
  const core = new CoreRun(module)
  let documents: OpenedDocuments | undefined
  try {
    mustKnowOptions(options, known)
    const { config: given, entries } = await setUp(core, options)
    const { config, contexts } = await withLocalContexts(given, entries, options)
    const { simulate } = options
    const profile = simulate === undefined || simulate === false ? undefined : simulatedProfile(simulate)
    const keyed = profile === undefined ? realProviders({ entries }).available : []
    const files = contextOf(options, entries)
    documents = documentsOf(options, entries)
    const all = entries.map(({ id }) => id)
    const checks = options.checks !== false
    const around = {
      config,
      keyed,
      all,
      files,
      documents: documents.finder,
      profile,
      checks,
      anotherCore: () => new CoreRun(module),
    }
    const explained = await explainWith(core, plan, options, around)
    accepted({ steps: core.document('steps') })
    return { ...explained, contexts }
  } finally {
    core.dispose()
    await documents?.close()
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
