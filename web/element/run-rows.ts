/** One step of a run as a page shows it: where it stands, what was called for it when, and what it waited for. */
import type { HitKind, StepInfo } from '../../bindings/events.js'
import type { Purpose } from '../../bindings/generated/wire.js'
import { partsByStep, spreads } from '../../bindings/parts-of.js'
import type { DraftState } from './draft-words.js'

/** `ready`: nothing it depends on is missing, and it waits for a place, a limit or its next try. */
export type StepRowState = 'waiting' | 'ready' | 'running' | 'done' | 'failed' | 'skipped' | 'cancelled'

/** A call on the time axis; ms of the run. */
export interface Bar {
  readonly provider: string
  readonly model: string
  readonly purpose: Purpose
  readonly attempt: number
  readonly estimateMs: number
  readonly from: number
  firstTokenAt: number | undefined
  /** Undefined: still running. */
  to: number | undefined
  /** `lost`: another call of the step was first, or the run turned away from it. */
  end: 'running' | 'ok' | 'failed' | 'lost'
}

export interface Wait {
  readonly from: number
  to: number | undefined
  readonly reason: string
  readonly words: string
}

export interface StepNote {
  readonly at: number
  readonly words: string
  readonly detail: string | undefined
}

/** An earlier answer that stands for a call, and what it had cost. */
export interface Reused {
  readonly kind: HitKind
  readonly tokens: number
  readonly microUsd: number
}

export interface StepRow {
  /** Position in the plan. */
  readonly index: number
  info: StepInfo
  readonly dependents: number[]
  /** Dependencies that have not ended. */
  blockers: number
  state: StepRowState
  provider: string
  model: string
  readyAt: number | undefined
  startedAt: number | undefined
  endedAt: number | undefined
  readonly bars: Bar[]
  readonly waits: Wait[]
  readonly notes: StepNote[]
  /** The step that filled the prompt cache which this one waited for; '' without one. */
  leader: string
  /** How many waited for this one to. */
  followers: number
  /** Calls whose prompt is assembled. */
  prompts: number
  /** As the providers counted them, all calls of the step. */
  tokensIn: number
  tokensCached: number
  tokensOut: number
  /** Estimate of the answer that is streaming. */
  liveTokens: number
  costMicroUsd: number
  /** Part of that is at a price that was assumed. */
  priceAssumed: boolean
  bytes: number
  repaired: boolean
  recalled: boolean
  /** Undefined: it was called, or is still to be. */
  reused: Reused | undefined
  /** Undefined: it has none that was shown. */
  draft: DraftState | undefined
  /** When the first token of its draft came, and when the draft was confirmed; ms of the run. */
  draftAt: number | undefined
  confirmedAt: number | undefined
  /** What is going on, or why it ended as it did. */
  note: string
  /** Version of the model at which its state changed last. */
  changedVersion: number
}

export function newRow(index: number, info: StepInfo): StepRow {
  return {
    index,
    info,
    dependents: [],
    // One that spreads is never called itself: it waits until it is joined from its parts.
    blockers: info.dependencies.length + (spreads(info) ? 1 : 0),
    state: 'waiting',
    provider: '',
    model: '',
    readyAt: undefined,
    startedAt: undefined,
    endedAt: undefined,
    bars: [],
    waits: [],
    leader: '',
    followers: 0,
    notes: [],
    prompts: 0,
    tokensIn: 0,
    tokensCached: 0,
    tokensOut: 0,
    liveTokens: 0,
    costMicroUsd: 0,
    priceAssumed: false,
    bytes: 0,
    repaired: false,
    recalled: false,
    reused: undefined,
    draft: undefined,
    draftAt: undefined,
    confirmedAt: undefined,
    note: '',
    changedVersion: 0,
  }
}

/** The outputs of parts are inputs of the step that spread into them, and parts come after what that step has waited for. */
export function connectParts(rows: readonly StepRow[], steps: readonly StepInfo[]): void {
  for (const [of, more] of partsByStep(steps)) {
    const whole = rows[of]
    if (whole === undefined) continue
    const before = whole.info.dependencies.filter((index) => rows[index]?.info.partOf !== whole.info.step)
    for (const part of more) waitsFor(rows[part], before)
    whole.info = { ...whole.info, dependencies: [...whole.info.dependencies, ...more] }
    whole.blockers += more.length
  }
}

function waitsFor(row: StepRow | undefined, before: readonly number[]): void {
  if (row === undefined) return
  const more = before.filter((index) => !row.info.dependencies.includes(index))
  row.info = { ...row.info, dependencies: [...row.info.dependencies, ...more] }
  row.blockers += more.length
}

/** Knits the last `added` rows to the rest: a plan that streams may name steps that came before, or are still to come. */
export function addSteps(rows: readonly StepRow[], added: number): void {
  const first = rows.length - added
  rows.forEach((row, index) => {
    for (const dependency of row.info.dependencies) {
      // Both were there before: known already.
      if (index < first && dependency < first) continue
      const on = rows[dependency]
      if (on === undefined) continue
      on.dependents.push(index)
      const ended = on.endedAt !== undefined
      if (ended) row.blockers -= 1
    }
  })
}
