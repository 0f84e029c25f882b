/** The parts of a report in their order: first what a person asks, last what only a curious one does. */
import type { CallTotals, RunReport, Spread } from '../../../bindings/events.js'
import {
  formatCount,
  formatDuration,
  formatShare,
  formatUsdExact,
  metricWords,
  plural,
  simulatedLabel,
} from '../format.js'
import { facts, heading, longTable, paragraph, table, type Block, type Inline } from './blocks.js'
import { cacheSection } from './cache.js'
import { checksSection } from './checks.js'
import { documentsSection } from './documents.js'
import { draftsSection } from './drafts.js'
import { inShort, type Expected, type Remedies } from './facts.js'
import { policySection } from './policy.js'
import { pricesWords } from './prices.js'
import { mostStepRows, stepsSection, why } from './steps.js'
import { timeline } from './timeline.js'

export interface ReportExtras {
  /** Name of the simulated profile; absent: a real run. */
  readonly simulated?: string | undefined
  /** Where the plan came from, for people. */
  readonly plan?: string | undefined
  readonly warnings?: readonly { readonly code: string; readonly where: string; readonly detail: string }[]
  /** What the providers said of failed steps, by step id. */
  readonly messages?: ReadonlyMap<string, string>
  /** Paths of the outputs relative to the report, with `/`, by step id. */
  readonly outputs?: Readonly<Record<string, string>> | undefined
  /** What was expected before the run. */
  readonly expected?: Expected | undefined
  /** Who set the targets; default: the built-in table. */
  readonly targetsFrom?: string | undefined
  /** What helps, in the host's own words: its flags, its buttons. Default: the library's. */
  readonly remedies?: Remedies | undefined
  /** Drawings that follow the timeline, with what stands around them. */
  readonly charts?: readonly Block[] | undefined
  /** Name of the timeline's file beside a Markdown report; absent: it has no picture. */
  readonly picture?: string | undefined
}

/** Steps named where a target was missed. */
const mostNames = 10

export function reportBlocks(report: RunReport, extras: ReportExtras): Block[] {
  const step = (id: string): Inline => {
    const path = extras.outputs !== undefined && Object.hasOwn(extras.outputs, id) ? extras.outputs[id] : undefined
    return path === undefined ? id : { text: id, href: path.split('/').map(encodeURIComponent).join('/') }
  }
  return [
    ...head(report, extras),
    ...inShort(report, extras, step),
    ...failures(report, extras),
    ...picture(report, extras),
    ...(extras.charts ?? []),
    ...stepsSection(report, extras.expected, step),
    ...policySection(report),
    ...documentsSection(report),
    ...checksSection(report),
    ...cacheSection(report),
    ...draftsSection(report),
    ...targets(report, extras),
    ...criticalPath(report),
    ...groups('By provider', report.byProvider, new Set(report.assumedPrices.map(({ provider }) => provider))),
    ...groups('By type', report.byType),
    ...times(report),
    ...promptCaches(report),
    ...savings(report),
    ...warnings(extras),
    ...about(report, extras),
  ]
}

function head(report: RunReport, extras: ReportExtras): Block[] {
  const title = report.taskId === '' ? 'Run' : report.taskId
  return [
    { kind: 'title', text: `${title}${simulatedLabel(extras.simulated)}` },
    ...(report.description === '' ? [] : [paragraph(report.description)]),
    ...(extras.simulated === undefined
      ? []
      : [
          paragraph(
            { strong: 'Simulated:' },
            ' no provider was called. The times are those of the simulator; tokens and cost are what its invented answers would have come to.',
          ),
        ]),
  ]
}

/** Of those that were not needed nothing failed. */
const isLost = (state: string): boolean => state === 'failed' || state === 'skipped' || state === 'cancelled'

function failures(report: RunReport, extras: ReportExtras): Block[] {
  const lost = report.steps.filter(
    ({ state, reason }) => isLost(state) && reason !== 'settled' && reason !== 'condition_not_met',
  )
  if (lost.length === 0) return []
  const rows = lost.slice(0, mostStepRows).map((step) => [step.id, step.state, why(step, extras.messages)])
  return [heading('What did not succeed'), ...longTable(['step', 'state', 'why'], rows, lost.length, 'steps')]
}

function picture(report: RunReport, { picture: file }: ReportExtras): Block[] {
  const drawn = file === undefined ? undefined : timeline(report)
  if (file === undefined || drawn === undefined) return []
  return [heading('Timeline'), { kind: 'picture', file, ...drawn }]
}

function targets(report: RunReport, { targetsFrom }: ReportExtras): Block[] {
  const rows = report.targets.map(({ metric, targetMs, measured, missedBy }) => {
    const met =
      measured === 0 ? 'not measured' : missedBy.length === 0 ? 'met' : `missed by ${plural(missedBy.length, 'step')}`
    const worst = [...missedBy].sort((a, b) => b.ms - a.ms).slice(0, mostNames)
    const names = worst.map(({ id, ms }) => `${id} (${formatDuration(ms)})`)
    if (missedBy.length > worst.length) names.push(`and ${formatCount(missedBy.length - worst.length)} more`)
    const spread = report.totals[`${metric}Ms`]
    return [
      metricWords[metric],
      `< ${formatDuration(targetMs)}`,
      formatDuration(spread.p50),
      formatDuration(spread.max),
      met,
      names.join(', '),
    ]
  })
  const { hitRate, sharedTokens } = report.totals.promptCache
  if (sharedTokens > 0 || report.totals.tokens.cached > 0)
    rows.push([
      'prompt tokens from caches',
      `> ${formatShare(report.promptCacheTarget)}`,
      `${formatShare(hitRate)} of all`,
      '',
      (hitRate ?? 0) > report.promptCacheTarget ? 'met' : 'missed',
      '',
    ])
  const from =
    targetsFrom ??
    'AetherFlow’s own: what a person who waits still takes for prompt; targets in the configuration sets others'
  return [
    heading('Targets'),
    paragraph(`Per call. They are ${from}.`),
    table(['', 'target', 'median', 'worst', '', 'missed by'], rows),
  ]
}

function criticalPath({ criticalPath: path }: RunReport): Block[] {
  if (path.length === 0) return []
  const words = `${plural(path.length, 'step')}: each waited for the one before it, and the run for the last.`
  const shown = path.length > 200 ? [...path.slice(0, 100), '…', ...path.slice(-100)] : path
  const whole = paragraph(shown.join(' → '))
  if (path.length <= 20) return [heading('Critical path'), paragraph(words), whole]
  const short = paragraph([...path.slice(0, 6), `… ${path.length - 12} more …`, ...path.slice(-6)].join(' → '))
  return [heading('Critical path'), paragraph(words), short, { kind: 'fold', words: 'The whole path', blocks: [whole] }]
}

/** `assumed`: names whose prices are. */
function groups(
  title: string,
  list: readonly (CallTotals & { readonly name: string })[],
  assumed: ReadonlySet<string> = new Set(),
): Block[] {
  if (list.length === 0) return []
  const rows = list.map(({ name, calls, succeeded, tokens, costMicroUsd, workMs, firstTokenMs, responseMs }) => [
    name,
    `${formatCount(succeeded)} of ${formatCount(calls)}`,
    formatCount(tokens.input),
    formatCount(tokens.cached),
    formatCount(tokens.output),
    `${assumed.has(name) ? '~' : ''}${formatUsdExact(costMicroUsd)}`,
    formatDuration(workMs),
    formatDuration(firstTokenMs.p50),
    formatDuration(responseMs.p50),
  ])
  const heads = [
    '',
    'calls done',
    'tokens in',
    'cached',
    'out',
    'cost',
    'work',
    'first token (median)',
    'response (median)',
  ]
  return [heading(title), table(heads, rows)]
}

/** From so many calls on a share of them is a number of calls. */
const enough = { p90: 20, p99: 200 } as const

function times({ totals }: RunReport): Block[] {
  const metrics = (['queue', 'firstToken', 'response', 'network'] as const).map((metric) => ({
    name: metricWords[metric],
    spread: totals[`${metric}Ms`],
  }))
  const most = Math.max(...metrics.map(({ spread }) => spread.count))
  if (most === 0) return []
  const shares = (['p90', 'p99'] as const).filter((share) => most >= enough[share])
  const cells = (spread: Spread): string[] =>
    shares.map((share) => (spread.count >= enough[share] ? formatDuration(spread[share]) : '–'))
  const rows = metrics.map(({ name, spread }) => [
    name,
    formatCount(spread.count),
    formatDuration(spread.p50),
    ...cells(spread),
    formatDuration(spread.max),
  ])
  return [heading('Times of calls'), table(['', 'calls', 'median', ...shares, 'worst'], rows)]
}

/** What was read from providers' prompt caches; nothing where no step could have read anything and none did. */
function promptCaches({ byProvider, totals }: RunReport): Block[] {
  const { hitRate, sharedTokens } = totals.promptCache
  if (sharedTokens === 0 && totals.tokens.cached === 0) return []
  const rows = byProvider.map(({ name, tokens, promptCache }) => [
    name,
    formatShare(promptCache.hitRate),
    formatCount(tokens.cached),
    formatCount(promptCache.sharedTokens),
    formatUsdExact(promptCache.savedMicroUsd),
    formatDuration(promptCache.savedMs),
  ])
  const words = `${formatShare(hitRate)} of all prompt tokens were read from providers’ caches.`
  const heads = ['', 'hit rate', 'tokens read', 'expected', 'saved', 'time saved, as measured']
  return [heading('Prompt caches'), paragraph(words), table(heads, rows)]
}

function savings(report: RunReport): Block[] {
  const saved = report.totals.tokens.strippedEstimate
  if (saved === 0) return []
  const rows = report.byProvider
    .filter(({ tokens }) => tokens.strippedEstimate > 0)
    .map(({ name, tokens }) => [name, formatCount(tokens.strippedEstimate)])
  return [
    heading('Saved by stripping'),
    paragraph(`About ${plural(saved, 'prompt token')}, estimated.`),
    table(['', 'tokens'], rows),
  ]
}

function warnings({ warnings: list = [] }: ReportExtras): Block[] {
  if (list.length === 0) return []
  const rows = list.slice(0, mostStepRows).map(({ code, where, detail }) => [code, where, detail])
  return [heading('Warnings'), ...longTable(['', 'at', ''], rows, list.length, 'warnings')]
}

function about(report: RunReport, extras: ReportExtras): Block[] {
  const { totals } = report
  const rows: [string, string][] = [
    ...(extras.plan === undefined ? [] : [['plan', extras.plan] as [string, string]]),
    ['mode', report.mode],
    ['success rate', formatShare(report.successRate)],
    ['makespan', formatDuration(report.makespanMs)],
    ['sum of step times', formatDuration(report.sumOfStepsMs)],
    ['parallel speed-up', report.speedup === null ? '–' : `${report.speedup.toFixed(2)}×`],
    ['calls', `${formatCount(totals.calls)}, ${formatCount(totals.succeeded)} succeeded`],
    ['tokens in', `${formatCount(totals.tokens.input)}, of them cached ${formatCount(totals.tokens.cached)}`],
    ['tokens out', `${formatCount(totals.tokens.output)}, of them reasoning ${formatCount(totals.tokens.reasoning)}`],
    ['cost', `${formatUsdExact(totals.costMicroUsd)} at ${pricesWords(report)}`],
    ['connections reused', connections(report)],
  ]
  return [heading('All figures'), facts(rows)]
}

function connections(report: RunReport): string {
  const { connectionReuseRate: share, connectionSetupMs, connectionSetupSavedMs } = report
  if (share === null) return 'unknown'
  return `${formatShare(share)}; set-up took ${formatDuration(connectionSetupMs)}, reuse saved ${formatDuration(connectionSetupSavedMs)}`
}
