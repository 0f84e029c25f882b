/** The part of report.md that tells what failures, waits and budgets did to the run. */
import type { CallReport, CeilingReport, RunReport, StepReport } from '../../../bindings/events.js'
import { failureKindWords, reasonWords, type FailureKind, type Reason } from '../../../bindings/generated/wire.js'
import { formatCount, formatDuration, formatUsdExact, markdownText, markdownTable } from '../format.js'

/** '' when nothing failed, waited or was limited. */
export function policySection(report: RunReport): string {
  return [budget(report), attempts(report), waits(report), breakers(report)].filter((part) => part !== '').join('\n\n')
}

/** The call whose answer the step delivered, else its last one: retries, fallbacks and hedges make the first say little. */
export function decidingCall(step: StepReport): CallReport | undefined {
  const work = step.calls.filter(({ purpose }) => purpose === 'main' || purpose === 'hedge')
  return work.find(({ outcome }) => outcome === 'ok') ?? work.at(-1)
}

function budget(report: RunReport): string {
  const { budget: limits } = report
  if (limits === undefined) return ''
  const words = ({ costMicroUsd, tokens }: CeilingReport): string[] => [
    costMicroUsd === null ? '–' : formatUsdExact(costMicroUsd),
    tokens === null ? '–' : formatCount(tokens),
  ]
  const rows = [
    ['whole run', ...words(limits.run), formatUsdExact(limits.spentMicroUsd), formatCount(limits.spentTokens)],
    ['a step', ...words(limits.step), '', ''],
    ['an attempt', ...words(limits.attempt), '', ''],
  ]
  const stopped =
    report.outcome === 'budget_exhausted' ? '\n\nThe budget did not suffice: what was left over was not started.' : ''
  return `## Budget\n\n${markdownTable(['', 'money', 'tokens', 'spent', 'tokens spent'], rows)}${stopped}`
}

function attempts(report: RunReport): string {
  const failures = Object.entries(report.totals.failures) as [FailureKind, number][]
  const { hedges, lost, cancelled } = report.totals
  if (failures.length === 0 && hedges === 0) return ''
  const rows = failures.map(([kind, count]) => [kind, failureKindWords[kind], formatCount(count)])
  const retried = report.steps.filter(
    ({ calls }) => calls.filter(({ purpose }) => purpose === 'main').length > 1,
  ).length
  const words = [
    `${formatCount(report.totals.calls - report.totals.succeeded)} of ${formatCount(report.totals.calls)} calls did not succeed`,
    `${formatCount(retried)} steps were tried more than once`,
    ...(lost.costMicroUsd > 0
      ? [
          `they cost ${formatUsdExact(lost.costMicroUsd)}, ${formatUsdExact(cancelled.costMicroUsd)} of it cancelled on purpose`,
        ]
      : []),
    ...(hedges > 0 ? [`${formatCount(hedges)} hedges`] : []),
  ]
  const list = rows.length === 0 ? '' : `\n\n${markdownTable(['', '', 'calls'], rows)}`
  return `## Attempts\n\n${words.join('; ')}.${list}`
}

function waits(report: RunReport): string {
  const sums = new Map<Reason, { count: number; ms: number }>()
  for (const step of report.steps) {
    for (const { waited, queueMs } of step.calls) {
      if (waited === undefined) continue
      const sum = sums.get(waited) ?? { count: 0, ms: 0 }
      sum.count += 1
      sum.ms += queueMs ?? 0
      sums.set(waited, sum)
    }
  }
  if (sums.size === 0) return ''
  const rows = [...sums].map(([reason, { count, ms }]) => [reasonWords[reason], formatCount(count), formatDuration(ms)])
  return `## Waits\n\n${markdownTable(['', 'calls', 'in all'], rows)}`
}

function breakers(report: RunReport): string {
  if (report.breakers.length === 0) return ''
  const rows = report.breakers.map(({ provider, state, opened }) => [
    markdownText(provider),
    formatCount(opened),
    state.replace('_', '-'),
  ])
  return `## Providers that kept failing\n\n${markdownTable(['', 'breaker opened', 'at the end'], rows)}`
}
