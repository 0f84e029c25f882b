/**
 * One cache, one set of limits and runs that survive their machine, for processes that share a Redis (or Valkey) server:
 *
 *   import { connectRedis, RedisCacheStore } from '@aetherflow/aetherflow/redis'
 *   const link = await connectRedis('redis://127.0.0.1:6379')
 *   const cache = await SemanticCache.open({ store: new RedisCacheStore(link) })
 *
 * Needs `ioredis`, an optional peer.
 *
 * @packageDocumentation
 */
export { RedisAnswerCache, type RedisAnswerCacheOptions } from './answer-cache.js'
export { RedisAuthority, type RedisAuthorityOptions, type SharedGroupState } from './authority.js'
export { RedisCacheStore, type RedisCacheStoreOptions } from './cache-store.js'
export {
  connectRedis,
  redisLink,
  type IoredisClient,
  type RedisArgument,
  type RedisLink,
  type RedisLinkOptions,
} from './link.js'
export { RedisRunStore, type RedisRunStoreOptions } from './run-store.js'
export { RedisValues } from './values.js'
export { RunOwner, type RunEnd, type RunOwnerOptions } from './owner.js'
export { RemoteCalls } from './remote-calls.js'
export { startWorker, type RunningWorker, type WorkerOptions } from './worker.js'
export { WorkerTotals } from './worker-totals.js'
export { workersAt, type QueueState } from './workers.js'
export type { WorkerState } from './call-wire.js'
