/** What owners of runs have the server do in one step. Names of keys: run-keys.ts. */
import { redisScript } from './link.js'

const clock = `
local function ms()
  local t = redis.call('TIME')
  return string.format('%d', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
end
`

/**
 * KEYS: job, open, news, list of names or ''. ARGV: id, plan, request, base of the runs' names. → 1, or 0 when there is one of that id.
 * Of the list the oldest go that are kept no longer.
 */
export const submitScript = redisScript(`${clock}
if redis.call('HSETNX', KEYS[1], 'plan', ARGV[2]) == 0 then return 0 end
local at = ms()
redis.call('HSET', KEYS[1], 'request', ARGV[3], 'at', at)
redis.call('SADD', KEYS[2], ARGV[1])
if #KEYS == 4 then
  for _, old in ipairs(redis.call('ZRANGE', KEYS[4], 0, 9)) do
    if redis.call('EXISTS', ARGV[4] .. old .. ':job') == 0 then redis.call('ZREM', KEYS[4], old) end
  end
  redis.call('ZADD', KEYS[4], at, ARGV[1])
end
redis.call('PUBLISH', KEYS[3], '+' .. ARGV[1])
return 1
`)

/** KEYS: open. ARGV: base of the runs' names, most, ids of one's own runs. → ids without an owner; those of one's own that are cancelled. */
export const lookScript = redisScript(`
local free, stop, most = {}, {}, tonumber(ARGV[2])
if most > 0 then
  for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
    if redis.call('EXISTS', ARGV[1] .. id .. ':lease') == 0 then
      free[#free + 1] = id
      if #free >= most then break end
    end
  end
end
for at = 3, #ARGV do
  if redis.call('HEXISTS', ARGV[1] .. ARGV[at] .. ':job', 'cancelled') == 1 then stop[#stop + 1] = ARGV[at] end
end
return {free, stop}
`)

/**
 * KEYS: head, job, outputs, open. ARGV: epoch, id, the owner's process. → plan, request, cancelled, how many owners in a row were lost
 * without another step done, steps whose output is there; nothing when it is over; false when it is another's.
 */
export const beginScript = redisScript(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return false end
if redis.call('HEXISTS', KEYS[2], 'plan') == 0 or redis.call('HEXISTS', KEYS[2], 'end') == 1 then
  redis.call('SREM', KEYS[4], ARGV[2])
  return {}
end
local done, lost = redis.call('HLEN', KEYS[3]), 0
if redis.call('HEXISTS', KEYS[2], 'owner') == 1 then
  local before = tonumber(redis.call('HGET', KEYS[2], 'done'))
  lost = done > before and 1 or tonumber(redis.call('HGET', KEYS[2], 'lost')) + 1
end
redis.call('HSET', KEYS[2], 'owner', ARGV[3], 'done', done, 'lost', lost)
local has = redis.call('HMGET', KEYS[2], 'plan', 'request', 'cancelled')
return {has[1], has[2] or '', has[3] or '', lost, redis.call('HKEYS', KEYS[3])}
`)

/** KEYS: head, hash. ARGV: epoch, field, value. → 1, or 0 when it is another's. */
export const putScript = redisScript(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1
`)

/** KEYS: head, events, channel. ARGV: epoch, how many there are, the new ones. → 1, or 0 when it is another's. */
export const tellScript = redisScript(`
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] or redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[2]) then return 0 end
local new = {unpack(ARGV, 3)}
redis.call('RPUSH', KEYS[2], unpack(new))
redis.call('PUBLISH', KEYS[3], '{"at":' .. ARGV[2] .. ',"events":[' .. table.concat(new, ',') .. ']}')
return 1
`)

/** KEYS: head, job, open, channel, further keys of the run. ARGV: epoch, id, end, ms to keep it. → 1, or 0 when it is another's. */
export const endScript = redisScript(`${clock}
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'end', ARGV[3], 'endedAt', ms())
redis.call('HDEL', KEYS[2], 'owner')
redis.call('SREM', KEYS[3], ARGV[2])
redis.call('PUBLISH', KEYS[4], '{"over":true}')
for at = 1, #KEYS do
  if at ~= 3 and at ~= 4 then redis.call('PEXPIRE', KEYS[at], ARGV[4]) end
end
return 1
`)

/** KEYS: head, job. ARGV: epoch. It is handed on: its owner was not lost. */
export const leaveScript = redisScript(`
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then redis.call('HDEL', KEYS[2], 'owner') end
return 1
`)

/** KEYS: job, news. ARGV: id. Of a run that is over nothing is changed. */
export const cancelScript = redisScript(`
if redis.call('HEXISTS', KEYS[1], 'plan') == 0 or redis.call('HEXISTS', KEYS[1], 'end') == 1 then return 0 end
redis.call('HSET', KEYS[1], 'cancelled', '1')
redis.call('PUBLISH', KEYS[2], 'x' .. ARGV[1])
return 1
`)
