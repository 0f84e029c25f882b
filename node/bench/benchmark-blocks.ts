/** The report of one arm of one plan, before it is Markdown or HTML. */
import { formatCount, formatDuration, formatShare, formatUsdExact, plural } from '../../web/standard/format.js'
import { facts, heading, longTable, paragraph, table, type Block } from '../../web/standard/report/blocks.js'
import { timeline } from '../../web/standard/report/timeline.js'
import type { Results } from './assemble.js'
import { armWords } from './arms.js'
import type { BenchmarkData, FigureData } from './data.js'
import { figures, percentiles, type Percentiles } from './figures.js'
import { byProvider, bySteps, type CallGroup, type StepGroup } from './groups.js'
import { plannerQuestions } from './planner-questions.js'

/** Timelines that are shown; of more runs only the first ones. */
const mostTimelines = 10
const mostStepRows = 500

/** `charts`: blocks that follow the targets. */
export function benchmarkBlocks({ data, measured }: Results, charts: readonly Block[] = []): Block[] {
  const { runs, plan, arm, simulated } = data
  return [
    { kind: 'title', text: `Benchmark of ${plan.taskId === '' ? plan.name : plan.taskId}, ${arm}` },
    ...(plan.description === '' ? [] : [paragraph(plan.description)]),
    ...simulatedWords(simulated),
    heading('In short'),
    facts(figureRows(data)),
    ...targetBlocks(data),
    ...estimateBlocks(data),
    ...charts,
    ...callTable('By provider', byProvider(runs)),
    ...stepTable(
      'By type',
      bySteps(runs, ({ type }) => type),
    ),
    ...timesTable(data),
    ...stepTable(
      'By step',
      bySteps(runs, ({ id }) => id),
    ),
    ...timelines(measured.map(({ report }) => report)),
    heading('Questions for the planner'),
    ...plannerQuestions(data).map((question) => paragraph(`– ${question}`)),
    ...about(data),
  ]
}

export const simulatedWords = (simulated: string | null): Block[] =>
  simulated === null
    ? []
    : [
        paragraph(
          { strong: `Simulated (profile ${simulated}):` },
          ' no provider was called, and no figure says anything about one. Answers are invented; time passed on a virtual clock.',
        ),
      ]

function figureRows({ figures: measured, runs }: BenchmarkData): [string, string][] {
  const rows = figures.flatMap(({ name, words, format }) => {
    const figure = Object.hasOwn(measured, name) ? measured[name] : undefined
    return figure === undefined ? [] : [[words, figureWords(figure, format)] as [string, string]]
  })
  const enough = runs.length >= 6 ? 'medians with intervals of 95 %' : 'medians; intervals take 6 runs'
  return [['runs', runs.length < 2 ? '1' : `${runs.length}, ${enough}`], ...rows]
}

export function figureWords({ value, low, high, n }: FigureData, format: (value: number) => string): string {
  if (value === null) return '–'
  if (low === null || high === null || (low === high && low === value))
    return `${format(value)}${n > 1 ? ` (${n} runs)` : ''}`
  return `${format(value)} [${format(low)} to ${format(high)}]`
}

function targetBlocks({ targets }: BenchmarkData): Block[] {
  const rows = targets.map(({ target, figure, verdict, because }) => [target, figure, verdict, because])
  return [
    heading('Targets'),
    paragraph('Times hold for every call; shares for the median run.'),
    table(['', 'figure', '', ''], rows),
  ]
}

function estimateBlocks({ runs }: BenchmarkData): Block[] {
  const known = runs.flatMap((run) => (run.expected === null ? [] : [{ ...run, expected: run.expected }]))
  if (known.length === 0) return []
  const off = (pairs: readonly (readonly [actual: number, expected: number])[]): string => {
    const factors = percentiles(pairs.flatMap(([actual, expected]) => (expected > 0 ? [actual / expected] : [])))
    return factors === undefined ? '–' : `${factors.p50.toFixed(2)}× (worst ${factors.max.toFixed(2)}×)`
  }
  const steps = known.flatMap((run) => run.steps)
  const pairs = steps.flatMap(({ tookMs, expectedMs }) =>
    tookMs === null || expectedMs === null ? [] : [[tookMs, expectedMs] as const],
  )
  const near = pairs.filter(([took, expected]) => took < 2 * expected && took > expected / 2).length
  const rows: [string, string][] = [
    ['time of the run', off(known.map((run) => [run.makespanMs, run.expected.makespanMs]))],
    ['cost of the run', off(known.map((run) => [run.costMicroUsd, run.expected.costMicroUsd]))],
    ['time of steps', off(pairs)],
    ['steps within twice and half of it', `${formatCount(near)} of ${formatCount(pairs.length)}`],
  ]
  return [
    heading('Estimate against actual'),
    paragraph('What came, as a multiple of what explain had said; the median over runs or steps.'),
    facts(rows),
  ]
}

const spread = (values: Percentiles | undefined): string => (values === undefined ? '–' : formatDuration(values.p50))

function callCells({ calls, succeeded, tokens, costMicroUsd, firstToken, response }: CallGroup): string[] {
  return [
    `${formatCount(succeeded)} of ${formatCount(calls)}`,
    formatCount(tokens.input),
    formatCount(tokens.cached),
    formatCount(tokens.output),
    formatUsdExact(costMicroUsd),
    spread(firstToken),
    spread(response),
  ]
}
const callHeads = ['calls done', 'tokens in', 'cached', 'out', 'cost', 'first token', 'response']

function callTable(title: string, groups: readonly CallGroup[]): Block[] {
  if (groups.length === 0) return []
  const rows = groups.map((group) => [group.name, formatDuration(group.workMs), ...callCells(group)])
  return [heading(title), paragraph('Sums over all runs; times are medians.'), table(['', 'work', ...callHeads], rows)]
}

function stepTable(title: string, groups: readonly StepGroup[]): Block[] {
  if (groups.length === 0) return []
  const rows = groups
    .slice(0, mostStepRows)
    .map((group) => [
      group.name,
      `${formatCount(group.done)} of ${formatCount(group.steps)}`,
      group.tried === 0 ? 'no check' : `${formatCount(group.firstTry)} of ${formatCount(group.tried)}`,
      spread(group.took),
      formatDuration(group.expectedMs),
      ...callCells(group),
    ])
  const heads = ['', 'done', 'right at once', 'took', 'expected', ...callHeads]
  return [heading(title), ...longTable(heads, rows, groups.length, 'rows')]
}

function timesTable({ runs }: BenchmarkData): Block[] {
  const calls = runs.flatMap(({ steps }) => steps.flatMap((step) => step.calls))
  const rows = (
    [
      ['time to first token', calls.map(({ firstTokenMs }) => firstTokenMs)],
      ['time to response', calls.map(({ responseMs }) => responseMs)],
      ['queue time', calls.map(({ queueMs }) => queueMs)],
      ['network overhead', calls.map(({ networkMs }) => networkMs)],
    ] as const
  ).flatMap(([name, values]) => {
    const of = percentiles(values)
    if (of === undefined) return []
    return [[name, formatCount(of.n), ...[of.p50, of.p90, of.p99, of.max].map(formatDuration)]]
  })
  return rows.length === 0
    ? []
    : [heading('Times of calls'), table(['', 'calls', 'median', 'p90', 'p99', 'worst'], rows)]
}

/** Only in the page: Markdown has the table of steps. */
function timelines(reports: readonly Parameters<typeof timeline>[0][]): Block[] {
  const drawn = reports.slice(0, mostTimelines).flatMap((report, index) => {
    const one = timeline(report)
    return one === undefined ? [] : [{ ...one, label: `Timeline of run ${index + 1}` }]
  })
  const [first, ...rest] = drawn.map((picture) => ({ kind: 'picture' as const, ...picture }))
  if (first === undefined) return []
  const more = reports.length > mostTimelines ? `, of ${reports.length}` : ''
  return [
    heading('Timelines'),
    paragraph('The first run; benchmark_data.json has the calls of all.'),
    first,
    ...(rest.length === 0
      ? []
      : [{ kind: 'fold' as const, words: `Of ${plural(rest.length, 'more run')}${more}`, blocks: rest }]),
  ]
}

function about({ aetherflow, node, at, plan, arm, settings, simulated, runs }: BenchmarkData): Block[] {
  const seeds = runs.map(({ seed }) => seed)
  return [
    heading('How it was measured'),
    facts([
      ['plan', `${plan.name}, SHA-256 ${plan.digest.slice(0, 16)}…`],
      ['arm', `${arm}: ${armWords(settings)}`],
      ['providers', simulated === null ? 'real' : `simulated, profile ${simulated}`],
      ['seeds', seeds.length > 1 ? `${seeds[0]} to ${seeds.at(-1)}` : String(seeds[0] ?? '–')],
      ['begun', at],
      ['with', `aetherflow ${aetherflow}, Node ${node}`],
      ['success', formatShare(runs.filter(({ outcome }) => outcome === 'ok').length / Math.max(1, runs.length))],
    ]),
  ]
}
