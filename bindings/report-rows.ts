/** Calls and steps as reports have them, made of the core's rows of numbers: a report of many steps has no text of its own. */
import * as stepRow from './generated/step-row.js'
import * as callRow from './generated/call-row.js'
import type { CoreRun } from './core.js'
import type { StepInfo } from './events.js'
import {
  at,
  auditStates,
  checkVerdicts,
  failureKinds,
  finishReasons,
  purposes,
  reasons,
  stepStates,
  type AuditState,
  type Reason,
  type StepState,
} from './generated/wire.js'
import type { CallReport, Explanation, RouteInfo, StepReport } from './report.js'
import { callRowLength, known, outcomeOf, stepRowLength } from './rows.js'
import type { RunTexts } from './run-texts.js'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Rows that cross at once. */
const piece = 512

const unknown = { id: '', type: '' }

/** The first of the reasons is none. */
const reasonOf = (value: number): Reason | undefined => (value > 0 ? reasons[value] : undefined)

/** What ids and names are taken from: the steps in the plan's order, the table's providers and models. */
export type ReportNames = Pick<RunTexts, 'providers' | 'models'> & {
  readonly steps: readonly Pick<StepInfo, 'id' | 'type'>[]
}

/** All steps in the plan's order, each with its calls. */
export function stepReports(core: CoreRun, texts: ReportNames): StepReport[] {
  const callsOf: CallReport[][] = []
  for (let first = 0, rows = core.callRows(0, piece); rows.length > 0; rows = core.callRows((first += piece), piece)) {
    for (let from = 0; from < rows.length; from += callRowLength) {
      const step = at(rows, from + callRow.step)
      const call = callReport(first + from / callRowLength, rows, from, texts)
      const others = callsOf[step]
      if (others === undefined) callsOf[step] = [call]
      else others.push(call)
    }
  }
  const routes = new Map<number, RouteInfo>()
  const steps: StepReport[] = []
  for (let rows = core.stepRows(0, piece); rows.length > 0; rows = core.stepRows(steps.length, piece)) {
    for (let from = 0; from < rows.length; from += stepRowLength) {
      const index = steps.length
      const route = routeOf(core, index, at(rows, from + stepRow.group), routes)
      steps.push(stepReport(index, rows, from, texts, route, callsOf[index] ?? []))
    }
  }
  return steps
}

/** Steps of one group are routed alike. */
function routeOf(core: CoreRun, step: number, group: number, known: Map<number, RouteInfo>): RouteInfo | undefined {
  if (group < 0) return undefined
  const found = known.get(group) ?? core.document<RouteInfo>('route', step)
  known.set(group, found)
  return found
}

function stepReport(
  index: number,
  rows: Float64Array,
  from: number,
  texts: ReportNames,
  route: RouteInfo | undefined,
  calls: readonly CallReport[],
): StepReport {
  const { id, type } = texts.steps[index] ?? unknown
  const state = stepStates[at(rows, from + stepRow.state)] ?? 'waiting'
  const startedAt = known(at(rows, from + stepRow.startedAt))
  const settledAt = known(at(rows, from + stepRow.settledAt))
  const costMicroUsd = at(rows, from + stepRow.costMicroUsd)
  if (route === undefined)
    return { id, type, state, ...asides(rows, from, texts), startedAt, settledAt, costMicroUsd, calls }
  const { provider, model, rule, why, tokensPerSecond, microUsdPerMtok, alternatives } = route
  const own = { id, provider, model, rule, why, tokensPerSecond, microUsdPerMtok, alternatives }
  // Nearly all steps of a large plan: in one piece, which an engine keeps in half the room.
  if (isPlain(rows, from)) return { id, type, state, startedAt, settledAt, route: own, costMicroUsd, calls }
  return { id, type, state, ...asides(rows, from, texts), startedAt, settledAt, route: own, costMicroUsd, calls }
}

/** Nothing of what only some steps have. */
function isPlain(rows: Float64Array, from: number): boolean {
  if (at(rows, from + stepRow.failure) >= 0 || at(rows, from + stepRow.cause) >= 0) return false
  for (const field of seldom) if (at(rows, from + field) > 0) return false
  return true
}
const { reason, audit, repaired, draft, draftKept, canary } = stepRow
const seldom = [reason, audit, repaired, draft, draftKept, canary]

function asides(rows: Float64Array, from: number, texts: ReportNames): Partial<Writable<StepReport>> {
  const step: Partial<Writable<StepReport>> = {}
  const failure = failureKinds[at(rows, from + stepRow.failure)]
  if (failure !== undefined) step.failure = failure
  const reason = reasonOf(at(rows, from + stepRow.reason))
  if (reason !== undefined) step.reason = reason
  const cause = texts.steps[at(rows, from + stepRow.cause)]?.id
  if (cause !== undefined) step.cause = cause
  const audit = at(rows, from + stepRow.audit)
  if (audit > 0) step.audit = auditStates[audit] as NonNullable<StepReport['audit']>
  if (at(rows, from + stepRow.repaired) === 1) step.repaired = true
  const draft = reasonOf(at(rows, from + stepRow.draft))
  if (draft !== undefined) step.draft = draft
  const kept = at(rows, from + stepRow.draftKept)
  if (kept > 0) step.draftKeptPermille = kept
  const canary = reasonOf(at(rows, from + stepRow.canary))
  if (canary !== undefined) step.canary = canary as NonNullable<StepReport['canary']>
  return step
}

function callReport(call: number, rows: Float64Array, from: number, texts: ReportNames): CallReport {
  const model = texts.models[at(rows, from + callRow.model)]
  const report: Writable<CallReport> = {
    call,
    purpose: purposes[at(rows, from + callRow.purpose)] ?? 'main',
    attempt: at(rows, from + callRow.attempt),
    provider: texts.providers[at(rows, from + callRow.provider)]?.id ?? '',
    model: model?.id ?? '',
    outcome: outcomeOf(at(rows, from + callRow.outcome)),
    readyAt: known(at(rows, from + callRow.readyAt)),
    dispatchedAt: known(at(rows, from + callRow.dispatchedAt)),
    endedAt: known(at(rows, from + callRow.endedAt)),
    queueMs: known(at(rows, from + callRow.queueMs)),
    firstTokenMs: known(at(rows, from + callRow.firstTokenMs)),
    responseMs: known(at(rows, from + callRow.responseMs)),
    networkMs: known(at(rows, from + callRow.networkMs)),
    tokens: callTokens(rows, from),
    costMicroUsd: at(rows, from + callRow.costMicroUsd),
    priceKnown: at(rows, from + callRow.priceKnown) === 1,
  }
  const finish = finishReasons[at(rows, from + callRow.finish)]
  if (finish !== undefined) report.finish = finish
  const check = checkVerdicts[at(rows, from + callRow.check)]
  if (check !== undefined) report.check = check
  if (at(rows, from + callRow.overflowed) === 1) report.overflowed = true
  if (at(rows, from + callRow.continues) === 1) report.continues = true
  if (at(rows, from + callRow.peak) === 1) report.peak = true
  const sharedTokens = at(rows, from + callRow.sharedTokens)
  if (sharedTokens > 0) report.sharedTokens = sharedTokens
  const leader = texts.steps[at(rows, from + callRow.leader)]?.id
  if (leader !== undefined) report.leader = leader
  const waited = reasonOf(at(rows, from + callRow.waited))
  if (waited !== undefined) report.waited = waited
  const cancelled = reasonOf(at(rows, from + callRow.cancelled))
  if (cancelled !== undefined) report.cancelled = cancelled
  return report
}

function callTokens(rows: Float64Array, from: number): CallReport['tokens'] {
  const [input, cached] = [at(rows, from + callRow.input), at(rows, from + callRow.cached)]
  const [output, reasoning] = [at(rows, from + callRow.output), at(rows, from + callRow.reasoning)]
  const written = at(rows, from + callRow.written)
  const [estimated, strippedEstimate] = [at(rows, from + callRow.estimated) === 1, at(rows, from + callRow.stripped)]
  return written > 0
    ? { input, cached, output, reasoning, written, estimated, strippedEstimate }
    : { input, cached, output, reasoning, estimated, strippedEstimate }
}

/** How a step stands. */
export interface StepStanding {
  readonly state: StepState
  /** Why it was skipped or cancelled. */
  readonly reason: Reason | undefined
  /** Undefined: there was none. */
  readonly audit: AuditState | undefined
}

/** Of all steps, in the plan's order. */
export function standings(core: CoreRun): StepStanding[] {
  const found: StepStanding[] = []
  for (let rows = core.stepRows(0, piece); rows.length > 0; rows = core.stepRows(found.length, piece))
    for (let from = 0; from < rows.length; from += stepRowLength) found.push(standingAt(rows, from))
  return found
}

/** Of one; undefined: there is no such step. */
export function standingOf(core: CoreRun, step: number): StepStanding | undefined {
  const rows = core.stepRows(step, 1)
  return rows.length === 0 ? undefined : standingAt(rows, 0)
}

function standingAt(rows: Float64Array, from: number): StepStanding {
  return {
    state: stepStates[at(rows, from + stepRow.state)] ?? 'waiting',
    reason: reasonOf(at(rows, from + stepRow.reason)),
    audit: at(rows, from + stepRow.audit) > 0 ? auditStates[at(rows, from + stepRow.audit)] : undefined,
  }
}

/** The dry run of a plan that `core` has read; its report is the core's own, so the core can run nothing after it. */
export function explanationOf(core: CoreRun): Explanation {
  const { report, ...rest } = core.document<Explanation>('explain')
  const steps = core.document<Pick<StepInfo, 'id' | 'type'>[]>('steps')
  const names = core.document<Pick<RunTexts, 'providers' | 'models'>>('table')
  return { ...rest, report: { ...report, steps: stepReports(core, { ...names, steps }) } }
}
