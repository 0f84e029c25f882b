/** Structured analysis of conversations in Node: see web/standard/analysis/analyzer.ts. */
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent } from '../../bindings/events.js'
import { Analyzer, type Analysis } from '../../web/standard/analysis/analyzer.js'
import {
  analysisLimits,
  estimate,
  routeText,
  runSettings,
  watched,
  type AnalyzerSettings,
} from '../../web/standard/analysis/host.js'
import type { AnalyzeRequest } from '../../web/standard/analysis/request.js'
import type { AnalysisEvent } from '../../web/standard/analysis/statistics.js'
import { canonical } from '../../bindings/canonical.js'
import { checkConfig } from '../../web/standard/config.js'
import { PlanRun } from '../../web/standard/run/plan-run.js'
import { analysisTelemetry, telemetry } from '../../web/standard/telemetry/otel.js'
import { SemanticCache, type SemanticCacheOptions } from '../cache/semantic-cache.js'
import { readConfig } from '../config.js'
import { digest } from '../digest.js'
import { loadCore } from '../loader.js'
import type { RunPlanOptions } from '../options.js'
import { execute } from '../run/execute.js'
import { pooledTransport } from '../transport/transport.js'

/** Options of the runs that answer, where the answers are kept, and whose wall clock says how old they are. */
export interface AnalyzerOptions
  extends
    AnalyzerSettings,
    Pick<
      RunPlanOptions,
      | 'config'
      | 'configFile'
      | 'project'
      | 'simulate'
      | 'policy'
      | 'seed'
      | 'fetch'
      | 'pool'
      | 'limits'
      | 'clock'
      | 'performer'
      | 'telemetry'
      | 'onEvent'
    >,
    Pick<SemanticCacheOptions, 'dir' | 'store' | 'now'> {}

/**
 * Opens an analyzer: answers in memory, in `dir` or in any `store` of a cache. Fails: host.config, host.usage, cache.store_failed.
 *
 *   const analyzer = await openAnalyzer({ dir: 'analyses' })
 *   const { value } = await analyzer.analyze({ session: 'chat-7', history, schema })
 */
export async function openAnalyzer(options: AnalyzerOptions = {}): Promise<Analyzer> {
  const { dir, store, now, onProblem, onAnalysis, simulate, fetch, performer } = options
  const config = options.config === undefined ? await readConfig(options.configFile) : checkConfig(options.config)
  const cache = await SemanticCache.open({ dir, store, now, onProblem, mode: 'exact', limits: analysisLimits(options) })
  const real = (simulate ?? false) === false && fetch === undefined && performer === undefined
  const pool = options.pool ?? (real ? pooledTransport(config.transport) : undefined)
  const told = options.telemetry && analysisTelemetry(options.telemetry)
  const validity = new Validity()
  return new Analyzer({
    digest,
    estimate,
    route: routeText(options, config, simulate),
    run: (plan, { tenant, signal }) =>
      watched((onEvent) => running(plan, { ...options, config, pool, tenant, signal }, onEvent), signal),
    cache: {
      get: (question) => cache.get(question),
      put: (put) => cache.put(put),
      close: async () => {
        validity.close()
        if (options.pool === undefined) await pool?.close()
        await cache.close()
      },
    },
    valid: (schema, text) => validity.of(schema, text),
    now: () => performance.now(),
    wallClock: now ?? Date.now,
    onProblem,
    onAnalysis: (event: AnalysisEvent) => {
      onAnalysis?.(event)
      told?.(event)
    },
  })
}

function running(
  plan: object,
  { tenant, signal, ...options }: AnalyzerOptions & { readonly tenant: string; readonly signal: AbortSignal },
  onEvent: (event: RunEvent) => void,
): PlanRun {
  const traced = options.telemetry && telemetry({ name: 'analysis', ...options.telemetry })
  const { config, project, simulate, policy, seed, fetch, pool, limits, clock, performer } = options
  const settings = { config, project, simulate, policy, seed, fetch, pool, limits, clock, performer }
  return new PlanRun((emit, own) =>
    execute(
      new TextEncoder().encode(JSON.stringify(plan)),
      { ...settings, ...runSettings(options), signal, documents: false, ...(tenant === '' ? {} : { tenant }) },
      (event) => {
        onEvent(event)
        options.onEvent?.(event)
        traced?.(event)
        emit(event)
      },
      own,
    ),
  )
}

/** Analyzers of `analyze`, by the object of their options. */
const usual = new WeakMap<object, Promise<Analyzer>>()
const noOptions: AnalyzerOptions = {}

/**
 * One analysis, with answers kept in the memory of this process; calls with the same object of options share an analyzer, as do all
 * without. Rejects as `Analyzer.analyze` and `openAnalyzer`.
 */
export async function analyze<Value = unknown>(
  request: AnalyzeRequest,
  options: AnalyzerOptions = noOptions,
): Promise<Analysis<Value>> {
  let opened = usual.get(options)
  if (opened === undefined) {
    opened = openAnalyzer(options)
    usual.set(options, opened)
    // What could not be opened may be tried again.
    opened.catch(() => usual.delete(options))
  }
  return (await opened).analyze<Value>(request)
}

/** Most schemas whose cores are kept. */
const mostSchemas = 8

/** Holds kept answers to their schema with the core's own check: a store may have been written by anybody. */
class Validity {
  readonly #cores = new Map<string, CoreRun>()

  async of(schema: object, text: string): Promise<boolean> {
    const key = canonical(schema)
    const core = this.#cores.get(key) ?? (await opened(schema))
    this.#cores.delete(key)
    this.#cores.set(key, core)
    for (const [oldest, other] of this.#cores) {
      if (this.#cores.size <= mostSchemas) break
      this.#cores.delete(oldest)
      other.dispose()
    }
    return core.check(0, text).verdict === 'passed'
  }

  close(): void {
    for (const core of this.#cores.values()) core.dispose()
    this.#cores.clear()
  }
}

async function opened(schema: object): Promise<CoreRun> {
  const core = new CoreRun(await loadCore())
  const steps = [{ id: 'answer', type: 'analysis', description: '-', output: schema }]
  core.planBytes(new TextEncoder().encode(JSON.stringify({ task_id: 'check', description: '', steps })), 0)
  core.planEnd(0)
  return core
}
