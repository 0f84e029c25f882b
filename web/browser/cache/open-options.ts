/** What opens a cache, on either side of its worker. */
import type { CacheOptions } from '../../standard/cache/options.js'
import type { ModelProgress } from './model-files.js'
import type { RuntimeSource } from './model-runtime.js'

export interface OpenOptions extends CacheOptions {
  readonly name?: string | undefined
  /** Absolute, as all addresses here. */
  readonly model?: string | undefined
  readonly runtime?: RuntimeSource | undefined
  readonly module: string
  readonly data: string
}

export interface OpenHooks {
  readonly progress: ModelProgress
  readonly signal: AbortSignal
}
