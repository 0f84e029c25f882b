/**
 * The rules of node/serve/own-book.ts as one Lua script, so that servers of many machines share the limits and budgets of their keys:
 * every decision is one step of the server, by the server's clock. tests/redis/book.test.ts holds both to the same decisions.
 *
 * KEYS: the base of all names. ARGV: operation, owner, now (ms; negative: the server's clock), lease in ms, then its own values.
 *
 *   BASE:owners                owner → end of its lease; BASE:o:OWNER what it has let in and is not over, `ID NAME`
 *   BASE:k:NAME:recent, :tokens, :sum   requests of the last minute: their times, their tokens, the tokens' sum
 *   BASE:k:NAME:open, :held             those in flight: what is set aside for each, micro-USD (`-`: no budget), and its sum
 *   BASE:k:NAME:by                      those in flight: `OWNER KIND PURSE`; a purse is a tenant's, and has :held and a spent of its own
 *   BASE:spent:DAY:NAME                 micro-USD of a day (UTC)
 *   BASE:lapsed:ID                      one whose owner is gone: `DAY HOLD PURSE`, counted as spent until its end is told after all
 *   BASE:over:ID                        a run whose end was settled
 */
import { redisScript } from './link.js'

export const bookScript = redisScript(`
local base = KEYS[1]
local op, owner, now, lease = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if now < 0 then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
local WINDOW, DAY, WEEK = 60000, 86400000, 604800000
-- Without the zero that has a sign.
local function text(n) return string.format('%.0f', n == 0 and 0 or n) end
-- A server that is full or read-only refuses this, before anything is changed; all other writes fare alike.
redis.call('SET', base .. ':now', text(now))
local function names(name)
  local k = base .. ':k:' .. name
  return {recent = k .. ':recent', tokens = k .. ':tokens', sum = k .. ':sum', open = k .. ':open', held = k .. ':held',
    by = k .. ':by', spent = base .. ':spent:' .. text(math.floor(now / DAY)) .. ':' .. name}
end
local function number(key) return tonumber(redis.call('GET', key) or '0') end
local function spend(k, amount)
  if amount <= 0 then return end
  redis.call('SET', k.spent, text(number(k.spent) + amount), 'PX', 3 * DAY)
end
local function forget(k)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', k.recent, '-inf', text(now - WINDOW))) do
    redis.call('INCRBY', k.sum, text(-tonumber(redis.call('HGET', k.tokens, id) or '0')))
    redis.call('HDEL', k.tokens, id)
    redis.call('ZREM', k.recent, id)
  end
  if redis.call('EXISTS', k.recent) == 0 then redis.call('DEL', k.sum) end
end
local function setAside(key, amount)
  if amount ~= 0 and redis.call('INCRBY', key, text(amount)) <= 0 then redis.call('DEL', key) end
end
-- Owner, kind and purse of one in flight.
local function whose(k, id) return string.match(redis.call('HGET', k.by, id) or '- - ', '^(%S+) (%S+) (.*)$') end
-- What is set aside for it comes back; nil: it is not in flight. → that, and the tenant's purse or ''.
local function close(k, id)
  local hold = redis.call('HGET', k.open, id)
  if not hold then return nil end
  local _, _, purse = whose(k, id)
  redis.call('HDEL', k.open, id)
  redis.call('HDEL', k.by, id)
  hold = tonumber(hold) or 0
  setAside(k.held, -hold)
  if purse ~= '' then setAside(names(purse).held, -hold) end
  return hold, purse
end
local function spendBoth(k, purse, amount)
  spend(k, amount)
  if purse ~= '' then spend(names(purse), amount) end
end
-- Owners that have not been heard of within their lease: what they had let in may have cost all that was set aside for it. This is taken
-- back when they were not gone after all and settle it, and of a run when another owner goes on with it or settles it.
for _, dead in ipairs(redis.call('ZRANGEBYSCORE', base .. ':owners', '-inf', text(now))) do
  redis.call('ZREM', base .. ':owners', dead)
  for _, entry in ipairs(redis.call('SMEMBERS', base .. ':o:' .. dead)) do
    local id, name = string.match(entry, '^(%S+) (.*)$')
    local k = names(name)
    local by, kind = whose(k, id)
    if by == dead then
      local hold, purse = close(k, id)
      if hold then
        spendBoth(k, purse, hold)
        local lapsed = text(math.floor(now / DAY)) .. ' ' .. text(hold) .. ' ' .. purse
        redis.call('SET', base .. ':lapsed:' .. id, lapsed, 'PX', kind == 'request' and DAY or WEEK)
      end
    end
  end
  redis.call('DEL', base .. ':o:' .. dead)
end
-- Takes back what was counted as spent because an owner was gone. → the tenant's purse or ''; nil: nothing was.
local function restore(name, id)
  local lapsed = redis.call('GET', base .. ':lapsed:' .. id)
  if not lapsed then return nil end
  redis.call('DEL', base .. ':lapsed:' .. id)
  local day, hold, purse = string.match(lapsed, '^(%d+) (%d+) (.*)$')
  for _, one in ipairs({name, purse}) do
    local spent = base .. ':spent:' .. day .. ':' .. one
    if one ~= '' and redis.call('EXISTS', spent) == 1 then redis.call('DECRBY', spent, hold) end
  end
  return purse
end
if op ~= 'state' then redis.call('ZADD', base .. ':owners', text(now + lease), owner) end
if op == 'beat' then return {} end
local name, id = ARGV[5], ARGV[6]
local k = names(name)
forget(k)
local function answer(refused, hold)
  local first = redis.call('ZRANGE', k.recent, 0, 0, 'WITHSCORES')
  local reset = first[2] and math.max(1, tonumber(first[2]) + WINDOW - now) or 0
  return {refused, text(hold), redis.call('ZCARD', k.recent), number(k.sum), text(reset), text(number(k.spent))}
end
if op == 'state' then return answer('', number(k.held)) end
if op == 'leave' then
  -- name, id, tokens, micro-USD, kind
  redis.call('SREM', base .. ':o:' .. owner, id .. ' ' .. name)
  -- Whoever goes on with a run whose end was settled, and was lost, has nothing to settle.
  if ARGV[9] == 'again' then redis.call('SET', base .. ':over:' .. id, '1', 'PX', WEEK) end
  local hold, purse = close(k, id)
  purse = purse or restore(name, id)
  if purse then
    local before = redis.call('HGET', k.tokens, id)
    if before then
      redis.call('INCRBY', k.sum, text(tonumber(ARGV[7]) - tonumber(before)))
      redis.call('HSET', k.tokens, id, ARGV[7])
    end
    spendBoth(k, purse, tonumber(ARGV[8]))
  end
  return answer('', -1)
end
-- enter: name, id, kind, tokens, micro-USD, then of the key, -1 for none: budget of the day, requests, tokens, calls at once; the tenant's
-- purse or '', and its budget of the day
local kind, tokens, wanted = ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
local budget, requests, most, places = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local purse = ARGV[14]
local function carries()
  redis.call('HSET', k.by, id, owner .. ' ' .. kind .. ' ' .. purse)
  redis.call('SADD', base .. ':o:' .. owner, id .. ' ' .. name)
end
if kind ~= 'request' then
  -- A run that was let in stays so, whoever carries it out.
  local there = redis.call('HGET', k.open, id)
  if there then
    if kind == 'again' then
      redis.call('SREM', base .. ':o:' .. whose(k, id), id .. ' ' .. name)
      carries()
    end
    return answer('', tonumber(there) or -1)
  end
  restore(name, id)
end
-- Of the key, and of its tenant.
local purses, left = {}, math.huge
local function bounded(of, most)
  if most < 0 then return end
  local one = {held = number(of.held)}
  one.left = most - number(of.spent) - one.held
  purses[#purses + 1] = one
  left = math.min(left, one.left)
end
bounded(k, budget)
if purse ~= '' then bounded(names(purse), tonumber(ARGV[15])) end
local function share() return #purses == 0 and -1 or math.max(0, math.min(wanted, left)) end
if kind ~= 'request' and redis.call('EXISTS', base .. ':over:' .. id) == 1 then return answer('', share()) end
local function fits()
  if places >= 0 and redis.call('HLEN', k.open) >= places then return 'concurrency' end
  if requests >= 0 and redis.call('ZCARD', k.recent) >= requests then return 'requests' end
  if most < 0 then return nil end
  if tokens > most then return 'too_large' end
  if number(k.sum) + tokens > most then return 'tokens' end
end
local function pays()
  for _, one in ipairs(purses) do
    if kind == 'run' then
      if one.left <= 0 then return 'spent' end
    elseif one.left < wanted then
      if one.left + one.held >= wanted then return 'held' end
      if one.left <= 0 then return 'spent' end
    end
  end
end
local refused = kind ~= 'again' and (fits() or pays())
if refused then return answer(refused, -1) end
local hold = share()
redis.call('ZADD', k.recent, text(now), id)
redis.call('HSET', k.tokens, id, text(tokens))
redis.call('INCRBY', k.sum, text(tokens))
redis.call('HSET', k.open, id, hold < 0 and '-' or text(hold))
local kept = {k.open, k.held, k.by}
if hold > 0 then
  setAside(k.held, hold)
  if purse ~= '' then
    setAside(names(purse).held, hold)
    kept[4] = names(purse).held
  end
end
for _, key in ipairs({k.recent, k.tokens, k.sum}) do redis.call('PEXPIRE', key, 2 * WINDOW) end
for _, key in ipairs(kept) do redis.call('PEXPIRE', key, WEEK) end
carries()
return answer('', hold)
`)
