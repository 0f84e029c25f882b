/** What a person asks of a run first: how it ended, what it took against what was expected, and what to do about what failed. */
import type { RunReport, StepReport } from '../../../bindings/events.js'
import { failureKindWords, type FailureKind } from '../../../bindings/generated/wire.js'
import { formatCost, formatCount, formatDuration, formatShare, formatUsd, plural } from '../format.js'
import { facts, heading, table, type Block, type Cell, type Inline } from './blocks.js'
import { decidingCall } from './policy.js'
import { costOfReport, costOfStep, pricesWords } from './prices.js'

/** What was expected of a run before it began: see `explainPlan`. */
export interface Expected {
  readonly makespanMs: number
  readonly costMicroUsd: { readonly low: number; readonly expected: number; readonly high: number }
  /** ms from start to end, by step id. */
  readonly steps: ReadonlyMap<string, number>
}

/** From its first call, or its answer without one, to its end; undefined: it never began. */
export function tookMs({ startedAt, settledAt }: StepReport): number | undefined {
  return startedAt === null || settledAt === null ? undefined : settledAt - startedAt
}

export function inShort(
  report: RunReport,
  { expected, remedies = {} }: { readonly expected?: Expected | undefined; readonly remedies?: Remedies | undefined },
  step: (id: string) => Inline,
): Block[] {
  const rows: [string, Cell][] = [
    ['outcome', `${outcomeWords(report)}: ${countWords(report)}`],
    ['time', timeWords(report, expected)],
    ['cost', costWords(report, expected)],
  ]
  const slowest = most(report.steps, (one) => tookMs(one) ?? 0)
  if (slowest !== undefined) rows.push(['slowest step', [step(slowest.id), `: ${slowWords(slowest, expected)}`]])
  const dearest = most(report.steps, ({ costMicroUsd }) => costMicroUsd)
  if (dearest !== undefined) {
    const share = formatShare(dearest.costMicroUsd / report.totals.costMicroUsd)
    rows.push(['most expensive step', [step(dearest.id), `: ${formatCost(costOfStep(dearest))}, ${share} of the cost`]])
  }
  return [heading('In short'), facts(rows), ...advice(report, remedies)]
}

function most(steps: readonly StepReport[], measure: (step: StepReport) => number): StepReport | undefined {
  let found: StepReport | undefined
  for (const step of steps) if (measure(step) > (found === undefined ? 0 : measure(found))) found = step
  return found
}

export function outcomeWords({ outcome }: RunReport): string {
  const words: Readonly<Record<string, string>> = {
    ok: 'all done',
    steps_failed: 'some steps failed',
    cancelled: 'cancelled',
    plan_invalid: 'the plan is invalid',
    budget_exhausted: 'the budget did not suffice',
  }
  return words[outcome] ?? outcome
}

export function countWords({ counts }: RunReport): string {
  const others = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  return [
    `${formatCount(counts.done)} of ${plural(counts.total, 'step')} done`,
    ...others.map((state) => `${formatCount(counts[state])} ${state}`),
  ].join(', ')
}

function timeWords({ makespanMs, sumOfStepsMs, speedup }: RunReport, expected: Expected | undefined): string {
  const parallel =
    speedup === null ? '' : ` for ${formatDuration(sumOfStepsMs)} of work, ${speedup.toFixed(1)}× in parallel`
  const estimate =
    expected === undefined
      ? ''
      : `; ${formatDuration(expected.makespanMs)} expected${off(makespanMs, expected.makespanMs)}`
  return `${formatDuration(makespanMs)}${parallel}${estimate}`
}

/** `, 12 % more`; nothing within a percent. */
function off(actual: number, expected: number): string {
  if (expected <= 0) return ''
  const share = Math.round((actual / expected - 1) * 100)
  return share === 0 ? '' : `, so ${Math.abs(share)} % ${share > 0 ? 'more' : 'less'}`
}

function costWords(report: RunReport, expected: Expected | undefined): string {
  const { costMicroUsd } = report.totals
  const cost = `${formatCost(costOfReport(report))}${costMicroUsd > 0 ? ` at ${pricesWords(report)}` : ''}`
  if (expected === undefined) return cost
  const { low, high, expected: usual } = expected.costMicroUsd
  return `${cost}; ${formatUsd(usual)} expected, within ${formatUsd(low)} to ${formatUsd(high)}`
}

function slowWords(step: StepReport, expected: Expected | undefined): string {
  const call = decidingCall(step)
  const where = call === undefined ? '' : ` on ${call.provider} ${call.model}`
  const usual = expected?.steps.get(step.id)
  const calls = step.calls.length > 1 ? `, in ${plural(step.calls.length, 'call')}` : ''
  return `${formatDuration(tookMs(step))}${where}${calls}${usual === undefined ? '' : `; ${formatDuration(usual)} expected`}`
}

/** What helps against a kind of failure; `budget` and `cancelled`: how a run ended; `again`: what comes after all of it. */
export type Remedies = Readonly<Partial<Record<FailureKind | 'budget' | 'cancelled' | 'again', string>>>

/** In the library's words: hosts name their own flags and buttons. The kinds that are missing are the provider's business: time helps. */
const usualRemedies: Remedies = {
  auth: 'check the key of the provider',
  denied: 'name another provider for the step, or in the configuration',
  quota_exhausted: 'add money or quota there, or set a key of another provider',
  rate_limited: 'lower the concurrency of the provider, or allow each step more time (retry.deadlineMs)',
  bad_request: 'look at the message, and at the prompt that was sent',
  too_large: 'give the step fewer or smaller files, or a model with a longer context',
  content_blocked: 'word the step otherwise, or name another provider for it',
  not_found: 'name a model that the provider has',
  unresolved: 'check the network, and baseUrl in the configuration',
  certificate: 'check baseUrl in the configuration, and certificates of a proxy (NODE_EXTRA_CA_CERTS)',
  unreachable: 'check the network',
  constraint_violated: 'loosen the constraint of output, or give the step a stronger model',
  truncated: 'raise estimated_tokens of the step, or split it',
  limit_reached: 'raise estimated_tokens of the step, or split it',
  input: 'put the file where the plan names it',
  deadline: 'raise retry.deadlineMs, the time that each step may take, or split the step',
  budget_exceeded: 'raise the budget',
  host: 'look at the message: the code around the step failed',
  budget: 'raise the budget',
  cancelled: 'resume the run',
  again: 'reusing the run tries again what did not succeed, and keeps what is done',
}

function advice(report: RunReport, own: Remedies): Block[] {
  const helps = { ...usualRemedies, ...own }
  const kinds = new Map<FailureKind, number>()
  for (const { state, failure } of report.steps)
    if (state === 'failed' && failure !== undefined) kinds.set(failure, (kinds.get(failure) ?? 0) + 1)
  const rows = [...kinds].map(([kind, count]) => [
    kind,
    plural(count, 'step'),
    failureKindWords[kind],
    helps[kind] ?? 'try again later',
  ])
  if (report.outcome === 'budget_exhausted' && !kinds.has('budget_exceeded'))
    rows.push(['budget', '', 'the budget did not suffice for what was left', helps.budget ?? ''])
  if (report.outcome === 'cancelled') rows.push(['cancelled', '', 'the run was cancelled', helps.cancelled ?? ''])
  if (rows.length === 0) return []
  const last = kinds.size > 0 ? [{ kind: 'paragraph' as const, parts: [`Then ${helps.again}.`] }] : []
  return [heading('What to do next'), table(['failure', 'of', 'what it means', 'what helps'], rows), ...last]
}

/** Of fewer steps with calls the tables say the same shorter. */
const leastCharted = 3

/** Whether charts of the run say more than its tables. */
export const mayHaveCharts = ({ steps }: RunReport): boolean =>
  steps.filter(({ calls }) => calls.length > 0).length >= leastCharted
