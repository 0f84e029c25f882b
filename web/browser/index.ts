/**
 * AetherFlow in a page.
 *
 *   import { runPlan } from '@aetherflow/aetherflow'
 *   const result = await runPlan(plan, { keys: (provider) => form.get(provider), onEvent: draw })
 *
 * The core and the calls run in a worker. Keys, prompts and answers stay in memory: nothing here writes to a storage or an address.
 *
 * @packageDocumentation
 */
import type { RunEvent } from '../../bindings/events.js'
import { PlanRun } from '../standard/plan-run.js'
import { planBytes, type PlanSource } from '../standard/plan-source.js'
import type { CheckedPlan, ExplainedPlan } from '../standard/run-setup.js'
import { pageOf, type JobKind } from './job.js'
import type { PageRunResult, PlanOptions, RunPlanOptions, ThreadOptions } from './options.js'
import type { CorsProbe } from './probe.js'
import { performAnywhere } from './threads.js'

export { AetherflowError } from '../../bindings/errors.js'
export type { ErrorCode, FailureKind, Outcome, Purpose, Reason } from '../../bindings/generated/wire.js'
export type * from '../../bindings/events.js'
export type { Clock, Fetch } from '../../bindings/ports.js'
export type { Config, PolicyConfig, ProviderConfig } from '../standard/config.js'
export { PlanRun, type RunControl, type RunResult } from '../standard/plan-run.js'
export type { PlanSource } from '../standard/plan-source.js'
export type { CheckedPlan, ExplainedPlan } from '../standard/run-setup.js'
export type { SimulatorProfile } from '../standard/simulator/index.js'
export type * from './options.js'
export type { CorsProbe } from './probe.js'
export { disposeWorkers } from './threads.js'

/**
 * Runs a plan: an object, JSON text, bytes, or an async iterable of chunks (then steps start while it is still coming). The
 * result is awaited or iterated: `await runPlan(…)` gives a PageRunResult, `for await (… of runPlan(…))` its events.
 * Rejects with AetherflowError: json.* and plan.* (nothing was called, unless the plan streamed), route.*, options.invalid,
 * host.*; host.worker when the worker stops. Failed steps do not reject: see `outcome` and `report`.
 */
export function runPlan(plan: PlanSource, options: RunPlanOptions = {}): PlanRun<PageRunResult> {
  return new PlanRun(async (emit, own) => {
    const tell = (event: RunEvent): void => {
      options.onEvent?.(event)
      emit(event)
    }
    const { signal } = options
    let control: { cancel(): void } | undefined
    const abort = (): void => control?.cancel()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const page = pageOf(options, tell, (given) => {
        control = given
        own(given)
        if (signal?.aborted === true) given.cancel()
      })
      const { value, thread } = await performAnywhere('run', planBytes(plan), options, page)
      return { ...(value as PageRunResult), thread }
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  })
}

/** Checks a plan without any provider: its steps and warnings. Rejects with json.* or plan.*. */
export async function checkPlan(plan: PlanSource, options: ThreadOptions = {}): Promise<CheckedPlan> {
  return (await quietly('check', plan, options)) as CheckedPlan
}

/**
 * Runs the plan on a virtual clock: makespan, critical path, cost range, routes. No call is made. Providers without a key
 * count as configured when none has one.
 */
export async function explainPlan(plan: PlanSource, options: PlanOptions = {}): Promise<ExplainedPlan> {
  return (await quietly('explain', plan, options)) as ExplainedPlan
}

/**
 * Whether this page can call a provider, as far as a page can know: by asking for its models, with the key when `keys` knows one.
 * Behind `relay`, whether it can call the relay. Rejects with route.unknown_provider.
 */
export async function probeCors(provider: string, options: Omit<PlanOptions, 'providers'> = {}): Promise<CorsProbe> {
  return (await quietly('probe', '', { ...options, providers: [provider] })) as CorsProbe
}

async function quietly(kind: Exclude<JobKind, 'run'>, plan: PlanSource, options: PlanOptions): Promise<unknown> {
  const page = pageOf(
    options,
    () => undefined,
    () => undefined,
  )
  return (await performAnywhere(kind, planBytes(plan), options, page)).value
}
