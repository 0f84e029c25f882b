/** What drafts came to in a run, from its report: honest shares, times and money over all requests that could have been drafted. */
import type { CallReport, DraftsReport, RunReport, StepReport } from '../../../bindings/report.js'
import { draftTargets } from './targets.js'

const refusals: ReadonlySet<string> = new Set(['draft_off', 'draft_slow', 'draft_unaffordable'])

/** Undefined: no step could have been drafted. */
export function draftSummary(report: RunReport): DraftsReport | undefined {
  const steps = report.steps.filter(({ draft }) => draft !== undefined)
  if (steps.length === 0) return undefined
  const count = (word: string): number => steps.filter(({ draft }) => draft === word).length
  const [accepted, patched, rejected, failed, late] = ['accepted', 'patched', 'rejected', 'failed', 'late'].map(
    (word) => count(`draft_${word}`),
  ) as [number, number, number, number, number]
  const drafted = accepted + patched + rejected + failed + late
  const acceptedShare = drafted === 0 ? null : accepted / drafted
  const speedup = speedupOf(report, steps)
  const shown = steps.filter(({ draft }) => draft === 'draft_accepted' || draft === 'draft_patched')
  const regrets = steps.filter(({ canary }) => canary === 'canary_regrets').length
  const audited = steps.filter(({ canary }) => canary !== undefined).length
  return {
    ...{ eligible: steps.length, accepted, patched, rejected, failed, late, acceptedShare, speedup },
    refused: steps.filter(({ draft = '' }) => refusals.has(draft)).length,
    patchedKept: meanOf(
      steps.flatMap(({ draft, draftKeptPermille }) =>
        draft === 'draft_patched' ? [(draftKeptPermille ?? 0) / 1000] : [],
      ),
    ),
    regret: { audited, regrets, ...wilson(regrets, audited) },
    ttftProvisionalMs: meanOf(shown.flatMap((step) => firstTokenOf(step))),
    timeToConfirmedMs: meanOf(shown.map(stepMs)),
    costMicroUsd: costs(steps),
    met: {
      accepted: acceptedShare === null ? null : acceptedShare > draftTargets.accepted,
      speedup: speedup === null ? null : speedup >= draftTargets.speedup,
    },
  }
}

const callsOf = (steps: readonly StepReport[], purpose: CallReport['purpose']): CallReport[] =>
  steps.flatMap(({ calls }) => calls.filter((call) => call.purpose === purpose))

function costs(steps: readonly StepReport[]): DraftsReport['costMicroUsd'] {
  const of = (purpose: CallReport['purpose']): number =>
    callsOf(steps, purpose).reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)
  return { draft: of('draft'), verify: of('verify'), main: of('main'), canary: of('canary'), judge: of('judge') }
}

const readyAt = ({ startedAt, calls }: StepReport): number => calls[0]?.readyAt ?? startedAt ?? 0
/** Ms from when the step was ready until it was settled. */
export const stepMs = (step: StepReport): number => (step.settledAt ?? 0) - readyAt(step)

function firstTokenOf(step: StepReport): number[] {
  const draft = step.calls.find(({ purpose }) => purpose === 'draft')
  if (draft?.firstTokenMs == null) return []
  return [(draft.dispatchedAt ?? 0) - readyAt(step) + draft.firstTokenMs]
}

/**
 * What the steps would have taken without drafts, over what they took. A full answer's time is reckoned from the first-token times and
 * speeds that the run measured of full answers by the step's own model: its main calls, and canaries; it waits for its place as long
 * as the step's first call did. Comparisons after the answer was delivered cost money and no time.
 */
function speedupOf(report: RunReport, steps: readonly StepReport[]): number | null {
  let full = 0
  let took = 0
  for (const step of steps) {
    const pace = paceOf(report, step.route?.model)
    const [first] = step.calls
    const answer = step.calls.find(({ purpose, outcome }) => purpose === 'draft' && outcome === 'ok')
    if (stepMs(step) <= 0 || first === undefined) continue
    if (answer === undefined) {
      full += stepMs(step)
    } else if (pace === undefined) continue
    else full += (first.dispatchedAt ?? 0) - readyAt(step) + pace.firstMs + answer.tokens.output * pace.msPerToken
    took += stepMs(step)
  }
  return took === 0 ? null : full / took
}

function paceOf(report: RunReport, model: string | undefined): { firstMs: number; msPerToken: number } | undefined {
  const calls = report.steps.flatMap((step) =>
    step.calls.filter(
      (call) => call.model === model && call.outcome === 'ok' && ['main', 'canary', 'verify'].includes(call.purpose),
    ),
  )
  const timed = calls.flatMap(({ firstTokenMs, responseMs, tokens }) =>
    firstTokenMs === null || responseMs === null
      ? []
      : [{ firstTokenMs, ms: responseMs - firstTokenMs, out: tokens.output }],
  )
  const out = timed.reduce((sum, call) => sum + call.out, 0)
  if (timed.length === 0 || out === 0) return undefined
  const ms = timed.reduce((sum, call) => sum + call.ms, 0)
  return { firstMs: meanOf(timed.map(({ firstTokenMs }) => firstTokenMs)) ?? 0, msPerToken: ms / out }
}

const meanOf = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length

/** Wilson's interval of a share, 95 %. */
function wilson(hits: number, n: number): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 }
  const z = 1.959964
  const p = hits / n
  const scale = 1 + (z * z) / n
  const middle = (p + (z * z) / (2 * n)) / scale
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}
