/** Calls and steps as reports have them, made of the core's rows of numbers: a report of many steps has no text of its own. */
import type { CoreRun } from './core.js'
import type { StepInfo } from './events.js'
import {
  auditStates,
  callRow,
  checkVerdicts,
  failureKinds,
  finishReasons,
  purposes,
  reasons,
  stepRow,
  stepStates,
  type AuditState,
  type Reason,
  type StepState,
} from './generated/wire.js'
import type { CallReport, Explanation, RouteInfo, StepReport } from './report.js'
import { callRowLength, stepRowLength } from './rows.js'
import type { RunTexts } from './run-texts.js'

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** Rows that cross at once. */
const piece = 512

const unknown = { id: '', type: '' }

/** −1 stands for what is not known. */
export const known = (value: number): number | null => (value < 0 ? null : value)
/** The first of the reasons is none. */
const reasonOf = (value: number): Reason | undefined => (value > 0 ? reasons[value] : undefined)

/** What became of a call, by its number. */
export function outcomeOf(number: number): CallReport['outcome'] {
  return number === -1 ? 'ok' : number === -2 ? 'running' : (failureKinds[number] ?? 'server_error')
}

/** What ids and names are taken from: the steps in the plan's order, the table's providers and models. */
export type ReportNames = Pick<RunTexts, 'providers' | 'models'> & {
  readonly steps: readonly Pick<StepInfo, 'id' | 'type'>[]
}

/** All steps in the plan's order, each with its calls. */
export function stepReports(core: CoreRun, texts: ReportNames): StepReport[] {
  const callsOf: CallReport[][] = []
  for (let first = 0, rows = core.callRows(0, piece); rows.length > 0; rows = core.callRows((first += piece), piece)) {
    for (let from = 0; from < rows.length; from += callRowLength) {
      const step = rows[from + callRow.step]!
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
      const route = routeOf(core, index, rows[from + stepRow.group]!, routes)
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
  const step = { id, type, state: stepStates[rows[from + stepRow.state]!] } as Writable<StepReport>
  const failure = failureKinds[rows[from + stepRow.failure]!]
  if (failure !== undefined) step.failure = failure
  const reason = reasonOf(rows[from + stepRow.reason]!)
  if (reason !== undefined) step.reason = reason
  const cause = texts.steps[rows[from + stepRow.cause]!]?.id
  if (cause !== undefined) step.cause = cause
  const audit = rows[from + stepRow.audit]!
  if (audit > 0) step.audit = auditStates[audit] as NonNullable<StepReport['audit']>
  if (rows[from + stepRow.repaired] === 1) step.repaired = true
  const draft = reasonOf(rows[from + stepRow.draft]!)
  if (draft !== undefined) step.draft = draft
  const kept = rows[from + stepRow.draftKept]!
  if (kept > 0) step.draftKeptPermille = kept
  const canary = reasonOf(rows[from + stepRow.canary]!)
  if (canary !== undefined) step.canary = canary as NonNullable<StepReport['canary']>
  step.startedAt = known(rows[from + stepRow.startedAt]!)
  step.settledAt = known(rows[from + stepRow.settledAt]!)
  if (route !== undefined) {
    const { provider, model, rule, why, tokensPerSecond, microUsdPerMtok, alternatives } = route
    step.route = { id, provider, model, rule, why, tokensPerSecond, microUsdPerMtok, alternatives }
  }
  step.costMicroUsd = rows[from + stepRow.costMicroUsd]!
  step.calls = calls
  return step
}

function callReport(call: number, rows: Float64Array, from: number, texts: ReportNames): CallReport {
  const model = texts.models[rows[from + callRow.model]!]
  const report: Writable<CallReport> = {
    call,
    purpose: purposes[rows[from + callRow.purpose]!] ?? 'main',
    attempt: rows[from + callRow.attempt]!,
    provider: texts.providers[rows[from + callRow.provider]!]?.id ?? '',
    model: model?.id ?? '',
    outcome: outcomeOf(rows[from + callRow.outcome]!),
    readyAt: known(rows[from + callRow.readyAt]!),
    dispatchedAt: known(rows[from + callRow.dispatchedAt]!),
    endedAt: known(rows[from + callRow.endedAt]!),
    queueMs: known(rows[from + callRow.queueMs]!),
    firstTokenMs: known(rows[from + callRow.firstTokenMs]!),
    responseMs: known(rows[from + callRow.responseMs]!),
    networkMs: known(rows[from + callRow.networkMs]!),
    tokens: callTokens(rows, from),
    costMicroUsd: rows[from + callRow.costMicroUsd]!,
    priceKnown: rows[from + callRow.priceKnown] === 1,
  }
  const finish = finishReasons[rows[from + callRow.finish]!]
  if (finish !== undefined) report.finish = finish
  const check = checkVerdicts[rows[from + callRow.check]!]
  if (check !== undefined) report.check = check
  if (rows[from + callRow.overflowed] === 1) report.overflowed = true
  if (rows[from + callRow.continues] === 1) report.continues = true
  if (rows[from + callRow.peak] === 1) report.peak = true
  const sharedTokens = rows[from + callRow.sharedTokens]!
  if (sharedTokens > 0) report.sharedTokens = sharedTokens
  const leader = texts.steps[rows[from + callRow.leader]!]?.id
  if (leader !== undefined) report.leader = leader
  const waited = reasonOf(rows[from + callRow.waited]!)
  if (waited !== undefined) report.waited = waited
  const cancelled = reasonOf(rows[from + callRow.cancelled]!)
  if (cancelled !== undefined) report.cancelled = cancelled
  return report
}

function callTokens(rows: Float64Array, from: number): CallReport['tokens'] {
  const [input, cached] = [rows[from + callRow.input]!, rows[from + callRow.cached]!]
  const [output, reasoning] = [rows[from + callRow.output]!, rows[from + callRow.reasoning]!]
  const written = rows[from + callRow.written]!
  const [estimated, strippedEstimate] = [rows[from + callRow.estimated] === 1, rows[from + callRow.stripped]!]
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
    state: stepStates[rows[from + stepRow.state]!] ?? 'waiting',
    reason: reasonOf(rows[from + stepRow.reason]!),
    audit: rows[from + stepRow.audit]! > 0 ? auditStates[rows[from + stepRow.audit]!] : undefined,
  }
}

/** The dry run of a plan that `core` has read; its report is the core's own, so the core can run nothing after it. */
export function explanationOf(core: CoreRun): Explanation {
  const { report, ...rest } = core.document<Explanation>('explain')
  const steps = core.document<Pick<StepInfo, 'id' | 'type'>[]>('steps')
  const names = core.document<Pick<RunTexts, 'providers' | 'models'>>('table')
  return { ...rest, report: { ...report, steps: stepReports(core, { ...names, steps }) } }
}
