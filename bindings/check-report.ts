/** What the checks of a run came to: by step, provider and type. */
import type { CheckFound } from './check-port.js'
import type { CallCommand } from './commands.js'
import type { CheckTotals, RunReport, StepCheckReport, StepReport } from './report.js'
import type { RunTexts } from './run-texts.js'

type Checks = readonly { readonly call: CallCommand; readonly found: CheckFound }[]

/**
 * The report of a step's checks; undefined: none of its answers was checked. A draft that was not delivered was a way to save time: the
 * first try is the full answer that followed.
 */
function stepCheck(checks: Checks, { draft }: StepReport): StepCheckReport | undefined {
  const told = checks.filter(({ found }) => found.parts.length > 0)
  const last = told.at(-1)
  if (last === undefined) return undefined
  const first = told.find(({ call }) => call.purpose !== 'draft' || draft === 'draft_accepted')
  const functional = told.some(({ found }) => found.functional)
  const isFirst = first?.call.purpose !== 'repair'
  return {
    ...last.found,
    functional,
    answers: told.length,
    firstTry: functional && first !== undefined ? isFirst && first.found.pass && first.found.functional : null,
  }
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

function totals(steps: readonly StepReport[]): CheckTotals {
  const checks = steps.flatMap(({ check }) => (check === undefined ? [] : [check]))
  const functional = checks.filter(({ firstTry }) => firstTry !== null)
  const firstTry = functional.filter((check) => check.firstTry === true).length
  const scores = (partial: boolean): number[] =>
    checks.flatMap(({ quality }) => (quality !== undefined && quality.partial === partial ? [quality.score] : []))
  return {
    functional: functional.length,
    firstTry,
    firstTryShare: functional.length === 0 ? null : firstTry / functional.length,
    unchecked: steps.length - functional.length,
    passed: checks.filter(({ pass }) => pass).length,
    failed: checks.filter(({ pass }) => !pass).length,
    quality: mean(scores(false)),
    partialQuality: mean(scores(true)),
  }
}

function grouped(steps: readonly StepReport[], nameOf: (step: StepReport) => string | undefined) {
  const groups = new Map<string, StepReport[]>()
  for (const step of steps) {
    const name = nameOf(step)
    if (name === undefined || step.check === undefined) continue
    groups.set(name, [...(groups.get(name) ?? []), step])
  }
  return [...groups].map(([name, of]) => ({ name, ...totals(of) }))
}

/** The report with what the run's checks found; as it is where nothing was checked. */
export function withChecks(report: RunReport, { checks }: Pick<RunTexts, 'checks'>): RunReport {
  if (checks.size === 0) return report
  const steps = report.steps.map((step, index): StepReport => {
    const check = stepCheck(checks.get(index) ?? [], step)
    return check === undefined ? step : { ...step, check }
  })
  const told = steps.filter(({ check }) => check !== undefined)
  if (told.length === 0) return report
  // The provider whose first answer was checked: a repair may have gone elsewhere.
  const providerOf = ({ calls, draft }: StepReport): string | undefined =>
    calls.find(({ purpose }) => purpose === (draft === 'draft_accepted' ? 'draft' : 'main'))?.provider
  const boxes = [...new Set(told.flatMap(({ check }) => check?.box ?? []))]
  const attempted = steps.filter(({ calls, check }) => calls.length > 0 || check !== undefined)
  const byProvider = grouped(steps, providerOf)
  const byType = grouped(steps, ({ type }) => type)
  return { ...report, steps, checks: { ...totals(attempted), boxes, byProvider, byType } }
}
