/**
 * Counters of runs as Prometheus text, version 0.0.4. Fed with run events by any program that has them. Few labels, none of them a run, a
 * step, a user or a model that somebody merely asked for; each metric has a bounded number of series, beyond which all is `other`.
 */
import type { CallEndEvent, RunEvent } from '../../../bindings/events.js'
import type { AnalysisEvent, AnalysisResult } from '../analysis/statistics.js'

interface Metric {
  readonly help: string
  readonly labels: readonly string[]
  readonly series: Map<string, Series>
  readonly buckets: boolean
}

interface Series {
  readonly values: readonly string[]
  sum: number
  count: number
  readonly buckets: number[]
}

/** Values that somebody else keeps, read when the text is made. */
export interface Family {
  readonly help: string
  readonly type: 'gauge' | 'counter'
  readonly labels: readonly string[]
  /** One value for each set of labels; those beyond the bound on series are left out. */
  read(): Iterable<readonly [values: readonly string[], value: number]>
}

/** Seconds: 0.01 · 2^n up to 81.92. */
const bounds: readonly number[] = Array.from({ length: 14 }, (_, n) => (10 * 2 ** n) / 1000)

/** Most series of one metric. */
const mostSeries = 200

const counters = {
  aetherflow_runs_total: ['Runs that came to their end.', ['outcome']],
  aetherflow_steps_total: ['Steps that came to their end.', ['outcome']],
  aetherflow_calls_total: [
    'Calls of models, retries included.',
    ['provider', 'model', 'purpose', 'outcome', 'failure'],
  ],
  aetherflow_tokens_total: [
    'Tokens as billed: input without cached, cached, output with reasoning.',
    ['provider', 'model', 'kind'],
  ],
  aetherflow_cost_usd_total: ['Money of calls, USD.', ['provider', 'model']],
  aetherflow_notes_total: ['Decisions that were noted: retries, fallbacks, waits, breakers, budgets.', ['reason']],
  aetherflow_cache_lookups_total: [
    'Steps that the cache was asked for, by what came of it; a miss is a step that was called.',
    ['result'],
  ],
  aetherflow_cache_saved_usd_total: ['Money that answers of the cache had cost when they were made, USD.', []],
  aetherflow_cache_saved_tokens_total: ['Tokens that answers of the cache had cost when they were made.', []],
  memory_analysis_cache_hits_total: ['Analyses that were answered from what was kept.', []],
  memory_analysis_cache_misses_total: ['Analyses that a model was asked for.', []],
  memory_analysis_failures_total: ['Analyses that got no valid answer.', []],
} as const

const histograms = {
  aetherflow_call_duration_seconds: ['Time from a call to the end of its answer.', ['provider', 'model', 'outcome']],
  aetherflow_first_token_seconds: ['Time from a call to its first token.', ['provider', 'model']],
  memory_analysis_duration_seconds: ['Time from the request for an analysis to its answer.', ['result']],
} as const

type CounterName = keyof typeof counters
type HistogramName = keyof typeof histograms

/** By result; who joined another's question neither hit nor missed. */
const analysisCounters: Readonly<Record<AnalysisResult, CounterName | undefined>> = {
  hit: 'memory_analysis_cache_hits_total',
  miss: 'memory_analysis_cache_misses_total',
  joined: undefined,
  failed: 'memory_analysis_failures_total',
}

export class Metrics {
  readonly #metrics = new Map<string, Metric>()
  readonly #families = new Map<string, Family>()

  constructor() {
    for (const [name, [help, labels]] of Object.entries(counters)) this.#metrics.set(name, metric(help, labels, false))
    for (const [name, [help, labels]] of Object.entries(histograms)) this.#metrics.set(name, metric(help, labels, true))
  }

  /** A value of now, under a name of the caller's own. */
  gauge(name: string, help: string, read: () => number): void {
    this.family(name, { help, type: 'gauge', labels: [], read: () => [[[], read()]] })
  }

  /** The same with labels, or a counter that somebody else counts. */
  family(name: string, family: Family): void {
    this.#families.set(name, family)
  }

  /** Takes the events of one run, and counts the misses of its cache too: a step that was called after one. */
  run(): (event: RunEvent) => void {
    const missed = new Set<string>()
    return (event) => {
      if (event.type === 'miss') missed.add(event.step)
      // Of another model of its route there was an answer.
      if (event.type === 'hit') missed.delete(event.step)
      if (event.type === 'call' && missed.delete(event.step)) this.#count('aetherflow_cache_lookups_total', ['miss'])
      this.take(event)
    }
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case 'callEnd':
        return this.#call(event)
      case 'hit':
        if (event.kind !== 'shared') this.#count('aetherflow_cache_lookups_total', [event.kind])
        this.#count('aetherflow_cache_saved_usd_total', [], event.savedMicroUsd / 1e6)
        return this.#count('aetherflow_cache_saved_tokens_total', [], event.savedTokens)
      case 'note':
        return this.#count('aetherflow_notes_total', [event.reason])
      case 'done':
      case 'failed':
      case 'skipped':
      case 'cancelled':
        return this.#count('aetherflow_steps_total', [event.type])
      case 'finish':
        return this.#count('aetherflow_runs_total', [event.outcome])
      default:
    }
  }

  /** An analysis has ended: for `onAnalysis` of an analyzer. */
  analysis({ result, ms }: AnalysisEvent): void {
    const counter = analysisCounters[result]
    if (counter !== undefined) this.#count(counter, [])
    this.#time('memory_analysis_duration_seconds', [result], ms)
  }

  /** The exposition: every metric with its help and type, those without a series as well. */
  text(): string {
    const lines: string[] = []
    for (const [name, each] of this.#metrics)
      lines.push(...(each.buckets ? histogramLines(name, each) : counterLines(name, each)))
    for (const [name, family] of this.#families) lines.push(...familyLines(name, family))
    return `${lines.join('\n')}\n`
  }

  #call(event: CallEndEvent): void {
    const { provider, model, purpose, outcome, failure = '', tokens, costMicroUsd } = event
    this.#count('aetherflow_calls_total', [provider, model, purpose, outcome, failure])
    if (outcome === 'withheld' || outcome === 'refused') return
    this.#count('aetherflow_tokens_total', [provider, model, 'input'], tokens.input - tokens.cached)
    this.#count('aetherflow_tokens_total', [provider, model, 'cached'], tokens.cached)
    this.#count('aetherflow_tokens_total', [provider, model, 'output'], tokens.output)
    this.#count('aetherflow_cost_usd_total', [provider, model], costMicroUsd / 1e6)
    const { responseMs, firstTokenMs } = event
    if (responseMs !== null) this.#time('aetherflow_call_duration_seconds', [provider, model, outcome], responseMs)
    if (firstTokenMs !== null) this.#time('aetherflow_first_token_seconds', [provider, model], firstTokenMs)
  }

  #count(name: CounterName, values: readonly string[], by = 1): void {
    const series = this.#series(name, values)
    series.sum += Math.max(0, by)
  }

  #time(name: HistogramName, values: readonly string[], ms: number): void {
    const series = this.#series(name, values)
    const seconds = ms / 1000
    series.sum += seconds
    series.count += 1
    const at = bounds.findIndex((bound) => seconds <= bound)
    if (at >= 0) series.buckets[at] = (series.buckets[at] ?? 0) + 1
  }

  #series(name: string, values: readonly string[]): Series {
    const { series, labels } = this.#metrics.get(name)!
    const key = values.join('\0')
    const known = series.get(key)
    if (known !== undefined) return known
    if (series.size >= mostSeries) return this.#other(series, labels)
    const fresh = newSeries(values)
    series.set(key, fresh)
    return fresh
  }

  #other(series: Map<string, Series>, labels: readonly string[]): Series {
    const values = labels.map(() => 'other')
    const key = values.join('\0')
    const known = series.get(key) ?? newSeries(values)
    series.set(key, known)
    return known
  }
}

const metric = (help: string, labels: readonly string[], buckets: boolean): Metric => ({
  help,
  labels,
  buckets,
  series: new Map(),
})

const newSeries = (values: readonly string[]): Series => ({
  values,
  sum: 0,
  count: 0,
  buckets: bounds.map(() => 0),
})

function counterLines(name: string, { help, labels, series }: Metric): string[] {
  const lines = [...series.values()].map(({ values, sum }) => `${name}${labelled(labels, values)} ${number(sum)}`)
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} counter`,
    ...(labels.length === 0 && lines.length === 0 ? [`${name} 0`] : lines),
  ]
}

function familyLines(name: string, { help, type, labels, read }: Family): string[] {
  const values = [...read()].slice(0, mostSeries)
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...values.map(([words, value]) => `${name}${labelled(labels, words)} ${number(value)}`),
  ]
}

function histogramLines(name: string, { help, labels, series }: Metric): string[] {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`]
  for (const { values, sum, count, buckets } of series.values()) {
    let below = 0
    bounds.forEach((bound, at) => {
      below += buckets[at] ?? 0
      lines.push(`${name}_bucket${labelled([...labels, 'le'], [...values, String(bound)])} ${below}`)
    })
    lines.push(`${name}_bucket${labelled([...labels, 'le'], [...values, '+Inf'])} ${count}`)
    lines.push(
      `${name}_sum${labelled(labels, values)} ${number(sum)}`,
      `${name}_count${labelled(labels, values)} ${count}`,
    )
  }
  return lines
}

function labelled(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return ''
  const pairs = names.map((name, at) => `${name}="${escaped(values[at] ?? '')}"`)
  return `{${pairs.join(',')}}`
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** Sums of fractions without their noise. */
const number = (value: number): string => String(Math.round(value * 1e9) / 1e9)
