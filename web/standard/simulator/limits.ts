import type { ProviderProfile } from './profiles.js'
import type { RefusalFacts } from './wire/wire.js'

/** The window of both rate limits, simulated ms. */
const windowMs = 60_000

export interface LimitHit {
  readonly limit: NonNullable<RefusalFacts['limit']>
  /** Until enough has left the window, simulated ms. */
  readonly waitMs: number
}

/** Sliding windows of one provider. Refused requests do not count. */
export class Limits {
  private readonly accepted: { readonly atMs: number; readonly tokens: number }[] = []

  constructor(private readonly profile: ProviderProfile) {}

  /** Accepts a request and returns nothing, or says which limit it hits. Times are simulated ms and never decrease. */
  admit(nowMs: number, tokens: number, inFlight: number): LimitHit | undefined {
    while (this.accepted.length > 0 && this.accepted[0]!.atMs <= nowMs - windowMs) this.accepted.shift()
    const { concurrency = Infinity, requestsPerMinute = Infinity, tokensPerMinute = Infinity } = this.profile
    if (inFlight >= concurrency) {
      return { limit: { name: 'concurrency', value: concurrency, used: inFlight + 1, asked: 1 }, waitMs: 1000 }
    }
    const requests = this.accepted.length
    if (requests >= requestsPerMinute) {
      const freeMs = this.accepted[requests - requestsPerMinute]?.atMs ?? nowMs
      return {
        limit: { name: 'requests', value: requestsPerMinute, used: requests, asked: 1 },
        waitMs: freeMs + windowMs - nowMs,
      }
    }
    const used = this.accepted.reduce((sum, request) => sum + request.tokens, 0)
    if (used + tokens > tokensPerMinute) {
      return {
        limit: { name: 'tokens', value: tokensPerMinute, used, asked: tokens },
        waitMs: this.tokenWait(nowMs, used + tokens - tokensPerMinute),
      }
    }
    this.accepted.push({ atMs: nowMs, tokens })
    return undefined
  }

  private tokenWait(nowMs: number, excess: number): number {
    let freed = 0
    for (const request of this.accepted) {
      freed += request.tokens
      if (freed >= excess) return request.atMs + windowMs - nowMs
    }
    return windowMs
  }
}
