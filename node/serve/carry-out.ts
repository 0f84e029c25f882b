/** One run of a plan of a caller, carried out: with what it may do, what is told of it, and what it came to. */
import { createHash, randomBytes } from 'node:crypto'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import { costOfReport } from '../../web/standard/report/prices.js'
import type { RunStore } from '../../web/standard/run/run-store.js'
import { runPlan, type PlanRun, type RunPlanOptions, type RunResult } from '../index.js'
import type { KeptEvents } from './kept-events.js'
import type { RunState } from './run-state.js'
import type { RunEnd, RunParts, RunRequest } from './served-runs.js'

export interface Carried {
  readonly request: RunRequest
  readonly live: RunState
  readonly kept: KeptEvents
  /** Most money that it may cost; undefined: no bound of its key. */
  readonly microUsd: number | undefined
  readonly resumption: RunPlanOptions
  /** Keeps a step's output where its readers find it. */
  readonly deliver: NonNullable<RunPlanOptions['deliver']>
  /** Fails when it must not begin. */
  plan(): Promise<Uint8Array>
  /** It goes on elsewhere, or later: nothing of it is kept any more. */
  readonly handedOn: boolean
  readonly cancelled: boolean
  /** Whether it goes on elsewhere after this error; default: never. */
  elsewhere?(error: unknown): boolean
  under(run: PlanRun): void
  /** An event of the moment, which is not kept. */
  passing(event: RunEvent): void
}

/** Undefined: it goes on elsewhere, or later. */
export async function carryOut(run: Carried, parts: RunParts): Promise<RunEnd | undefined> {
  const { kept, live, request } = run
  let past = kept.all.length > 0
  const observe = parts.observer()
  const take = (event: RunEvent): void => {
    if (run.handedOn) return
    if (event.type === 'resumed') past = false
    // The output that was on its way when an earlier process ended is delivered again after all that its journal tells.
    const mayBeKept = past || event.type === 'done'
    const news = kept.add(event, mayBeKept)
    if (news) live.take(event)
    if (past) return
    if (event.type === 'progress') run.passing(event)
    if (news || event.type !== 'done') observe(event)
  }
  try {
    const under = runPlan(await run.plan(), {
      ...run.resumption,
      ...boundsOf(request, run.microUsd),
      onEvent: take,
      deliver: run.deliver,
    })
    run.under(under)
    const { outcome, report } = await under
    if (run.handedOn && !run.cancelled) return undefined
    const { costMicroUsd, priceAssumed } = costOfReport(report)
    return {
      outcome: outcome === 'plan_invalid' ? 'failed' : outcome,
      costMicroUsd,
      ...(priceAssumed ? { priceAssumed } : {}),
      endedAt: Date.now(),
    }
  } catch (error) {
    if (run.handedOn || run.elsewhere?.(error) === true) return undefined
    parts.failed(error, request.id)
    const known = error instanceof AetherflowError
    const told = known
      ? { code: error.code, detail: error.advice }
      : { code: 'internal_error', detail: 'the run failed' }
    return { outcome: 'failed', costMicroUsd: live.costMicroUsd, endedAt: Date.now(), error: told }
  }
}

/** Files that a plan of a stranger names are those of an empty folder, documents it has none, and its programs are never run. */
export function resumptionOf(
  { mode, seed, tenant, name, trace }: RunRequest,
  how: RunParts['how'],
  place: { readonly journal: string | RunStore; readonly folder: string },
): RunPlanOptions {
  return {
    ...how,
    ...place,
    resume: true,
    documents: false,
    checks: { allow: false },
    tenant,
    ...(mode === undefined ? {} : { mode }),
    ...(seed === undefined ? {} : { seed }),
    ...(name === undefined ? {} : { planName: name }),
    ...(how.telemetry && { telemetry: { ...how.telemetry, carrier: trace } }),
  }
}

function boundsOf({ budgetUsd, deadlineMs }: RunRequest, microUsd: number | undefined): Pick<RunPlanOptions, 'policy'> {
  const usd = microUsd === undefined ? budgetUsd : microUsd / 1e6
  if (usd === undefined && deadlineMs === undefined) return {}
  return {
    policy: {
      ...(usd === undefined ? {} : { budget: { run: { usd } } }),
      ...(deadlineMs === undefined ? {} : { retry: { deadlineMs } }),
    },
  }
}

/** The budget that was asked for; undefined: none. */
export const microUsdOf = ({ budgetUsd }: Pick<RunRequest, 'budgetUsd'>): number | undefined =>
  budgetUsd === undefined ? undefined : budgetUsd * 1e6

/** Most results of runs that are over in memory. */
const mostResults = 8

/** Results of runs that are over, read from their journals: once for all who ask at a time, and kept for a few. */
export class Results {
  readonly #known = new Map<string, Promise<RunResult>>()

  /** Rejects as `runPlan`. */
  of(id: string, resumption: () => RunPlanOptions): Promise<RunResult> {
    const known = this.#known.get(id) ?? this.#read(resumption())
    this.#known.delete(id)
    this.#known.set(id, known)
    known.catch(() => this.#known.delete(id))
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostResults) break
      this.#known.delete(oldest)
    }
    return known
  }

  #read(resumption: RunPlanOptions): Promise<RunResult> {
    const { simulate } = resumption
    // What is simulated is read as such; a run that is over calls nothing, with providers or without.
    const calls = simulate === undefined || simulate === false ? { performer: noCalls } : {}
    return runPlan(undefined, { ...resumption, ...calls }).result
  }
}

/** Of a run that is over: it calls nothing. */
const noCalls = {
  perform: () => Promise.reject(new AetherflowError('host.journal', '', 'the run is over')),
}

/** A new one, or the same for the same tenant and key: a repeated request finds the run. */
export function runIdOf(tenant: string, again: string | undefined): string {
  if (again === undefined) return `r${randomBytes(12).toString('hex')}`
  return `r${createHash('sha256').update(`${tenant.length}:${tenant}${again}`).digest('hex').slice(0, 24)}`
}
