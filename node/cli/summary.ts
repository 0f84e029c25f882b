/** What a run came to, in a few lines. */
import type { RunReport, StepReport } from '../../bindings/events.js'
import {
  formatCost,
  formatCount,
  formatShare,
  formatDuration,
  formatUsd,
  metricWords,
  oneLine,
  plural,
  simulatedLabel,
} from '../../web/standard/format.js'
import { checksWords } from '../../web/standard/report/checks.js'
import { hitWords, savedWords } from '../../web/standard/report/cache.js'
import { draftWords } from '../../web/standard/report/drafts.js'
import { costOfReport, pricesWords } from '../../web/standard/report/prices.js'
import type { Paint } from './colour.js'

export interface SummaryExtras {
  readonly simulated: string | undefined
  /** Folder of the outputs, when they were kept. */
  readonly folder: string | undefined
}

/** Names shown of a long list. */
const mostNames = 5

/** The one line of `--quiet`, and the first of the others. */
export function summaryLine(report: RunReport, extras: SummaryExtras, paint: Paint): string {
  const { counts, totals, outcome } = report
  const others = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  const words = [`${formatCount(counts.done)} of ${plural(counts.total, 'step')} done`]
  for (const state of others) words.push(`${formatCount(counts[state])} ${state}`)
  const [icon, colour] =
    outcome === 'ok' ? ['✓', paint.green] : outcome === 'cancelled' ? ['⊘', paint.yellow] : ['✗', paint.red]
  const cost = costOfReport(report)
  const assumed = cost.priceAssumed === true && totals.costMicroUsd > 0 ? ' at assumed prices' : ''
  const figures = `in ${formatDuration(report.makespanMs)}, ${formatCost(cost)}${assumed}`
  return `${colour(`${icon} ${words.join(', ')}`)} ${figures}${paint.yellow(simulatedLabel(extras.simulated))}`
}

/** The whole summary: counts, time, tokens, cost, critical path, targets, and where everything lies. */
export function summaryLines(report: RunReport, extras: SummaryExtras, paint: Paint): string[] {
  const lines = [summaryLine(report, extras, paint)]
  const { tokens, costMicroUsd } = report.totals
  if (report.speedup !== null && report.sumOfStepsMs > 0 && report.counts.total > 1) {
    const work = formatDuration(report.sumOfStepsMs)
    lines.push(`  ${work} of work in ${formatDuration(report.makespanMs)}: ${report.speedup.toFixed(1)}× in parallel`)
  }
  const { hitRate, savedMicroUsd } = report.totals.promptCache
  const cached =
    tokens.cached > 0 ? ` (${formatShare(hitRate)} from prompt caches, ${formatUsd(savedMicroUsd)} saved)` : ''
  const prices = costMicroUsd > 0 ? ` at ${oneLine(pricesWords(report))}` : ''
  lines.push(
    `  ${formatCount(tokens.input)} tokens in${cached}, ${formatCount(tokens.output)} out, ${formatCost(costOfReport(report))}${prices}`,
  )
  if (report.criticalPath.length > 1) lines.push(`  critical path: ${pathWords(report.criticalPath)}`)
  const lost = report.totals.calls - report.totals.succeeded
  if (lost > 0) lines.push(`  ${plural(lost, 'call')} failed or cancelled: ${failureWords(report)}`)
  if (report.cache !== undefined) lines.push(`  cache: ${cacheWords(report.cache)}`)
  if (report.checks !== undefined) lines.push(`  checks: ${checksWords(report.checks)}`)
  if (report.drafts !== undefined) lines.push(`  drafts: ${draftsWords(report.drafts)}`)
  if (report.budget !== undefined) lines.push(`  ${budgetWords(report.budget)}`)
  const failed = report.steps.filter(({ state }) => state === 'failed')
  if (failed.length > 0) lines.push(`  ${paint.red('failed')}: ${failedWords(failed)}`)
  const missed = missedTargets(report)
  if (missed !== '') lines.push(`  ${paint.yellow('missed')}: ${missed}`)
  if (extras.folder !== undefined) {
    lines.push(`  outputs in ${oneLine(extras.folder)}/step_outputs, report in ${oneLine(extras.folder)}/report.md`)
  }
  return lines
}

/** `a → b → … → z`. */
export function pathWords(path: readonly string[]): string {
  const shown = path.length > 9 ? [...path.slice(0, 4), `… ${path.length - 8} more …`, ...path.slice(-4)] : path
  return shown.map(oneLine).join(' → ')
}

function failedWords(failed: readonly StepReport[]): string {
  const names = failed.slice(0, mostNames).map(({ id, failure }) => `${oneLine(id)} (${failure ?? 'unknown'})`)
  if (failed.length > names.length) names.push(`${failed.length - names.length} more`)
  return names.join(', ')
}

function failureWords(report: RunReport): string {
  const kinds = Object.entries(report.totals.failures).map(([kind, count]) => `${formatCount(count ?? 0)} ${kind}`)
  const hedges = report.totals.hedges > 0 ? [`${plural(report.totals.hedges, 'hedge')}`] : []
  const cost = report.totals.lost.costMicroUsd > 0 ? [`cost ${formatUsd(report.totals.lost.costMicroUsd)}`] : []
  return [...kinds, ...hedges, ...cost].join(', ')
}

function cacheWords(cache: NonNullable<RunReport['cache']>): string {
  const saved = cache.savedTokens > 0 ? `; saved ${savedWords(cache)}` : ''
  return `${hitWords(cache)}${saved}${cache.stored > 0 ? `; ${formatCount(cache.stored)} kept` : ''}`
}

function draftsWords(drafts: NonNullable<RunReport['drafts']>): string {
  const { eligible, refused, speedup } = drafts
  if (refused === eligible) return `none made for ${plural(eligible, 'step')}; the report says why`
  const faster = speedup === null ? '' : `; ${speedup.toFixed(2)}× over all ${plural(eligible, 'step')}, as reckoned`
  return `${draftWords(drafts)}${refused === 0 ? '' : `, ${formatCount(refused)} not made`}${faster}`
}

function budgetWords(budget: NonNullable<RunReport['budget']>): string {
  const used = budgetUse(budget)
  return used.length === 0 ? 'budget per step or attempt only' : `budget: ${used.join(', ')}`
}

/** `$0.10 of $2.00`, `9,000 of 50,000 tokens`: of the ceilings that the whole run has. */
export function budgetUse({ run, spentMicroUsd, spentTokens }: NonNullable<RunReport['budget']>): string[] {
  const money = run.costMicroUsd === null ? [] : [`${formatUsd(spentMicroUsd)} of ${formatUsd(run.costMicroUsd)}`]
  const tokens = run.tokens === null ? [] : [`${formatCount(spentTokens)} of ${formatCount(run.tokens)} tokens`]
  return [...money, ...tokens]
}

function missedTargets(report: RunReport): string {
  const missed = report.targets.filter(({ missedBy }) => missedBy.length > 0)
  const { hitRate, sharedTokens } = report.totals.promptCache
  const hits =
    sharedTokens > 0 && (hitRate ?? 0) <= report.promptCacheTarget
      ? [`prompt tokens from caches > ${formatShare(report.promptCacheTarget)} (${formatShare(hitRate)})`]
      : []
  return missed
    .map(({ metric, targetMs, missedBy }) => {
      const worst = [...missedBy].sort((a, b) => b.ms - a.ms).slice(0, mostNames)
      const names = worst.map(({ id, ms }) => `${oneLine(id)} (${formatDuration(ms)})`)
      if (missedBy.length > worst.length) names.push(`${missedBy.length - worst.length} more`)
      return `${metricWords[metric]} < ${formatDuration(targetMs)} by ${names.join(', ')}`
    })
    .concat(hits)
    .join('; ')
}
