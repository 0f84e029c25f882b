/** Windows and groups of the limits: the first half of the script, see limits-script.ts. */

export const windows = `
local base = KEYS[1]
local op, owner, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
if now < 0 then
  local t = redis.call('TIME')
  now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
-- A server that is full or read-only refuses this, before anything is changed; all other writes fare alike.
redis.call('SET', base .. ':now', string.format('%.0f', now))
local NEVER = 2^52
local LENGTH = {60000, 60000, 86400000, 86400000}
local function ofTokens(w) return w == 2 or w == 4 end
local loaded, freed = {}, {}
local function text(n) return string.format('%.0f', n) end
local function entries(g, w) return base .. ':g:' .. g.name .. ':w' .. (w - 1) end

local function expire(g, w)
  local win = g.win[w]
  while win.head and win.head <= now do
    local gone = redis.call('LPOP', entries(g, w))
    if not gone then
      win.head, win.used = false, 0
      break
    end
    win.used = win.used - tonumber(string.match(gone, ':(%-?%d+)$'))
    local first = redis.call('LINDEX', entries(g, w), 0)
    win.head = first and tonumber(string.match(first, '^(%d+):')) or false
  end
  if win.foreignUntil <= now then win.foreign = 0 end
end
local function taken(g, w)
  expire(g, w)
  return g.win[w].used + g.win[w].reserved + g.win[w].foreign
end
local function fits(g, w, amount)
  local win = g.win[w]
  return win.limit < 0 or taken(g, w) + amount <= win.limit
end
local function fitsAt(g, w, amount)
  local win = g.win[w]
  if fits(g, w, amount) then return now end
  local left, foreign, from = taken(g, w), win.foreign, 0
  while true do
    local part = redis.call('LRANGE', entries(g, w), from, from + 63)
    for _, entry in ipairs(part) do
      local at, count = string.match(entry, '^(%d+):(%-?%d+)$')
      at = tonumber(at)
      if foreign > 0 and win.foreignUntil <= at then
        left = left - foreign
        foreign = 0
        if left + amount <= win.limit then return win.foreignUntil end
      end
      left = left - tonumber(count)
      if left + amount <= win.limit then return at end
    end
    if #part < 64 then break end
    from = from + 64
  end
  if foreign > 0 and left - foreign + amount <= win.limit then return win.foreignUntil end
  return NEVER
end
local function settleWindow(g, w, reserved, used)
  local win = g.win[w]
  win.reserved = win.reserved - reserved
  if used <= 0 then return end
  win.used = win.used + used
  local grain = math.max(1, math.floor(LENGTH[w] / 256))
  local at = math.floor((now + LENGTH[w] + grain - 1) / grain) * grain
  local key = entries(g, w)
  local last = redis.call('LINDEX', key, -1)
  local lastAt, lastCount
  if last then lastAt, lastCount = string.match(last, '^(%d+):(%-?%d+)$') end
  if lastAt and tonumber(lastAt) == at then
    redis.call('LSET', key, -1, text(at) .. ':' .. text(tonumber(lastCount) + used))
  else
    redis.call('RPUSH', key, text(at) .. ':' .. text(used))
    if not win.head then win.head = at end
  end
  redis.call('PEXPIREAT', key, text(at + 60000))
end
local function smaller(a, b, none)
  if a == none or b == none then return a == none and b or a end
  return math.min(a, b)
end
local function configure(win, most)
  win.configured = most
  win.limit = (most < 0 or win.learned < 0) and math.max(most, win.learned) or math.min(most, win.learned)
end
local function seenWindow(g, w, limit, remaining, resetMs)
  local win = g.win[w]
  if limit > 0 then
    win.learned = limit
    win.limit = win.configured >= 0 and math.min(win.configured, limit) or limit
  end
  if remaining < 0 or win.limit < 0 then return end
  expire(g, w)
  win.foreign = math.max(0, win.limit - win.used - win.reserved - remaining)
  win.foreignUntil = now + (resetMs >= 0 and math.min(resetMs, LENGTH[w]) or LENGTH[w])
end
`

export const groups = `
local function load(name)
  local g = loaded[name]
  if g then return g end
  local packed = redis.call('GET', base .. ':g:' .. name)
  if not packed then return nil end
  g = cmsgpack.unpack(packed)
  loaded[name] = g
  return g
end
local function saveAll()
  for name, g in pairs(loaded) do redis.call('SET', base .. ':g:' .. name, cmsgpack.pack(g)) end
end
local function had(member) return tonumber(redis.call('HGET', base .. ':members', member) or '0') end
local function settleLimits(g)
  local first = g.stated[1]
  local all = {most = {first.most[1], first.most[2], first.most[3], first.most[4]}, places = first.places,
    breakerFailures = first.breakerFailures, openMs = first.openMs, maxOpenMs = first.maxOpenMs}
  for _, one in ipairs(g.stated) do
    for w = 1, 4 do all.most[w] = smaller(all.most[w], one.most[w], -1) end
    all.places = smaller(all.places, one.places, 0)
    all.breakerFailures = smaller(all.breakerFailures, one.breakerFailures, 0)
  end
  for w = 1, 4 do
    if all.most[w] ~= g.limits.most[w] then configure(g.win[w], all.most[w]) end
  end
  g.limits = all
end
local function differs(a, b)
  local function unlike(x, y, none) return x ~= none and y ~= none and x ~= y end
  for w = 1, 4 do if unlike(a.most[w], b.most[w], -1) then return true end end
  return unlike(a.places, b.places, 0)
end
local function tooLarge(g, tokens)
  for w = 1, 4 do
    local amount = ofTokens(w) and tokens or 1
    if g.win[w].configured >= 0 and amount > g.win[w].configured then return true end
  end
  return false
end
local function counted(g, tokens)
  for w = 1, 4 do
    if ofTokens(w) and g.win[w].learned >= 0 then tokens = math.min(tokens, g.win[w].limit) end
  end
  return tokens
end
local function room(g, calls, tokens)
  if g.coolUntil > now then return false, 'cooldown', -1, g.coolUntil end
  if g.breaker ~= 0 then
    if g.probing then return false, 'breaker', -1, NEVER end
    if g.openUntil > now then return false, 'breaker', -1, g.openUntil end
    if calls > 1 then return false, 'breaker', -1, NEVER end
  end
  if g.limits.places > 0 and g.inFlight + calls > g.limits.places then return false, 'places', -1, NEVER end
  local granted, window, untilAt = true, -1, 0
  for w = 1, 4 do
    local amount = ofTokens(w) and tokens or calls
    if not fits(g, w, amount) then
      granted = false
      local at = fitsAt(g, w, amount)
      if window < 0 or at > untilAt then window = w - 1 end
      untilAt = math.max(untilAt, at)
    end
  end
  if granted then return true, '', -1, NEVER end
  return false, 'window', window, untilAt
end
local function before(a, b)
  local oldA, oldB = a.passed >= 16, b.passed >= 16
  if oldA ~= oldB then return oldA end
  if oldA then return a.order < b.order end
  if a.priority ~= b.priority then return a.priority > b.priority end
  local hadA, hadB = had(a.member), had(b.member)
  if hadA ~= hadB then return hadA < hadB end
  return a.order < b.order
end
local function lapse(g)
  local kept = {}
  for _, ticket in ipairs(g.tickets) do
    if not (ticket.offeredUntil >= 0 and ticket.offeredUntil <= now) then kept[#kept + 1] = ticket end
  end
  g.tickets = kept
end
local function serve(g)
  lapse(g)
  table.sort(g.tickets, before)
  local calls, tokens = 0, 0
  for _, ticket in ipairs(g.tickets) do
    local never = tooLarge(g, ticket.tokens)
    if not never then
      calls = calls + 1
      tokens = tokens + counted(g, ticket.tokens)
      if not room(g, calls, tokens) then return end
    end
    if ticket.offeredUntil < 0 then
      ticket.offeredUntil = now + 1000
      freed[#freed + 1] = {ticket.member, g.name}
    end
  end
end
local function wakeOf(g)
  local wake, calls, tokens = NEVER, 0, 0
  for _, ticket in ipairs(g.tickets) do
    if not tooLarge(g, ticket.tokens) then
      calls = calls + 1
      tokens = tokens + counted(g, ticket.tokens)
    end
    if ticket.offeredUntil >= 0 then
      wake = math.min(wake, ticket.offeredUntil)
    else
      local granted, _, _, at = room(g, calls, tokens)
      return math.min(wake, granted and now or at)
    end
  end
  return wake
end
`
