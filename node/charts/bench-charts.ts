/** The charts of benchmarks and comparisons. */
import type { BenchmarkData } from '../bench/data.js'
import type { ComparedArm, ComparisonData } from '../bench/comparison.js'
import { differenceText } from '../bench/comparison-blocks.js'
import { figures, type Figure } from '../bench/figures.js'
import { figureWords } from '../bench/benchmark-blocks.js'
import { byProvider } from '../bench/groups.js'
import { formatDuration, formatShare, formatUsd, formatUsdExact, plural } from '../../web/standard/format.js'
import { heading, paragraph, type Block } from '../../web/standard/report/blocks.js'
import { providerColour } from '../../web/standard/theme.js'
import { bars, intervals, points, type IntervalRow } from './charts.js'
import { firstTokens } from './run-charts.js'

/** The mission's. */
const firstTokenMs = 2000

/** Of all runs of one arm of one plan. */
export function benchmarkCharts({ runs }: BenchmarkData): Block[] {
  const groups = byProvider(runs).map((group) => ({ ...group, colour: `var(--af-${providerColour(group.name)})` }))
  if (groups.length === 0) return []
  const time = groups.map((group) => ({
    ...group,
    value: group.workMs,
    told: `${formatDuration(group.workMs)}, ${plural(group.calls, 'call')}`,
  }))
  const cost = groups.map((group) => ({
    ...group,
    value: group.costMicroUsd,
    told: formatUsdExact(group.costMicroUsd),
  }))
  const words = (of: string, list: readonly { readonly name: string; readonly told: string }[]): string =>
    `${of}: ${list.map(({ name, told }) => `${name} ${told}`).join('; ')}.`
  return [
    heading('Charts'),
    paragraph({ strong: 'Time of calls by provider' }, ', all runs'),
    bars(time, { words: words('Time of calls by provider', time), axis: 'time of calls', format: formatDuration }),
    paragraph({ strong: 'Cost by provider' }, ', all runs'),
    bars(cost, { words: words('Cost by provider', cost), axis: 'cost', format: formatUsd }),
    ...firstTokens(
      runs.flatMap(({ steps }) => steps.flatMap(({ calls }) => calls)),
      firstTokenMs,
    ),
  ]
}

/** Figures that are drawn by arm, and the target of those that have one. */
const drawnFigures: readonly (readonly [name: string, target?: number])[] = [
  ['makespanMs'],
  ['costMicroUsd'],
  ['firstTokenMs', firstTokenMs],
  ['speedup'],
  ['cacheHitRate', 0.4],
  ['promptCacheShare', 0.6],
  ['callsSaved', 0.2],
  ['firstTrySuccess'],
]

export function comparisonCharts({ arms, baseline }: ComparisonData): Block[] {
  return [
    heading('Before and after'),
    ...arms.slice(1).flatMap((arm) => differenceChart(arm, baseline)),
    heading('Charts by arm'),
    ...drawnFigures.flatMap(([name, target]) => {
      const figure = figures.find((one) => one.name === name)
      return figure === undefined ? [] : armChart(arms, figure, target)
    }),
    ...qualityAgainstCost(arms),
  ]
}

/** What differs by a share of what it was, on one scale. */
function differenceChart({ name, all }: ComparedArm, baseline: string): Block[] {
  const rows = all.flatMap((compared): IntervalRow[] => {
    const { difference, relative, verdict } = compared
    if (!relative || difference.value === null) return []
    const words = figures.find((one) => one.name === compared.figure)?.words ?? compared.figure
    return [
      {
        name: words,
        ...{ value: difference.value, low: difference.low ?? undefined, high: difference.high ?? undefined },
        told: `${differenceText(compared)}, ${verdict}`,
        colour: `var(--af-${verdict === 'better' ? 'done' : verdict === 'worse' ? 'failed' : 'muted'})`,
      },
    ]
  })
  if (rows.length === 0) return []
  return [
    paragraph({ strong: `${name} less ${baseline}` }, ', as a share of the baseline, with intervals of 95 %'),
    intervals(rows, {
      words: `${name} against ${baseline}: ${rows.map((row) => `${row.name} ${row.told}`).join('; ')}.`,
      axis: 'less ← → more than the baseline',
      format: (value) => `${Number((value * 100).toFixed(1))} %`,
      zero: true,
    }),
  ]
}

function armChart(arms: readonly ComparedArm[], figure: Figure, target: number | undefined): Block[] {
  const rows = arms.flatMap(({ name, figures: own }): IntervalRow[] => {
    const known = Object.hasOwn(own, figure.name) ? own[figure.name] : undefined
    if (known?.value === undefined || known.value === null) return []
    const told = figureWords(known, figure.format)
    return [{ name, value: known.value, low: known.low ?? undefined, high: known.high ?? undefined, told }]
  })
  if (rows.length === 0) return []
  return [
    paragraph(
      { strong: figure.words },
      ' by arm; medians over runs, with intervals of 95 % where there are runs enough',
    ),
    intervals(rows, {
      words: `${figure.words} by arm: ${rows.map(({ name, told }) => `${name} ${told}`).join('; ')}.`,
      axis: figure.words,
      format: figure.format,
      target: target === undefined ? undefined : { value: target, words: `target ${figure.format(target)}` },
    }),
  ]
}

function qualityAgainstCost(arms: readonly ComparedArm[]): Block[] {
  const rows = arms.flatMap(({ name, figures: own }) => {
    const [cost, quality] = [own['costMicroUsd']?.value, own['firstTrySuccess']?.value]
    if (cost === undefined || cost === null || quality === undefined || quality === null) return []
    return [{ name, x: cost, y: quality, told: `${formatShare(quality)} for ${formatUsd(cost)}` }]
  })
  if (rows.length === 0) return []
  return [
    paragraph(
      { strong: 'Quality against cost' },
      ': right at the first try, for what a run costs; up and to the left is better',
    ),
    points(rows, {
      words: `Right at the first try for the cost of a run: ${rows.map(({ name, told }) => `${name} ${told}`).join('; ')}.`,
      ...{ axis: 'cost of a run', format: formatUsd, up: 'right at the first try', formatUp: formatShare },
    }),
  ]
}
