/** How a cache is opened, and what it tells. */
import type { CacheData, CacheLimits, CacheModule, JudgedCandidate } from '../../../bindings/cache/core.js'
import type { CacheEntryHead, CacheMode, CacheStore, Embedder } from '../../../bindings/cache/ports.js'

export interface CacheOptions {
  /** Of the answers served by meaning, the share that may be wrong. 0.002–0.05, anything else is moved to the nearer end; default 0.01. */
  readonly maxWrongShare?: number | undefined
  /** Least cosine. 0.7 with a model and 0.6 without stand whatever is said here. */
  readonly floor?: number | undefined
  /** Of look-ups and answers that do not say; default semantic. */
  readonly mode?: CacheMode | undefined
  readonly limits?: Partial<CacheLimits> | undefined
  /**
   * Checks on itself: this share of would-be hits is answered `miss`, so that the caller asks the model, and the answer that is then
   * put is compared with the kept one. Default 0. `same`: do two answers say the same; default: equal texts, anything else teaches nothing.
   */
  readonly shadow?:
    { readonly share: number; readonly same?: (kept: string, fresh: string) => boolean | Promise<boolean> } | undefined
  /** Told of what the cache goes on without: damage in its store, a model that cannot be loaded. */
  readonly onProblem?: ((problem: string) => void) | undefined
  /** ms since 1970. */
  readonly now?: (() => number) | undefined
}

export interface CacheParts {
  readonly module: CacheModule
  readonly data: CacheData
  readonly store: CacheStore
  /** Absent: the built-in one. */
  readonly embedder?: Embedder | undefined
}

/** One stored prompt beside the one that was asked. */
export interface ExplainedCandidate extends Omit<JudgedCandidate, 'id'> {
  readonly key: string
  readonly label: string
  readonly prompt: string
  readonly answer: string
  readonly createdAt: number
}
export interface CacheExplanation {
  /** Why no answer may be found by its meaning; '' when one may. */
  readonly exactOnly: string
  /** Entries for exactly this request. */
  readonly exact: readonly CacheEntryHead[]
  /** In each scope up to the first that would serve, best first. */
  readonly candidates: readonly ExplainedCandidate[]
}
