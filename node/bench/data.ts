/**
 * What a benchmark keeps: `benchmark_data.json`, one arm of one plan. Version 1; members are added, never changed. Times in ms, money
 * in micro-USD (1 USD = 1,000,000), shares 0–1; null: not measured.
 */
import type { CallReport, DraftsReport, RunReport, StepReport } from '../../bindings/events.js'
import type { Expected } from '../../web/standard/report/facts.js'
import { tookMs } from '../../web/standard/report/facts.js'
import { decidingCall } from '../../web/standard/report/policy.js'
import type { ArmSettings } from './arms.js'

export const benchmarkVersion = 1

export interface BenchCall {
  readonly purpose: CallReport['purpose']
  readonly provider: string
  readonly model: string
  readonly outcome: CallReport['outcome']
  /** Since the run began. */
  readonly startedAt: number | null
  readonly endedAt: number | null
  readonly queueMs: number | null
  readonly firstTokenMs: number | null
  readonly responseMs: number | null
  readonly networkMs: number | null
  /** `input` holds `cached`. */
  readonly tokens: { readonly input: number; readonly cached: number; readonly output: number }
  readonly costMicroUsd: number
}

export interface BenchStep {
  readonly id: string
  readonly type: string
  /** Of the routing table, that chose where its first call went; null: nothing was called. */
  readonly rule: string | null
  readonly state: string
  /** Who did it; null: no call was made, or none succeeded. */
  readonly provider: string | null
  readonly model: string | null
  readonly tookMs: number | null
  /** What `explain` said before the run. */
  readonly expectedMs: number | null
  readonly costMicroUsd: number
  /**
   * Whether its first answer passed all its checks: no repair, no second attempt after a refused answer. Null: it has no check that
   * could have failed, or was not attempted.
   */
  readonly firstTry: boolean | null
  /** What that says: `form`: it is JSON, holds its schema, or is code; `function`: its checks passed, tests among them. */
  readonly checkedBy: 'form' | 'function' | null
  /** Why no call was made for it: cache_exact, cache_semantic, shared; null: calls were made. */
  readonly reused: string | null
  readonly calls: readonly BenchCall[]
}

/** As a run reports it, without its judgement. */
export type BenchDrafts = Omit<DraftsReport, 'met'>

export interface BenchRun {
  /** Of the simulator and of back-offs; runs of two arms with the same seed and plan are a pair. */
  readonly seed: number
  readonly mode: string
  readonly outcome: RunReport['outcome']
  readonly makespanMs: number
  readonly sumOfStepsMs: number
  readonly speedup: number | null
  readonly successRate: number | null
  readonly costMicroUsd: number
  readonly tokens: {
    readonly input: number
    readonly cached: number
    readonly output: number
    readonly reasoning: number
    /** Prompt tokens that stripping saved, estimated. */
    readonly stripped: number
    /** Prompt tokens that a step before had sent already, so that a provider's cache may hold them. */
    readonly shared: number
  }
  /** Of hits among steps that were looked up; null: no cache. */
  readonly cacheHitRate: number | null
  readonly connectionReuse: number | null
  /** What drafts came to; null: no step could have been drafted, or it was measured before this was kept. */
  readonly drafts: BenchDrafts | null
  /** What `explain` said before the run. */
  readonly expected: { readonly makespanMs: number; readonly costMicroUsd: number } | null
  readonly steps: readonly BenchStep[]
}

export interface BenchmarkData {
  readonly kind: 'aetherflow.benchmark'
  readonly version: typeof benchmarkVersion
  readonly aetherflow: string
  readonly node: string
  /** ISO time at which it began. */
  readonly at: string
  /** Name of the simulated profile; null: real providers. */
  readonly simulated: string | null
  /** `digest`: SHA-256 of its text. */
  readonly plan: {
    readonly name: string
    readonly taskId: string
    readonly description: string
    readonly digest: string
  }
  readonly arm: string
  readonly settings: ArmSettings
  readonly runs: readonly BenchRun[]
  /** By name: see figures.ts. */
  readonly figures: Readonly<Record<string, FigureData>>
  readonly targets: readonly TargetFigure[]
}

/** A target of the mission, and what became of it. */
export interface TargetFigure {
  readonly name: string
  /** For people, with the bound. */
  readonly target: string
  /** `measured`: nobody has set a bound. `not exercised`: nothing in these runs says anything about it. */
  readonly verdict: 'met' | 'missed' | 'measured' | 'not exercised'
  /** The figure in words; '' when there is none. */
  readonly figure: string
  /** What missed it, or why it was not exercised. */
  readonly because: string
}

/** Median over runs with its interval of 95 %; null bounds: too few runs to say. */
export interface FigureData {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
  readonly n: number
}

/** Of a run, what its report does not say. */
export interface RunFacts {
  readonly seed: number
  readonly expected: Expected | undefined
  /** Ids of steps whose output is constrained to a form that an answer may miss. */
  readonly formed: ReadonlySet<string>
  /** Whether answers do what was asked, by step id: see `Judge` in measure.ts. */
  readonly judged?: ReadonlyMap<string, boolean> | undefined
}

/** A report as a benchmark keeps it. */
export function runData(report: RunReport, { seed, expected, formed, judged }: RunFacts): BenchRun {
  const { tokens } = report.totals
  return {
    seed,
    mode: report.mode,
    outcome: report.outcome,
    makespanMs: report.makespanMs,
    sumOfStepsMs: report.sumOfStepsMs,
    speedup: report.speedup,
    successRate: report.successRate,
    costMicroUsd: report.totals.costMicroUsd,
    tokens: {
      ...{ input: tokens.input, cached: tokens.cached, output: tokens.output, reasoning: tokens.reasoning },
      stripped: tokens.strippedEstimate,
      shared: report.totals.promptCache.sharedTokens,
    },
    cacheHitRate: report.cache?.hitRate ?? null,
    connectionReuse: report.connectionReuseRate,
    drafts: draftsData(report.drafts),
    expected:
      expected === undefined ? null : { makespanMs: expected.makespanMs, costMicroUsd: expected.costMicroUsd.expected },
    steps: report.steps.map((step) =>
      stepData(step, expected?.steps.get(step.id) ?? null, tryOf(step, formed, judged)),
    ),
  }
}

function draftsData(drafts: DraftsReport | undefined): BenchDrafts | null {
  if (drafts === undefined) return null
  const { met: _met, ...kept } = drafts
  return kept
}

const reuses = new Set(['cache_exact', 'cache_semantic', 'shared'])

/** Tests decide where there are any: an answer of the right form that does not do what was asked is wrong. */
function tryOf(
  step: StepReport,
  formed: ReadonlySet<string>,
  judged: RunFacts['judged'],
): Pick<BenchStep, 'firstTry' | 'checkedBy'> {
  // Its own checks ran, tests among them.
  if (typeof step.check?.firstTry === 'boolean') return { firstTry: step.check.firstTry, checkedBy: 'function' }
  const form = formed.has(step.id) ? firstTry(step) : null
  const passed = judged?.get(step.id)
  if (passed !== undefined) return { firstTry: passed && form !== false, checkedBy: 'function' }
  return { firstTry: form, checkedBy: form === null ? null : 'form' }
}

function stepData(
  step: StepReport,
  expectedMs: number | null,
  tried: Pick<BenchStep, 'firstTry' | 'checkedBy'>,
): BenchStep {
  const call = step.state === 'done' ? decidingCall(step) : undefined
  const reused = step.state === 'done' && step.reason !== undefined && reuses.has(step.reason) ? step.reason : null
  return {
    ...{ id: step.id, type: step.type, rule: step.route?.rule ?? null, state: step.state },
    ...{ provider: call?.provider ?? null, model: call?.model ?? null },
    tookMs: tookMs(step) ?? null,
    expectedMs,
    costMicroUsd: step.costMicroUsd,
    ...(reused === null ? tried : { firstTry: null, checkedBy: null }),
    reused,
    calls: step.calls.map((one) => ({
      ...{ purpose: one.purpose, provider: one.provider, model: one.model, outcome: one.outcome },
      ...{ startedAt: one.dispatchedAt, endedAt: one.endedAt, queueMs: one.queueMs },
      ...{ firstTokenMs: one.firstTokenMs, responseMs: one.responseMs, networkMs: one.networkMs },
      tokens: { input: one.tokens.input, cached: one.tokens.cached, output: one.tokens.output },
      costMicroUsd: one.costMicroUsd,
    })),
  }
}

/**
 * Failures of a provider say nothing of an answer: the first one that came decides. A draft counts where it was delivered; one that came
 * to nothing was a way to save time, and the full answer that followed is the first. Verdicts on others are no answers.
 */
export function firstTry({ calls, state, audit, repaired, draft }: StepReport): boolean | null {
  const drafted = draft === 'draft_accepted' || draft === 'draft_patched'
  const own: readonly CallReport['purpose'][] = drafted ? ['draft'] : ['main', 'hedge', 'repair']
  const answers = calls.filter(
    ({ purpose, outcome, check }) =>
      own.includes(purpose) && (check !== undefined || outcome === 'constraint_violated'),
  )
  const [first] = answers
  const checked = first?.check !== undefined || audit === 'passed' || audit === 'issues'
  if (first === undefined || !checked) return null
  const holds = first.outcome === 'ok' && (first.check === 'passed' || first.check === 'extracted')
  return state === 'done' && holds && audit !== 'issues' && repaired !== true && draft !== 'draft_patched'
}
