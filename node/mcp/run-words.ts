/** A run as an assistant reads it: a head, failures, then a line a step, at most 25 tokens each. */
import { relative } from 'node:path'
import { formatCost, formatDuration, formatUsd, simulatedLabel } from '../../web/standard/format.js'
import { spreadStepOf } from '../spread-words.js'
import { faultLines, fitting, short } from './answers.js'
import type { LoggedStep, StepState } from './run-log.js'
import type { KnownRun } from './runs.js'

const words: Readonly<Record<StepState, string>> = {
  done: 'ok',
  failed: 'failed',
  skipped: 'left out',
  cancelled: 'cancelled',
  calling: 'at work',
  waiting: 'waiting',
}

const outcomes: Readonly<Record<string, string>> = {
  ok: 'is done',
  steps_failed: 'is over, steps failed',
  budget_exhausted: 'is over, the budget did not suffice',
  cancelled: 'was cancelled',
}

/** Failures told in words; of the others the line. */
const mostFailures = 10
/** Parts of one step that are told each by itself. */
const mostParts = 5

export function stateWords({ state, log }: KnownRun): string {
  if (state === 'running') return 'is running'
  if (state === 'interrupted') return 'was interrupted'
  return log.error === undefined ? (outcomes[log.outcome ?? ''] ?? 'is over') : 'ended in an error'
}

const count = ({ log }: KnownRun, state: StepState): number =>
  [...log.steps.values()].filter((step) => step.state === state).length

function headLine(run: KnownRun): string {
  const { record, log, state } = run
  const working = count(run, 'calling')
  // Its process has only started.
  if (state === 'running' && log.steps.size === 0) return `run ${record.id} is running: it has just begun`
  const figures = [
    `${count(run, 'done')} of ${log.steps.size} steps ok`,
    ...(state === 'running' && working > 0 ? [`${working} at work`] : []),
    formatDuration(log.ms),
    `${formatCost({ costMicroUsd: log.cost, priceAssumed: log.priceAssumed })} of ${formatUsd(Math.round(record.budgetUsd * 1e6))}`,
  ]
  return `run ${record.id} ${stateWords(run)}: ${figures.join(', ')}${simulatedLabel(record.simulate?.name)}`
}

/** The path without the folder that the head names. */
const nameOf = (path: string): string => path.replaceAll('\\', '/').replace(/^.*\/?step_outputs\//, '')

function stepLine(id: string, { state, bytes, path, words: why }: LoggedStep): string {
  const output = state === 'done' ? ` ${bytes ?? 0} B${path === undefined ? '' : ` ${nameOf(path)}`}` : ''
  return `${short(id, 60)} ${words[state]}${output}${why !== undefined && state === 'skipped' ? ` (${short(why, 60)})` : ''}`
}

function nextLine({ state, log, record }: KnownRun): string[] {
  if (state === 'running') return ['next: run_status with wait_ms']
  if (state === 'interrupted' || log.outcome === 'cancelled') return [`to go on: run_plan with resume ${record.id}`]
  return []
}

/** Steps that are told one by one: of many parts those that are not done, and at their step how many are. */
function told(all: ReadonlyMap<string, LoggedStep>): string[] {
  const parts = new Map<string, number>()
  const done = new Map<string, number>()
  for (const [id, { state }] of all) {
    const whole = spreadStepOf(id)
    if (whole === undefined || !all.has(whole)) continue
    parts.set(whole, (parts.get(whole) ?? 0) + 1)
    if (state === 'done') done.set(whole, (done.get(whole) ?? 0) + 1)
  }
  const many = (whole: string | undefined): boolean => (parts.get(whole ?? '') ?? 0) > mostParts
  return [...all]
    .filter(([id, { state }]) => state !== 'done' || !many(spreadStepOf(id)))
    .map(([id, step]) => {
      const count = many(id) ? `, ${done.get(id) ?? 0} of ${parts.get(id)} parts ok` : ''
      return `${stepLine(id, step)}${count}`
    })
}

/** At most 8,000 characters; steps from `offset` on. */
export function runText(run: KnownRun, offset = 0): string {
  const { record, log, state } = run
  const steps = told(log.steps)
  const failed = [...log.steps].filter(([, step]) => step.state === 'failed')
  const reasons = failed.slice(0, mostFailures).map(([id, { words: why = '' }]) => `! ${short(id, 60)} ${short(why)}`)
  const place = relative(record.root, record.folder).replaceAll('\\', '/')
  const head = [
    headLine(run),
    ...(log.error === undefined ? [] : faultLines([log.error, ...(log.error.others ?? [])])),
    ...(count(run, 'done') > 0
      ? [`outputs in ${place}/step_outputs${state === 'over' ? ', report.md above' : ''}`]
      : []),
    ...nextLine(run),
    ...(offset === 0 ? reasons : []),
    ...(failed.length > mostFailures && offset === 0 ? [`! … ${failed.length - mostFailures} more failed`] : []),
  ]
  const lines = steps.slice(offset)
  return fitting([...head, ...lines], (left) => `… ${left} more steps: run_status with offset ${steps.length - left}`)
}
