/** What `SemanticCache.open` is told to find the same cache again. */
export interface CachePlace {
  /** Absolute. */
  readonly dir: string
  readonly model?: string
  readonly maxWrongShare?: number
}
