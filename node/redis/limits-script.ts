/**
 * The rules of core/limit/authority.hpp and window.hpp as one Lua script, so that processes of many machines share them: every call is
 * one step of the server, by the server's clock. tests/redis/limits-differential.test.ts holds both to the same decisions.
 *
 * KEYS: the base of all names. ARGV: operation, owner, now (ms; negative: the server's clock), then its own values.
 *
 *   BASE:now              when it was asked last
 *   BASE:born             random; another one after the server has lost its memory
 *   BASE:owners           owner → end of its lease; BASE:o:OWNER its members
 *   BASE:members          member → calls it had; BASE:of member → owner; BASE:m:MEMBER call → lease
 *   BASE:groups           names; BASE:g:NAME a group (packed); BASE:g:NAME:w0 … :w3 what its windows count, oldest first
 *   BASE:freed:OWNER      the channel on which an owner hears of room
 */
import { groups, windows } from './limits-windows.js'
import { redisScript } from './link.js'

const calls = `
local function grant(g, member, call, tokens)
  g.inFlight = g.inFlight + 1
  for w = 1, 4 do g.win[w].reserved = g.win[w].reserved + (ofTokens(w) and tokens or 1) end
  local lease = {group = g.name, tokens = tokens, counted = false, probe = false, order = redis.call('INCR', base .. ':orders')}
  if g.breaker ~= 0 and g.openUntil <= now and not g.probing then
    g.breaker = 2
    g.probing = true
    lease.probe = true
  end
  redis.call('HSET', base .. ':m:' .. member, call, cmsgpack.pack(lease))
  redis.call('HINCRBY', base .. ':members', member, 1)
end
local function finish(lease, tokens, sent, ok, unwell, retryAfterMs)
  local g = load(lease.group)
  if not g then return nil end
  g.inFlight = g.inFlight - 1
  for w = 1, 4 do
    if ofTokens(w) then settleWindow(g, w, lease.tokens, sent and tokens or 0)
    elseif not lease.counted then settleWindow(g, w, 1, sent and 1 or 0) end
  end
  if retryAfterMs >= 0 then g.coolUntil = math.max(g.coolUntil, now + retryAfterMs) end
  if lease.probe then g.probing = false end
  if not sent then return g end
  if ok or (lease.probe and not unwell) then
    g.failures, g.openMs, g.breaker, g.probing = 0, 0, 0, false
    return g
  end
  if not unwell then return g end
  g.failures = g.failures + 1
  local opens = lease.probe
  if g.breaker == 0 then opens = g.limits.breakerFailures > 0 and g.failures >= g.limits.breakerFailures end
  if opens then
    g.openMs = math.min(g.openMs == 0 and g.limits.openMs or g.openMs * 2, g.limits.maxOpenMs)
    g.openUntil = now + g.openMs
    g.breaker = 1
  end
  return g
end
local function serveAll()
  local names = redis.call('SMEMBERS', base .. ':groups')
  table.sort(names)
  local wake = NEVER
  for _, name in ipairs(names) do
    local g = load(name)
    if g then
      serve(g)
      wake = math.min(wake, wakeOf(g))
    end
  end
  return wake
end
local function leave(member)
  local of = redis.call('HGET', base .. ':of', member)
  if not of then return end
  redis.call('HDEL', base .. ':of', member)
  redis.call('SREM', base .. ':o:' .. of, member)
  local flat, leases = redis.call('HGETALL', base .. ':m:' .. member), {}
  for i = 2, #flat, 2 do leases[#leases + 1] = cmsgpack.unpack(flat[i]) end
  table.sort(leases, function(a, b) return a.order > b.order end)
  redis.call('DEL', base .. ':m:' .. member)
  for _, lease in ipairs(leases) do finish(lease, lease.tokens, true, true, false, -1) end
  redis.call('HDEL', base .. ':members', member)
  for _, name in ipairs(redis.call('SMEMBERS', base .. ':groups')) do
    local g = load(name)
    local tickets, stated, before = {}, {}, #g.stated
    for _, ticket in ipairs(g.tickets) do if ticket.member ~= member then tickets[#tickets + 1] = ticket end end
    for _, one in ipairs(g.stated) do if one.member ~= member then stated[#stated + 1] = one end end
    g.tickets, g.stated = tickets, stated
    if #stated > 0 and #stated < before then settleLimits(g) end
  end
  serveAll()
end
-- Owners that have not been heard of within their lease: what they hold comes back.
local function sweep()
  for _, dead in ipairs(redis.call('ZRANGEBYSCORE', base .. ':owners', '-inf', text(now))) do
    redis.call('ZREM', base .. ':owners', dead)
    for _, member in ipairs(redis.call('SMEMBERS', base .. ':o:' .. dead)) do leave(member) end
    redis.call('DEL', base .. ':o:' .. dead)
  end
end
local function answer(...)
  saveAll()
  local out = {text(now), ...}
  local own = {}
  for _, one in ipairs(freed) do
    local of = redis.call('HGET', base .. ':of', one[1])
    if of == owner then
      own[#own + 1] = one[1]
      own[#own + 1] = one[2]
    elseif of then
      redis.call('PUBLISH', base .. ':freed:' .. of, one[1] .. ' ' .. one[2])
    end
  end
  out[#out + 1] = own
  return out
end
`

const operations = `
local function flag(at) return ARGV[at] == '1' end
local function number(at) return tonumber(ARGV[at]) end
sweep()
if op == 'beat' then
  -- lease in ms → whether the owner is known
  if not redis.call('ZSCORE', base .. ':owners', owner) then return answer('0') end
  redis.call('ZADD', base .. ':owners', text(now + number(4)), owner)
  return answer('1')
end
if op == 'join' then
  -- lease in ms, member, born as the owner knows it or '', born if there is none, then for each group: name, places, four limits,
  -- breaker (3) → born
  local member = ARGV[5]
  redis.call('SET', base .. ':born', ARGV[7], 'NX')
  local born = redis.call('GET', base .. ':born')
  if redis.call('HGET', base .. ':of', member) then return answer(born, {}) end
  local narrowed = {}
  -- What was used within the last minute is forgotten.
  local shut = ARGV[6] ~= '' and ARGV[6] ~= born
  redis.call('ZADD', base .. ':owners', text(now + number(4)), owner)
  local least
  for _, one in ipairs(redis.call('HVALS', base .. ':members')) do
    if not least or tonumber(one) < least then least = tonumber(one) end
  end
  redis.call('HSET', base .. ':members', member, text(least or 0))
  redis.call('HSET', base .. ':of', member, owner)
  redis.call('SADD', base .. ':o:' .. owner, member)
  for at = 8, #ARGV, 9 do
    local name = ARGV[at]
    local one = {member = member, places = number(at + 1), most = {number(at + 2), number(at + 3), number(at + 4), number(at + 5)},
      breakerFailures = number(at + 6), openMs = number(at + 7), maxOpenMs = number(at + 8)}
    local g = load(name)
    if not g then
      g = {name = name, stated = {}, limits = one, win = {}, inFlight = 0, coolUntil = 0, breaker = 0,
        failures = 0, probing = false, openMs = 0, openUntil = 0, tickets = {}}
      for w = 1, 4 do
        g.win[w] = {configured = one.most[w], learned = -1, limit = one.most[w], used = 0, reserved = 0, foreign = 0, foreignUntil = 0,
          head = false}
      end
      loaded[name] = g
      redis.call('SADD', base .. ':groups', name)
    end
    if shut then g.coolUntil = math.max(g.coolUntil, now + 60000) end
    if #g.stated > 0 and differs(g.limits, one) then narrowed[#narrowed + 1] = name end
    g.stated[#g.stated + 1] = one
    settleLimits(g)
  end
  return answer(born, narrowed)
end
if op == 'tick' then return answer(text(serveAll())) end
if op == 'leave' then
  leave(ARGV[4])
  return answer()
end
if op == 'seen' then
  -- group, window, limit, remaining, ms until it is whole
  local g = load(ARGV[4])
  if g then seenWindow(g, number(5) + 1, number(6), number(7), number(8)) end
  return answer()
end
if op == 'state' then
  local out = {}
  local names = redis.call('SMEMBERS', base .. ':groups')
  table.sort(names)
  for _, name in ipairs(names) do
    local g = load(name)
    out[#out + 1] = {name, g.inFlight, #g.tickets, g.breaker}
  end
  return answer(out)
end
local member, call = ARGV[4], ARGV[5]
if not redis.call('HGET', base .. ':of', member) then return answer('gone') end
if op == 'ask' then
  -- member, call, group, tokens, priority, again → why or '', window, until, next wake
  local g, tokens, priority = load(ARGV[6]), number(7), number(8)
  if not g then return answer('gone') end
  if redis.call('HEXISTS', base .. ':m:' .. member, call) == 1 then return answer('', -1, '-1', text(wakeOf(g))) end
  lapse(g)
  if flag(9) then
    grant(g, member, call, tokens)
    return answer('', -1, '-1', text(wakeOf(g)))
  end
  local mine
  for _, ticket in ipairs(g.tickets) do if ticket.member == member then mine = ticket end end
  if mine then
    mine.priority = math.max(mine.priority, priority)
    mine.tokens = tokens
  else
    mine = {member = member, priority = priority, tokens = tokens, order = redis.call('INCR', base .. ':orders'), passed = 0, offeredUntil = -1}
    g.tickets[#g.tickets + 1] = mine
  end
  local function without()
    local kept = {}
    for _, ticket in ipairs(g.tickets) do if ticket ~= mine then kept[#kept + 1] = ticket end end
    g.tickets = kept
  end
  if tooLarge(g, tokens) then
    without()
    serve(g)
    return answer('too_large', -1, '-1', text(wakeOf(g)))
  end
  local granted, why, window, untilAt = room(g, 1, counted(g, tokens))
  if granted then
    local calls, sum, better = 1, counted(g, tokens), false
    for _, ticket in ipairs(g.tickets) do
      if ticket ~= mine and not tooLarge(g, ticket.tokens) and before(ticket, mine) then
        better = true
        calls = calls + 1
        sum = sum + counted(g, ticket.tokens)
      end
    end
    if better and not room(g, calls, sum) then granted, why, window, untilAt = false, 'turn', -1, NEVER end
  end
  if not granted then
    mine.offeredUntil = -1
    serve(g)
    return answer(why, window, untilAt >= NEVER and '-1' or text(untilAt), text(wakeOf(g)))
  end
  without()
  for _, ticket in ipairs(g.tickets) do
    if ticket.order < mine.order or before(ticket, mine) then ticket.passed = ticket.passed + 1 end
  end
  grant(g, member, call, tokens)
  serve(g)
  return answer('', -1, '-1', text(wakeOf(g)))
end
local packed = redis.call('HGET', base .. ':m:' .. member, call)
if not packed then return answer('') end
local lease = cmsgpack.unpack(packed)
if op == 'arrived' then
  if not lease.counted then
    lease.counted = true
    local g = load(lease.group)
    for w = 1, 4 do if not ofTokens(w) then settleWindow(g, w, 1, 1) end end
    redis.call('HSET', base .. ':m:' .. member, call, cmsgpack.pack(lease))
  end
  return answer('')
end
if op == 'settle' then
  -- member, call, tokens, sent, ok, unwell, ms to wait
  redis.call('HDEL', base .. ':m:' .. member, call)
  local g = finish(lease, number(6), flag(7), flag(8), flag(9), number(10))
  if g then serve(g) end
  return answer('')
end
return redis.error_reply('ERR unknown operation')
`

export const limitsScript = redisScript(windows + groups + calls + operations)
