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
export { redisPlace, type RedisPlace } from './address.js'
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
export type { NodeRedisClient } from './node-redis.js'
export { RedisRunStore, type RedisRunStoreOptions } from './run-store.js'
export { RedisBook, type RedisBookOptions } from './book.js'
export { SharedRuns, type SharedRunsOptions } from './shared-runs.js'
export { RedisValues } from './values.js'
export { RunOwner, type OwnerState, type RunEnd, type RunOwnerOptions, type Submission } from './owner.js'
export type { OwnedJob } from './owned-job.js'
export { RemoteCalls } from './remote-calls.js'
export { startWorker, type RunningWorker, type WorkerOptions } from './worker.js'
export { WorkerTotals } from './worker-totals.js'
export { workersAt, type MachinesState, type QueueState } from './workers.js'
export type { WorkerState } from './call-wire.js'
