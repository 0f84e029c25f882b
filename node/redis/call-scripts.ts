/**
 * What workers and owners of calls have the server do in one step, so that of a call whose worker is lost either its text was shown, and
 * only the run makes it again, or it was not, and only another worker does. Names of keys: call-wire.ts.
 *
 *   waiters   id → the owner that waits
 *   starts    id → how often it was begun; `id:shown` → the owner that was told text of it
 */
import { redisScript } from './link.js'

/**
 * KEYS: waiters, starts, result. ARGV: id, base of the owners' names. → nothing when no live owner waits for it; [owner] when
 * its result is there: in both cases it is forgotten; else [owner, which start of it this is, 1 when that owner was told text of the one before].
 */
export const beginCallScript = redisScript(`
local waiter = redis.call('HGET', KEYS[1], ARGV[1])
local gone = not waiter or redis.call('EXISTS', ARGV[2] .. waiter) == 0
if gone or redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. ':shown')
  return gone and {} or {waiter}
end
local shown = redis.call('HGET', KEYS[2], ARGV[1] .. ':shown') == waiter
return {waiter, redis.call('HINCRBY', KEYS[2], ARGV[1], 1), shown and 1 or 0}
`)

/** KEYS: starts, the owner's channel. ARGV: id, start, owner, news. → 1, or 0 when another has begun it since: then nothing is told. */
export const firstTextScript = redisScript(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1] .. ':shown', ARGV[3])
redis.call('PUBLISH', KEYS[2], ARGV[4])
return 1
`)

/**
 * KEYS: waiters, starts, result. ARGV: id, end, ms to keep it, owner that waited at first, base of the owners' names, news. Of several that
 * made the call the first counts; anyone who waits by now is told.
 */
export const endCallScript = redisScript(`
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3], 'NX')
redis.call('PUBLISH', ARGV[5] .. (redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[4]), ARGV[6])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. ':shown')
return 1
`)

/** KEYS: waiters, starts. ARGV: id. A call that was cancelled. */
export const forgetCallScript = redisScript(`
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. ':shown')
return 1
`)

/** KEYS: waiters, channel of cancellations. ARGV: id, owner. → 1, or 0 when another owner waits for the call by now: it goes on. */
export const cancelCallScript = redisScript(`
local waiter = redis.call('HGET', KEYS[1], ARGV[1])
if waiter and waiter ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('PUBLISH', KEYS[2], ARGV[1])
return 1
`)

/**
 * KEYS: waiters, starts. ARGV: two cursors, base of the owners' names. Forgets calls of owners that are gone, some hundreds at a time. → the
 * next cursors, `0` at the end.
 */
export const sweepCallsScript = redisScript(`
local function some(key, cursor) return redis.call('HSCAN', key, cursor, 'COUNT', 500) end
local function forget(id)
  redis.call('HDEL', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id, id .. ':shown')
end
local waiters = some(KEYS[1], ARGV[1])
for at = 1, #waiters[2], 2 do
  if redis.call('EXISTS', ARGV[3] .. waiters[2][at + 1]) == 0 then forget(waiters[2][at]) end
end
local starts = some(KEYS[2], ARGV[2])
for at = 1, #starts[2], 2 do
  local id = string.gsub(starts[2][at], ':shown$', '')
  if redis.call('HEXISTS', KEYS[1], id) == 0 then forget(id) end
end
return {waiters[1], starts[1]}
`)
