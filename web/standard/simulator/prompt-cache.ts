/** The providers' prompt caches: which tokens of a prompt were read before. Each provider's rule is in its wire file. */
import { splitTokens } from './tokens.js'
import type { CacheRule } from './wire/cache-rule.js'
import { messageText, type ChatBody } from './wire/wire.js'

export type { CacheRule }

// See random.ts.
const { floor, imul } = Math

/** What the cache knows of a request, and what it may keep of it once the prompt was read. */
export interface CacheLookup {
  /** Tokens that were there. */
  readonly hit: number
  /** Tokens that are kept now and were not there, where that has a price of its own. */
  readonly written: number
  /** Keeps the prompt; `answer` are the pieces of what was answered. */
  keep(answer: readonly string[], nowMs: number): void
}

const nothing: CacheLookup = { hit: 0, written: 0, keep: () => undefined }

/** Most entries of a map; the longest unused go first. */
const mostEntries = 400_000

/** One provider's cache. Times are simulated ms. */
export class PromptCache {
  /** End of a block or unit, by the hash of everything before it, and when it was last used. */
  private readonly known = new Map<number, number>()
  /** Every step of every prompt, to find what two of them share. Units only. */
  private readonly seen = new Map<number, number>()

  /** When the last requests of a key and a beginning came, of those of the last minute. */
  private readonly recent = new Map<string, number[]>()

  constructor(private readonly rule: CacheRule) {}

  look(model: string, body: ChatBody, nowMs: number): CacheLookup {
    const { rule } = this
    const key = body['prompt_cache_key'] ?? body['user_id'] ?? ''
    if (rule.kind === 'blocks' && rule.keyOnly && key === '') return nothing
    const tokens = promptTokens(body)
    const scope = `${model}\n${String(key)}`
    const machine = rule.kind === 'blocks' && rule.perMinute ? this.machine(rule.perMinute, scope, tokens, nowMs) : ''
    const hashes = prefixHashes(scope + machine, tokens)
    return rule.kind === 'blocks' ? this.blocks(rule, model, hashes, nowMs) : this.units(rule, hashes, nowMs)
  }

  /** The first machine of a key and beginning has no number. */
  private machine(perMinute: number, scope: string, tokens: readonly string[], nowMs: number): string {
    const route = `${scope}\n${tokens.slice(0, 256).join('')}`
    const sent = (this.recent.get(route) ?? []).filter((at) => nowMs - at < 60_000)
    this.recent.set(route, [...sent, nowMs])
    const number = floor(sent.length / perMinute)
    return number === 0 ? '' : `\n${number}`
  }

  private blocks(
    rule: Extract<CacheRule, { kind: 'blocks' }>,
    model: string,
    hashes: Float64Array,
    nowMs: number,
  ): CacheLookup {
    const { block } = rule
    const minimum = rule.minimum(model)
    const writes = rule.tellsWrites?.(model) === true
    const idleMs = typeof rule.idleMs === 'number' ? rule.idleMs : rule.idleMs(model)
    const length = hashes.length - 1
    let hit = 0
    while (hit + block <= length) {
      const usedMs = this.known.get(hashes[hit + block]!)
      if (usedMs === undefined || nowMs - usedMs > idleMs) break
      hit += block
    }
    const keep = (_: readonly string[], atMs: number) => {
      if (length < minimum) return
      for (let end = block; end <= length; end += block) use(this.known, hashes[end]!, atMs)
    }
    const found = hit >= minimum ? hit : 0
    return { hit: found, written: writes && length >= minimum ? floorTo(length, block) - found : 0, keep }
  }

  /**
   *     A+B, then A+B+C    hits A+B: the end of the first input is a unit
   *     A+B, then A+C      hits nothing, but what both share is a unit from then on
   *     then A+D           hits A
   */
  private units(
    { step, interval }: Extract<CacheRule, { kind: 'units' }>,
    hashes: Float64Array,
    nowMs: number,
  ): CacheLookup {
    const length = hashes.length - 1
    let end = length
    while (end > 0 && !this.known.has(hashes[end]!)) end--
    if (end > 0) use(this.known, hashes[end]!, nowMs)
    const keep = (answer: readonly string[], atMs: number) => {
      const whole = floorTo(length, step)
      let shared = whole
      while (shared > 0 && !this.seen.has(hashes[shared]!)) shared -= step
      if (shared > 0) use(this.known, hashes[shared]!, atMs)
      for (let at = interval; at <= length; at += interval) use(this.known, hashes[at]!, atMs)
      use(this.known, hashes[length]!, atMs)
      use(this.known, lastHash(hashes[length]!, ['<|assistant|>', ...answer]), atMs)
      for (let at = step; at <= whole; at += step) use(this.seen, hashes[at]!, atMs)
    }
    return { hit: floorTo(end, step), written: 0, keep }
  }
}

/** The order that matters: what shapes the answer first, then the turns as they stand. */
function promptTokens(body: ChatBody): readonly string[] {
  const front = [body['tools'], body.response_format, body['reasoning_effort']].filter((part) => part != null)
  return [
    ...front.flatMap((part) => splitTokens(JSON.stringify(part))),
    ...body.messages.flatMap(({ role, content }) => [`<|${String(role)}|>`, ...splitTokens(messageText(content))]),
  ]
}

/** At `n` the hash of the first `n` tokens, 53 bits. */
function prefixHashes(scope: string, tokens: readonly string[]): Float64Array {
  const hashes = new Float64Array(tokens.length + 1)
  hashes[0] = next(0, scope)
  tokens.forEach((token, at) => (hashes[at + 1] = next(hashes[at]!, token)))
  return hashes
}

function lastHash(from: number, tokens: readonly string[]): number {
  return tokens.reduce(next, from)
}

/** Two FNV lanes, the second seeded by the rest of the first hash. */
function next(hash: number, token: string): number {
  let low = (hash % 0x100000000) >>> 0
  let high = (floor(hash / 0x100000000) ^ 0x9e3779b9) >>> 0
  for (let at = 0; at <= token.length; at++) {
    const unit = at < token.length ? token.charCodeAt(at) : 0x1ffff
    low = imul(low ^ unit, 0x01000193) >>> 0
    high = imul(high ^ (unit + 0x51ed), 0x01000193) >>> 0
  }
  return (high >>> 11) * 0x100000000 + low
}

/** Last used goes last; the first of a full map has been unused for longest. */
function use(map: Map<number, number>, hash: number, nowMs: number): void {
  map.delete(hash)
  map.set(hash, nowMs)
  if (map.size > mostEntries) map.delete(map.keys().next().value!)
}

function floorTo(value: number, step: number): number {
  return value - (value % step)
}
