/** What the cache's store asks of the server in one step. */
import { mostVersions } from '../../web/standard/stores/memory.js'
import { redisScript } from './link.js'

/** Changes that are remembered; anyone who was away for longer reads everything again. */
export const changesKept = 10_000

/** Scopes that changed last, by the number of that change. */
const changed = `
local function changed(versions, scope, seq)
  if not scope then return end
  redis.call('ZADD', versions, seq, scope)
  redis.call('ZREMRANGEBYRANK', versions, 0, -${mostVersions + 1})
end
`

/** KEYS: versions. ARGV: scope. → of a scope that is not kept one that is no less than its own. */
export const versionScript = redisScript(`
local own = redis.call('ZSCORE', KEYS[1], ARGV[1])
if own then return tonumber(own) end
if redis.call('ZCARD', KEYS[1]) < ${mostVersions} then return 0 end
return tonumber(redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2])
`)

/**
 * KEYS: secret, sequence, changes, heads, uses, bytes, body, versions. ARGV: secret, writer, key, head, body, time of its end (ms since 1970),
 * time of its use, changes to keep, scope. A head is `writer|bytes|JSON`.
 */
export const putScript = redisScript(`${changed}
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local old = redis.call('HGET', KEYS[4], ARGV[3])
local bytes = #ARGV[5]
if old then bytes = bytes - tonumber(string.match(old, '^%x+|(%d+)|')) end
redis.call('SET', KEYS[7], ARGV[5], 'PXAT', ARGV[6])
redis.call('HSET', KEYS[4], ARGV[3], ARGV[2] .. '|' .. #ARGV[5] .. '|' .. ARGV[4])
redis.call('ZADD', KEYS[5], ARGV[7], ARGV[3])
redis.call('INCRBY', KEYS[6], bytes)
local seq = redis.call('INCR', KEYS[2])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[8], seq .. '-1', 'w', ARGV[2], 'k', ARGV[3], 'o', 'p')
changed(KEYS[8], ARGV[9], seq)
return seq
`)

/** KEYS: sequence, changes, heads, uses, bytes, versions, then the bodies. ARGV: writer, changes to keep, then the keys in the same order. */
export const removeScript = redisScript(`${changed}
for i = 3, #ARGV do
  local old = redis.call('HGET', KEYS[3], ARGV[i])
  redis.call('DEL', KEYS[i + 4])
  if old then
    redis.call('HDEL', KEYS[3], ARGV[i])
    redis.call('ZREM', KEYS[4], ARGV[i])
    redis.call('DECRBY', KEYS[5], tonumber(string.match(old, '^%x+|(%d+)|')))
    local seq = redis.call('INCR', KEYS[1])
    redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], seq .. '-1', 'w', ARGV[1], 'k', ARGV[i], 'o', 'r')
    changed(KEYS[6], string.match(old, '"scope":"(%x+)"'), seq)
  end
end
return 0
`)

/**
 * KEYS: sequence, changes, heads. ARGV: the last sequence that is known, most changes to hand out.
 * → [sequence] when there is nothing, [sequence, 'all'] when too much has happened, or [sequence, writer, key, op, head or '', …].
 */
export const changesScript = redisScript(`
local seq = tonumber(redis.call('GET', KEYS[1]) or '0')
local last = tonumber(ARGV[1])
if seq == last then return {seq} end
if last > seq or seq - last > tonumber(ARGV[2]) then return {seq, 'all'} end
local found = redis.call('XRANGE', KEYS[2], (last + 1) .. '-0', '+')
if #found ~= seq - last then return {seq, 'all'} end
local out = {seq}
for _, entry in ipairs(found) do
  local f = entry[2]
  out[#out + 1] = f[2]
  out[#out + 1] = f[4]
  out[#out + 1] = f[6]
  out[#out + 1] = f[6] == 'p' and redis.call('HGET', KEYS[3], f[4]) or ''
end
return out
`)
