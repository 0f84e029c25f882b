import type { ProviderProfile } from './profiles.js'
import type { LimitLeft, LimitsLeft, RefusalFacts } from './wire/wire.js'

export type { LimitLeft, LimitsLeft }

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

export interface LimitHit {
  readonly limit: NonNullable<RefusalFacts['limit']>
  /** Until enough has left the window, simulated ms. */
  readonly waitMs: number
}

interface Accepted {
  readonly atMs: number
  readonly tokens: number
}

/** Sliding windows of one provider. Refused requests do not count. Times are simulated ms and never decrease. */
export class Limits {
  private readonly minute = new Window(minuteMs)
  private readonly day = new Window(dayMs)

  constructor(private readonly profile: ProviderProfile) {}

  /** Accepts a request and returns nothing, or says which limit it hits. */
  admit(nowMs: number, tokens: number, inFlight: number): LimitHit | undefined {
    this.minute.leave(nowMs)
    this.day.leave(nowMs)
    const { concurrency = Infinity, requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.profile
    const { requestsPerDay = Infinity } = this.profile
    if (inFlight >= concurrency)
      return { limit: { name: 'concurrency', value: concurrency, used: inFlight + 1, asked: 1 }, waitMs: 1000 }
    const hit =
      this.day.hit('requests_per_day', requestsPerDay, nowMs, 1, () => 1) ??
      this.minute.hit('requests', requestsPerMinute, nowMs, 1, () => 1) ??
      this.minute.hit('tokens', tokensPerMinute, nowMs, tokens, (request) => request.tokens)
    if (hit) return hit
    this.minute.accepted.push({ atMs: nowMs, tokens })
    // Days are long: without a limit of the day nothing is kept for it.
    if (requestsPerDay !== Infinity) this.day.accepted.push({ atMs: nowMs, tokens })
    return undefined
  }

  /** What is left right after a request of `cost` tokens was accepted. */
  left(nowMs: number, cost: number): LimitsLeft {
    const { requestsPerMinute, tokensPerMinute, requestsPerDay } = this.profile
    return {
      cost,
      ...(requestsPerMinute !== undefined && { requests: this.minute.left(requestsPerMinute, nowMs, () => 1) }),
      ...(tokensPerMinute !== undefined && { tokens: this.minute.left(tokensPerMinute, nowMs, (one) => one.tokens) }),
      ...(requestsPerDay !== undefined && { requestsPerDay: this.day.left(requestsPerDay, nowMs, () => 1) }),
    }
  }
}

type Weight = (request: Accepted) => number

class Window {
  readonly accepted: Accepted[] = []

  constructor(private readonly lengthMs: number) {}

  leave(nowMs: number): void {
    while (this.accepted.length > 0 && this.accepted[0]!.atMs <= nowMs - this.lengthMs) this.accepted.shift()
  }

  hit(
    name: LimitHit['limit']['name'],
    value: number,
    nowMs: number,
    asked: number,
    weight: Weight,
  ): LimitHit | undefined {
    if (value === Infinity) return undefined
    const used = this.used(weight)
    if (used + asked <= value) return undefined
    return { limit: { name, value, used, asked }, waitMs: this.wait(nowMs, used + asked - value, weight) }
  }

  left(limit: number, nowMs: number, weight: Weight): LimitLeft {
    const last = this.accepted.at(-1)
    return {
      limit,
      remaining: Math.max(0, limit - this.used(weight)),
      resetMs: last ? Math.max(0, last.atMs + this.lengthMs - nowMs) : 0,
    }
  }

  private used(weight: Weight): number {
    return this.accepted.reduce((sum, request) => sum + weight(request), 0)
  }

  /** Until as much as is over the limit has left. */
  private wait(nowMs: number, excess: number, weight: Weight): number {
    let freed = 0
    for (const request of this.accepted) {
      freed += weight(request)
      if (freed >= excess) return request.atMs + this.lengthMs - nowMs
    }
    return this.lengthMs
  }
}
