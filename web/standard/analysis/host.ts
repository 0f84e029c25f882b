/** What every host's analyzer has in common: its route, its limits, and what it takes from a run. */
import { defaultTable } from '../../../bindings/generated/default-table.js'
import type { RunEvent } from '../../../bindings/events.js'
import { canonical } from '../../../bindings/canonical.js'
import type { Config } from '../config.js'
import type { RunResult } from '../run/plan-run.js'
import type { PlanSettings } from '../run/setup.js'
import { countTokens } from '../simulator/tokens.js'
import type { AnalysisRun } from './analyzer.js'
import type { AnalysisEvent } from './statistics.js'

/** Settings of an analyzer that every host knows. */
export interface AnalyzerSettings {
  /** Mode whose models are asked, in their order; default `analysis-fast`, which a configuration may change as any other. */
  readonly mode?: string | undefined
  /** Most answers that are kept, the least recently used go first; default 100. */
  readonly entries?: number | undefined
  /** How long an answer is good, ms; default one hour. Never served after that. */
  readonly ttlMs?: number | undefined
  /** Told of what is gone without: a store that fails. For people. */
  readonly onProblem?: ((problem: string) => void) | undefined
  /** Told of every request that has ended: for counters of your own, or `Metrics.analysis`. */
  readonly onAnalysis?: ((event: AnalysisEvent) => void) | undefined
}

export const analysisMode = 'analysis-fast'

/** As the cache counts them. */
export const analysisLimits = ({ entries = 100, ttlMs = 3600_000 }: AnalyzerSettings) => ({ entries, ttlMs })

export const estimate = countTokens

/** All that decides who answers: another answer may be expected when it changes. What is simulated never meets what is not. */
export function routeText(
  { mode = analysisMode }: AnalyzerSettings,
  config: Config,
  simulate: PlanSettings['simulate'],
): string {
  const table = JSON.parse(defaultTable) as Config
  const rules = { ...(table.modes?.[mode] as object), ...(config.modes?.[mode] as object) }
  return canonical({ mode, rules, simulate: simulate === undefined || simulate === false ? null : simulate })
}

/** Options of the run: what was said is data, so no word of it is stripped. */
export const runSettings = ({ mode = analysisMode }: AnalyzerSettings) => ({ mode, strip: false }) as const

/** Watches a run for the reason of its failure. `start` gets the listener. */
export async function watched(
  start: (onEvent: (event: RunEvent) => void) => PromiseLike<RunResult>,
  signal: AbortSignal,
): Promise<AnalysisRun> {
  let message: string | undefined
  const { outputs, report } = await start((event) => {
    if (event.type === 'failed') message = `${event.failure}: ${event.message}`
    else if (event.type === 'cancelled' || event.type === 'skipped') message ??= event.reason
  })
  return { outputs, report, message: signal.aborted ? 'nobody waits for it any more' : message }
}
