/** The report of a run as Markdown: a pure function, so that files, pages and tests show the same. */
import type { CallReport, CallTotals, RunReport, Spread, StepReport } from '../../../bindings/events.js'
import { failureKindWords, reasonWords, type Reason } from '../../../bindings/generated/wire.js'
import {
  formatCount,
  formatDuration,
  formatShare,
  formatUsd,
  formatUsdExact,
  markdownTable,
  markdownText,
  metricWords,
  plural,
  simulatedLabel,
} from '../format.js'
import { cacheSection } from './cache.js'
import { decidingCall, policySection } from './policy.js'

export interface ReportExtras {
  /** Name of the simulated profile; absent: a real run. */
  readonly simulated?: string | undefined
  /** Where the plan came from, for people. */
  readonly plan?: string | undefined
  readonly warnings?: readonly { readonly code: string; readonly where: string; readonly detail: string }[]
  /** What the providers said of failed steps, by step id. */
  readonly messages?: ReadonlyMap<string, string>
}

/** Rows of the per-step table; run.json has all. */
const mostStepRows = 2000
/** Steps named where a target was missed. */
const mostNames = 10

/** Takes what `RunResult` has. Ends with a newline. */
export function reportMarkdown(report: RunReport, extras: ReportExtras = {}): string {
  const parts = [
    head(report, extras),
    summary(report, extras),
    failures(report, extras),
    policySection(report),
    cacheSection(report),
    targets(report),
    criticalPath(report),
    groups('By provider', report.byProvider),
    groups('By type', report.byType),
    percentiles(report),
    steps(report),
    savings(report),
    warnings(extras),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function head(report: RunReport, extras: ReportExtras): string {
  const title = report.taskId === '' ? 'Run' : report.taskId
  const lines = [`# ${markdownText(`${title}${simulatedLabel(extras.simulated)}`)}`]
  if (report.description !== '') lines.push(markdownText(report.description))
  if (extras.simulated !== undefined) {
    lines.push(
      '**Simulated:** no provider was called. The times are those of the simulator; tokens and cost are what its invented answers would have come to.',
    )
  }
  return lines.join('\n\n')
}

function summary(report: RunReport, extras: ReportExtras): string {
  const { counts, totals } = report
  const { tokens } = totals
  const others = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  const rows: [string, string][] = [
    ['outcome', outcomeWords(report)],
    [
      'steps',
      [
        `${formatCount(counts.done)} of ${formatCount(counts.total)} done`,
        ...others.map((state) => `${formatCount(counts[state])} ${state}`),
      ].join(', '),
    ],
    ['success rate', formatShare(report.successRate)],
    ['makespan', formatDuration(report.makespanMs)],
    ['sum of step times', formatDuration(report.sumOfStepsMs)],
    ['parallel speed-up', report.speedup === null ? '–' : `${report.speedup.toFixed(2)}×`],
    ['mode', markdownText(report.mode)],
    ['calls', `${formatCount(totals.calls)}, ${formatCount(totals.succeeded)} succeeded`],
    ['tokens in', `${formatCount(tokens.input)}, of them cached ${formatCount(tokens.cached)}`],
    ['tokens out', `${formatCount(tokens.output)}, of them reasoning ${formatCount(tokens.reasoning)}`],
    [
      'cost',
      `${formatUsdExact(totals.costMicroUsd)} at prices of ${markdownText(report.pricesAsOf)}${unknownPrices(report)}`,
    ],
    ['connections reused', connections(report)],
  ]
  if (extras.plan !== undefined) rows.push(['plan', markdownText(extras.plan)])
  return `## Summary\n\n${markdownTable(['', ''], rows)}`
}

function connections(report: RunReport): string {
  const { connectionReuseRate: share, connectionSetupMs, connectionSetupSavedMs } = report
  if (share === null) return 'unknown'
  return `${formatShare(share)}; set-up took ${formatDuration(connectionSetupMs)}, reuse saved ${formatDuration(connectionSetupSavedMs)}`
}

function outcomeWords(report: RunReport): string {
  const words: Record<string, string> = {
    ok: 'all done',
    steps_failed: 'some steps failed',
    cancelled: 'cancelled',
    plan_invalid: 'the plan is invalid',
    budget_exhausted: 'the budget did not suffice',
  }
  return words[report.outcome] ?? markdownText(report.outcome)
}

function unknownPrices(report: RunReport): string {
  const models = new Set<string>()
  for (const step of report.steps) for (const call of step.calls) if (!call.priceKnown) models.add(call.model)
  if (models.size === 0) return ''
  return `; no price is known of ${[...models].map(markdownText).join(', ')}: the configured worst case is counted`
}

function failures(report: RunReport, extras: ReportExtras): string {
  const lost = report.steps.filter(({ state }) => state === 'failed' || state === 'skipped' || state === 'cancelled')
  if (lost.length === 0) return ''
  const rows = lost.slice(0, mostStepRows).map((step) => [markdownText(step.id), step.state, why(step, extras)])
  return `## What did not succeed\n\n${markdownTable(['step', 'state', 'why'], rows)}${more(lost.length)}`
}

function why(step: StepReport, extras: ReportExtras): string {
  const words: string[] = []
  if (step.failure !== undefined) words.push(`${step.failure}: ${failureKindWords[step.failure]}`)
  else if (step.reason !== undefined) words.push(reasonWords[step.reason])
  if (step.cause !== undefined) words.push(`because of ${step.cause}`)
  const said = extras.messages?.get(step.id)
  if (said !== undefined && said !== '' && !words.some((word) => word.includes(said))) words.push(said)
  return markdownText(words.join('; '))
}

function targets(report: RunReport): string {
  const rows = report.targets.map(({ metric, targetMs, measured, missedBy }) => {
    const met =
      measured === 0 ? 'not measured' : missedBy.length === 0 ? 'met' : `missed by ${plural(missedBy.length, 'step')}`
    const worst = [...missedBy].sort((a, b) => b.ms - a.ms).slice(0, mostNames)
    const names = worst.map(({ id, ms }) => `${markdownText(id)} (${formatDuration(ms)})`)
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
  return `## Targets\n\n${markdownTable(['', 'target', 'median', 'worst', '', 'missed by'], rows)}`
}

function criticalPath(report: RunReport): string {
  const path = report.criticalPath
  if (path.length === 0) return ''
  const shown = path.length > 200 ? [...path.slice(0, 100), '…', ...path.slice(-100)] : path
  const words = `${plural(path.length, 'step')}: each waited for the one before it, and the run for the last.`
  return `## Critical path\n\n${words}\n\n${shown.map(markdownText).join(' → ')}`
}

function groups(title: string, list: readonly (CallTotals & { readonly name: string })[]): string {
  if (list.length === 0) return ''
  const rows = list.map(({ name, calls, succeeded, tokens, costMicroUsd, workMs, firstTokenMs, responseMs }) => [
    markdownText(name),
    `${formatCount(succeeded)} of ${formatCount(calls)}`,
    formatCount(tokens.input),
    formatCount(tokens.cached),
    formatCount(tokens.output),
    formatUsdExact(costMicroUsd),
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
  return `## ${title}\n\n${markdownTable(heads, rows)}`
}

function percentiles(report: RunReport): string {
  const { totals } = report
  const row = (name: string, { count, p50, p90, p99, max }: Spread): string[] => [
    name,
    formatCount(count),
    ...[p50, p90, p99, max].map(formatDuration),
  ]
  const rows = (['queue', 'firstToken', 'response', 'network'] as const).map((metric) =>
    row(metricWords[metric], totals[`${metric}Ms`]),
  )
  return `## Percentiles\n\n${markdownTable(['', 'calls', 'p50', 'p90', 'p99', 'max'], rows)}`
}

function steps(report: RunReport): string {
  const rows = report.steps.slice(0, mostStepRows).map((step) => {
    const main = decidingCall(step)
    const out = step.calls.reduce((sum, { tokens }) => sum + tokens.output, 0)
    return [
      markdownText(step.id),
      step.state,
      markdownText(main === undefined ? '–' : `${main.provider} ${main.model}`),
      markdownText(step.route === undefined ? '–' : `${step.route.rule}: ${step.route.why}`),
      formatDuration(main?.queueMs),
      formatDuration(main?.firstTokenMs),
      formatDuration(main?.responseMs),
      formatCount(out),
      formatUsd(step.costMicroUsd),
      markdownText(notes(step, main).join('; ')),
    ]
  })
  const heads = ['step', 'state', 'done by', 'rule', 'queue', 'first token', 'response', 'tokens out', 'cost', 'notes']
  return `## Steps\n\n${markdownTable(heads, rows)}${more(report.steps.length)}`
}

const auditWords: Readonly<Record<string, string>> = {
  passed: 'the audit found no issue',
  issues: 'the audit found issues',
  undone: 'the audit could not be done',
}

function notes(step: StepReport, main: CallReport | undefined): string[] {
  const words: string[] = []
  if (main?.overflowed === true) words.push('its preferred provider was full')
  const tries = step.calls.filter(({ purpose }) => purpose === 'main').length
  if (tries > 1) words.push(`${tries} attempts`)
  if (main?.purpose === 'hedge') words.push('the hedge answered first')
  if (step.state === 'done' && step.reason !== undefined) words.push(withoutCall(step, step.reason))
  if (main?.finish === 'length') words.push('cut at its answer limit')
  if (step.audit !== undefined) words.push(auditWords[step.audit] ?? step.audit)
  const repairs = step.calls.filter(({ purpose }) => purpose === 'repair').length
  if (step.repaired === true) words.push('the repair replaced the first answer')
  else if (repairs > 0) words.push('a repair was tried; the first answer is kept')
  if (step.calls.some(({ tokens, outcome }) => tokens.estimated && outcome === 'ok')) words.push('tokens estimated')
  return words
}

function withoutCall({ cause }: StepReport, reason: Reason): string {
  return cause === undefined ? reasonWords[reason] : `${reasonWords[reason]}: ${cause}`
}

function savings(report: RunReport): string {
  const saved = report.totals.tokens.strippedEstimate
  if (saved === 0) return ''
  const rows = report.byProvider
    .filter(({ tokens }) => tokens.strippedEstimate > 0)
    .map(({ name, tokens }) => [markdownText(name), formatCount(tokens.strippedEstimate)])
  return `## Saved by stripping\n\nAbout ${plural(saved, 'prompt token')}, estimated.\n\n${markdownTable(['', 'tokens'], rows)}`
}

function warnings(extras: ReportExtras): string {
  const list = extras.warnings ?? []
  if (list.length === 0) return ''
  const rows = list
    .slice(0, mostStepRows)
    .map(({ code, where, detail }) => [code, markdownText(where), markdownText(detail)])
  return `## Warnings\n\n${markdownTable(['', 'at', ''], rows)}${more(list.length)}`
}

function more(count: number): string {
  return count > mostStepRows ? `\n\n… and ${formatCount(count - mostStepRows)} more: see run.json.` : ''
}
