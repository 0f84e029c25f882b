/** Searches in batches: what is asked of an engine. */

export interface SearchQuery {
  readonly index: string
  readonly text: string
  /** Most hits. */
  readonly limit: number
}
export interface SearchHit {
  readonly id: string
  /** Comparable within one engine; absent where it tells none. */
  readonly score?: number | undefined
}
/** Of one query: hits, best first, or what was wrong with it. */
export interface SearchAnswer {
  readonly hits: readonly SearchHit[]
  readonly error?: string | undefined
}

/** An engine. Rejects only when the whole batch failed; `SearchBatches` then finds the query that is to blame. */
export interface SearchPort {
  /** Queries of one request. */
  readonly maxBatch: number
  /** Requests at once. */
  readonly maxInFlight: number
  /** As many answers as queries, in their order. */
  search(batch: readonly SearchQuery[], signal?: AbortSignal): Promise<readonly SearchAnswer[]>
}
