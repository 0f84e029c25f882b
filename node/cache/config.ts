/** What a configuration says of the cache, in Node. */
import type { CacheConfig } from '../../web/standard/cache/config.js'
import type { SemanticCacheOptions } from './semantic-cache.js'

/** What a cache is opened with. */
export function cacheOptionsOf(config: CacheConfig): SemanticCacheOptions {
  const { model, maxWrongShare, ttlHours, maxMb, judge } = config
  return {
    model,
    maxWrongShare,
    ...(judge === 'auto' ? { judge } : {}),
    limits: {
      ...(ttlHours === undefined ? {} : { ttlMs: Math.round(ttlHours * 3600_000) }),
      ...(maxMb === undefined ? {} : { bytes: Math.round(maxMb * 2 ** 20) }),
    },
  }
}
