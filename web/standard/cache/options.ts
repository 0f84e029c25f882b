/** How a cache is opened, and what it tells. */
import type { CacheData, CacheLimits, CacheModule, JudgedCandidate } from '../../../bindings/cache/core.js'
import type { CacheEntryHead, CacheMode, CacheStore, Embedder } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { CacheJudge } from './judge.js'

/** What `maxWrongShare` may be. */
export const wrongShares = { least: 0.002, most: 0.05, usual: 0.01 } as const

/** The share, or the default. Throws host.usage for what is no number of the range. */
export function checkedWrongShare(share: number | undefined): number {
  if (share === undefined) return wrongShares.usual
  if (typeof share === 'number' && share >= wrongShares.least && share <= wrongShares.most) return share
  const range = `a number from ${wrongShares.least} to ${wrongShares.most}`
  throw new AetherflowError('host.usage', 'maxWrongShare', `maxWrongShare must be ${range}, not ${String(share)}`)
}

export interface CacheOptions {
  /** Of the answers served by meaning, the share that may be wrong: 0.002–0.05, anything else is refused; default 0.01. */
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
  /**
   * Asked about candidates that are too doubtful to be served and that no guard vetoes: see judge.ts, `modelJudge`. Without it they
   * are misses. Its yes is kept as an answer of its own, and it is left out while it costs more than it saves.
   */
  readonly judge?: CacheJudge | undefined
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
