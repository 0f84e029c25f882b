/** The figures of a benchmark: one number a run each, and what they come to over runs. */
import { formatCount, formatDuration, formatShare, formatUsd } from '../../web/standard/format.js'
import type { BenchCall, BenchmarkData, BenchRun, BenchStep, FigureData } from './data.js'
import { median, medianEstimate, quantile, type Estimate } from './statistics.js'

export interface Figure {
  readonly name: string
  /** For people. */
  readonly words: string
  /** Which way is better. */
  readonly better: 'less' | 'more'
  readonly format: (value: number) => string
  /** Null: the run did not measure it. */
  readonly of: (run: BenchRun) => number | null
}

const callsOf = (run: BenchRun): BenchCall[] => run.steps.flatMap(({ calls }) => calls)
const measured = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null)
const medianOf = (values: readonly (number | null)[]): number | null => {
  const known = measured(values)
  return known.length === 0 ? null : median(known)
}
const share = (hits: number, of: number): number | null => (of === 0 ? null : hits / of)
const times = (value: number): string => `${value.toFixed(2)}×`

/** Of steps that were asked for, those that needed no call. */
export function callsSaved({ steps }: BenchRun): number | null {
  const done = steps.filter(({ state }) => state === 'done')
  const saved = done.filter(({ reused }) => reused !== null)
  return saved.length === 0 ? null : share(saved.length, done.length)
}

/** Prompt tokens that providers read from what they had kept; null: no step sent what another had sent, and none was read. */
export const promptCacheShare = ({ tokens }: BenchRun): number | null =>
  tokens.shared === 0 && tokens.cached === 0 ? null : share(tokens.cached, tokens.input)

/** Drafts that got a verdict, or came to nothing on the way. */
export const draftsMade = ({ drafts }: Pick<BenchRun, 'drafts'>): number =>
  drafts === null ? 0 : drafts.accepted + drafts.patched + drafts.rejected + drafts.failed + drafts.late

/** What drafts gained over all steps that could have been drafted; null: none was. */
export const draftSpeedup = (run: BenchRun): number | null => (draftsMade(run) === 0 ? null : run.drafts!.speedup)

export const firstTries = (steps: readonly BenchStep[]): { tried: BenchStep[]; passed: number } => {
  const tried = steps.filter(({ firstTry }) => firstTry !== null)
  return { tried, passed: tried.filter(({ firstTry }) => firstTry === true).length }
}

export const figures: readonly Figure[] = [
  {
    ...{ name: 'makespanMs', words: 'time', better: 'less' as const },
    format: formatDuration,
    of: (run) => run.makespanMs,
  },
  {
    ...{ name: 'costMicroUsd', words: 'cost', better: 'less' as const },
    format: formatUsd,
    of: (run) => run.costMicroUsd,
  },
  {
    ...{ name: 'inputTokens', words: 'prompt tokens', better: 'less' as const, format: formatCount },
    of: ({ tokens }) => tokens.input,
  },
  {
    ...{ name: 'outputTokens', words: 'answer tokens', better: 'less' as const, format: formatCount },
    of: ({ tokens }) => tokens.output,
  },
  { name: 'successRate', words: 'steps done', better: 'more', format: formatShare, of: (run) => run.successRate },
  {
    ...{ name: 'firstTrySuccess', words: 'right at the first try', better: 'more' as const, format: formatShare },
    of: ({ steps }) => {
      const { tried, passed } = firstTries(steps)
      return share(passed, tried.length)
    },
  },
  {
    ...{ name: 'firstTokenMs', words: 'first token (median call)', better: 'less' as const, format: formatDuration },
    of: (run) => medianOf(callsOf(run).map(({ firstTokenMs }) => firstTokenMs)),
  },
  {
    ...{ name: 'responseMs', words: 'response (median call)', better: 'less' as const, format: formatDuration },
    of: (run) => medianOf(callsOf(run).map(({ responseMs }) => responseMs)),
  },
  {
    ...{ name: 'queueMs', words: 'queue (median call)', better: 'less' as const, format: formatDuration },
    of: (run) => medianOf(callsOf(run).map(({ queueMs }) => queueMs)),
  },
  {
    ...{ name: 'networkMs', words: 'network (median call)', better: 'less' as const, format: formatDuration },
    of: (run) => medianOf(callsOf(run).map(({ networkMs }) => networkMs)),
  },
  { name: 'speedup', words: 'speed-up in parallel', better: 'more', format: times, of: (run) => run.speedup },
  {
    ...{ name: 'calls', words: 'calls', better: 'less' as const, format: formatCount },
    of: (run) => callsOf(run).length,
  },
  { name: 'callsSaved', words: 'steps without a call', better: 'more', format: formatShare, of: callsSaved },
  { name: 'cacheHitRate', words: 'cache hits', better: 'more', format: formatShare, of: (run) => run.cacheHitRate },
  {
    ...{ name: 'promptCacheShare', words: 'prompt tokens from the provider’s cache', better: 'more' as const },
    format: formatShare,
    of: promptCacheShare,
  },
  {
    ...{ name: 'draftsAccepted', words: 'drafts accepted', better: 'more' as const, format: formatShare },
    of: (run) => share(run.drafts?.accepted ?? 0, draftsMade(run)),
  },
  { name: 'draftSpeedup', words: 'speed-up by drafts', better: 'more', format: times, of: draftSpeedup },
  {
    ...{ name: 'provisionalMs', words: 'first token of a draft', better: 'less' as const, format: formatDuration },
    of: ({ drafts }) => drafts?.ttftProvisionalMs ?? null,
  },
  {
    ...{ name: 'confirmedMs', words: 'draft confirmed', better: 'less' as const, format: formatDuration },
    of: ({ drafts }) => drafts?.timeToConfirmedMs ?? null,
  },
  {
    ...{ name: 'connectionReuse', words: 'connections reused', better: 'more' as const, format: formatShare },
    of: (run) => run.connectionReuse,
  },
]

/** Bounds that nothing is known of are null: JSON has no infinity. */
export function figureData({ value, low, high, n }: Estimate): FigureData {
  const known = (bound: number): number | null => (Number.isFinite(bound) ? bound : null)
  return { value: known(value), low: known(low), high: known(high), n }
}

/** Medians over runs, of figures that at least one run measured. */
export function figuresOf(runs: readonly BenchRun[]): BenchmarkData['figures'] {
  const entries = figures.flatMap(({ name, of }) => {
    const values = measured(runs.map(of))
    return values.length === 0 ? [] : [[name, figureData(medianEstimate(values))] as const]
  })
  return Object.fromEntries(entries)
}

export interface Percentiles {
  readonly n: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Of all values that there are; undefined: there are none. */
export function percentiles(values: readonly (number | null)[]): Percentiles | undefined {
  const known = measured(values)
  if (known.length === 0) return undefined
  const at = (p: number): number => quantile(known, p)
  return { n: known.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: Math.max(...known) }
}
