/** The sheet of a benchmark that plays a plan in two ways, the same seeds: medians, and their difference pair by pair. */
import { formatCount, formatDuration, formatShare, formatUsd } from '../../web/standard/format.js'
import type { BenchSetting } from '../cli/commands/bench-sheet.js'
import { figureData } from './figures.js'
import { ownContext, playRun, type PlayedResult, type PlayedRun } from './played-run.js'
import { differenceWords, type SheetTable } from './sheet.js'
import { median, pairedMedianDifference } from './statistics.js'

export interface SheetMetric {
  readonly name: string
  readonly words: string
  readonly format: (value: number) => string
  readonly of: (result: PlayedResult) => number
}

export const sheetMetrics = {
  time: { name: 'makespanMs', words: 'time', format: formatDuration, of: ({ report }) => report.makespanMs },
  cost: {
    ...{ name: 'costMicroUsd', words: 'cost', format: formatUsd },
    of: ({ report }) => report.totals.costMicroUsd,
  },
  prompts: {
    ...{ name: 'inputTokens', words: 'prompt tokens', format: formatCount },
    of: ({ report }) => report.totals.tokens.input,
  },
  answers: {
    ...{ name: 'outputTokens', words: 'answer tokens', format: formatCount },
    of: ({ report }) => report.totals.tokens.output,
  },
  done: {
    ...{ name: 'successRate', words: 'steps done', format: formatShare },
    of: ({ report }) => report.successRate ?? 0,
  },
} as const satisfies Readonly<Record<string, SheetMetric>>

export interface SheetArm {
  readonly name: string
  /** Changes the run. */
  readonly run: (run: PlayedRun) => PlayedRun
}

export interface PlayedPairs {
  readonly before: readonly PlayedResult[]
  readonly after: readonly PlayedResult[]
}

/** `builtIn`: the plan unless the caller brings one. */
export async function playPairs(
  { seeds, profile, own }: BenchSetting,
  builtIn: string,
  [before, after]: readonly [SheetArm, SheetArm],
): Promise<PlayedPairs> {
  const pairs = { before: [] as PlayedResult[], after: [] as PlayedResult[] }
  for (const seed of seeds) {
    const run: PlayedRun = { plan: own?.plan ?? builtIn, ...ownContext(own), profile, seed }
    pairs.before.push(await playRun(before.run(run)))
    pairs.after.push(await playRun(after.run(run)))
  }
  return pairs
}

/** A row a metric, and the figures behind them. */
export function pairsTable(
  title: string,
  names: readonly [string, string],
  { before, after }: PlayedPairs,
  metrics: readonly SheetMetric[],
): { table: SheetTable; figures: object[] } {
  const compared = metrics.map(({ name, words, format, of }) => {
    const [was, is] = [before.map(of), after.map(of)]
    const difference = pairedMedianDifference(was, is)
    const base = median(was)
    const words2 = base === 0 ? '–' : differenceWords(difference, base)
    return {
      row: [words, format(base), format(median(is)), words2],
      figure: { figure: name, before: base, after: median(is), difference: figureData(difference) },
    }
  })
  return {
    table: { title, heads: ['', ...names, 'difference'], rows: compared.map(({ row }) => row) },
    figures: compared.map(({ figure }) => figure),
  }
}

export const pairsRemark = (n: number): string =>
  `Medians over ${n} ${n === 1 ? 'pair' : 'pairs'} of runs with the same seeds; differences with intervals of 95 %.`
