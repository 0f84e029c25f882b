/** Structured analysis of conversations in a page; loaded with the first. See web/standard/analysis/analyzer.ts. */
import type { RunEvent } from '../../../bindings/events.js'
import { Analyzer } from '../../standard/analysis/analyzer.js'
import { analysisLimits, estimate, routeText, runSettings, watched } from '../../standard/analysis/host.js'
import { checkConfig } from '../../standard/config.js'
import type { PlanRun } from '../../standard/run/plan-run.js'
import type { PlanSource } from '../../standard/run/plan-source.js'
import type { SemanticCache } from '../cache/semantic-cache.js'
import { digest } from '../digest.js'
import type { PageRunResult, RunPlanOptions } from '../options.js'
import type { PageAnalyzerOptions } from './options.js'

/** What the page has loaded already: the cache lies beside what it loads. */
export interface PageParts {
  run(plan: PlanSource, options: RunPlanOptions): PlanRun<PageRunResult>
  readonly openCache: typeof SemanticCache.open
}

export async function open(options: PageAnalyzerOptions, { run, openCache }: PageParts): Promise<Analyzer> {
  const { mode, entries, ttlMs, onAnalysis, name, now, onProblem, ...runs } = options
  const config = checkConfig(options.config ?? {})
  const { assets } = options
  const limits = analysisLimits({ entries, ttlMs })
  const cache = await openCache({ name, now, onProblem, mode: 'exact', limits, assets })
  return new Analyzer({
    digest,
    estimate,
    route: routeText({ mode }, config, options.simulate),
    run: (plan, { tenant, signal }) => {
      const tell = (onEvent: (event: RunEvent) => void) => (event: RunEvent) => {
        onEvent(event)
        options.onEvent?.(event)
      }
      const more = { ...runSettings({ mode }), signal, ...(tenant === '' ? {} : { tenant }) }
      return watched((onEvent) => run(JSON.stringify(plan), { ...runs, ...more, onEvent: tell(onEvent) }), signal)
    },
    cache,
    now: () => performance.now(),
    wallClock: now ?? Date.now,
    onProblem,
    onAnalysis,
  })
}
