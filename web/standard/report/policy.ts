/** The part of a report that tells what failures, waits and budgets did to the run. */
import type { CallReport, CeilingReport, RunReport, StepReport } from '../../../bindings/events.js'
import {
  failureKindWords,
  reasonWords,
  type FailureKind,
  type Purpose,
  type Reason,
} from '../../../bindings/generated/wire.js'
import { formatCount, formatDuration, formatUsdExact, plural } from '../format.js'
import { heading, paragraph, table, type Block } from './blocks.js'

/** Empty when nothing failed, waited or was limited. */
export function policySection(report: RunReport): Block[] {
  return [...budget(report), ...attempts(report), ...waits(report), ...breakers(report)]
}

/** The call whose answer the step delivered, else its last one: retries, fallbacks and hedges make the first say little. */
export function decidingCall(step: StepReport): CallReport | undefined {
  const drafted = step.draft === 'draft_accepted' || step.draft === 'draft_patched'
  const wanted: readonly Purpose[] = drafted ? ['draft'] : ['main', 'hedge']
  const work = step.calls.filter(({ purpose }) => wanted.includes(purpose))
  return work.find(({ outcome }) => outcome === 'ok') ?? work.at(-1)
}

function budget(report: RunReport): Block[] {
  const { budget: limits } = report
  if (limits === undefined) return []
  const words = ({ costMicroUsd, tokens }: CeilingReport): string[] => [
    costMicroUsd === null ? '–' : formatUsdExact(costMicroUsd),
    tokens === null ? '–' : formatCount(tokens),
  ]
  const rows = [
    ['whole run', ...words(limits.run), formatUsdExact(limits.spentMicroUsd), formatCount(limits.spentTokens)],
    ['a step', ...words(limits.step), '', ''],
    ['an attempt', ...words(limits.attempt), '', ''],
  ]
  const stopped = paragraph('The budget did not suffice: what was left over was not started.')
  return [
    heading('Budget'),
    table(['', 'money', 'tokens', 'spent', 'tokens spent'], rows),
    ...(report.outcome === 'budget_exhausted' ? [stopped] : []),
  ]
}

function attempts(report: RunReport): Block[] {
  const failures = Object.entries(report.totals.failures) as [FailureKind, number][]
  const { hedges, lost, cancelled } = report.totals
  if (failures.length === 0 && hedges === 0) return []
  const rows = failures.map(([kind, count]) => [kind, failureKindWords[kind], formatCount(count)])
  const retried = report.steps.filter(
    ({ calls }) => calls.filter(({ purpose }) => purpose === 'main').length > 1,
  ).length
  const onPurpose =
    cancelled.costMicroUsd > 0 ? `, ${formatUsdExact(cancelled.costMicroUsd)} of it cancelled on purpose` : ''
  const words = [
    `${formatCount(report.totals.calls - report.totals.succeeded)} of ${formatCount(report.totals.calls)} calls did not succeed`,
    `${plural(retried, 'step')} ${retried === 1 ? 'was' : 'were'} tried more than once`,
    ...(lost.costMicroUsd > 0 ? [`they cost ${formatUsdExact(lost.costMicroUsd)}${onPurpose}`] : []),
    ...(hedges > 0 ? [plural(hedges, 'hedge')] : []),
  ]
  const list = rows.length === 0 ? [] : [table(['', '', 'calls'], rows)]
  return [heading('Attempts'), paragraph(`${words.join('; ')}.`), ...list]
}

function waits(report: RunReport): Block[] {
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
  if (sums.size === 0) return []
  const rows = [...sums].map(([reason, { count, ms }]) => [reasonWords[reason], formatCount(count), formatDuration(ms)])
  return [heading('Waits'), table(['', 'calls', 'in all'], rows)]
}

function breakers(report: RunReport): Block[] {
  if (report.breakers.length === 0) return []
  const rows = report.breakers.map(({ provider, state, opened }) => [
    provider,
    formatCount(opened),
    state.replace('_', '-'),
  ])
  return [heading('Providers that kept failing'), table(['', 'breaker opened', 'at the end'], rows)]
}
