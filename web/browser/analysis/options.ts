/** How a page opens an analyzer. */
import type { AnalyzerSettings } from '../../standard/analysis/host.js'
import type { CacheAssets } from '../cache/options.js'
import type { RunPlanOptions } from '../options.js'

export interface PageAnalyzerOptions
  extends
    AnalyzerSettings,
    Pick<
      RunPlanOptions,
      | 'config'
      | 'simulate'
      | 'simulateSpeed'
      | 'policy'
      | 'seed'
      | 'keys'
      | 'providers'
      | 'relay'
      | 'worker'
      | 'fetch'
      | 'clock'
      | 'performer'
      | 'onEvent'
    > {
  /** Name of its database in the browser's IndexedDB, shared by all tabs of the origin. Absent: in memory. */
  readonly name?: string | undefined
  /** ms since 1970. */
  readonly now?: (() => number) | undefined
  /** Addresses of the package's files, where they do not lie beside each other. */
  readonly assets?: (RunPlanOptions['assets'] & CacheAssets) | undefined
}
