/** What each key may do, and what it has done: rate, calls at once, and money of the day. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../bindings/ports.js'
import { HttpError } from './http-error.js'
import type { ServeKey } from './keys.js'
import type { Spending } from './spending.js'

/** What a request may take at most. */
export interface Wanted {
  /** Prompt and answer. */
  readonly tokens: number
  /** The dearest that it can become, micro-USD. */
  readonly microUsd: number
}

/** A request that was let in. */
export interface Admission {
  /** Most money that it may cost, micro-USD; undefined: the key has no budget. */
  readonly microUsd: number | undefined
  /** Once: what it came to. */
  settle(came: { readonly tokens: number; readonly microUsd: number }): void
}

const windowMs = 60_000

/** One key in use. Times on the clock that was given. */
export class Account {
  readonly key: ServeKey
  readonly #digest: Buffer
  readonly #clock: Clock
  readonly #spending: Spending
  /** Requests of the last minute, oldest first; the tokens of one under way are what it reserved. */
  readonly #recent: { readonly at: number; tokens: number }[] = []
  #held = 0
  inFlight = 0

  constructor(key: ServeKey, clock: Clock, spending: Spending) {
    this.key = key
    this.#digest = digestOf(key.token)
    this.#clock = clock
    this.#spending = spending
  }

  /** Whether this token is the key's. Takes as long for a wrong one as for the right one. */
  is(digest: Buffer): boolean {
    return timingSafeEqual(digest, this.#digest)
  }

  /** Whether the key may use this model word. */
  mayUse(model: string): boolean {
    const { models } = this.key
    return models === undefined || models.some((allowed) => allowed === model || allowed === `${model.split('/')[0]}/*`)
  }

  /** Micro-USD that are left of the day, held ones taken off; undefined: no budget. */
  get left(): number | undefined {
    const { budgetUsdPerDay } = this.key
    if (budgetUsdPerDay === undefined) return undefined
    return Math.floor(budgetUsdPerDay * 1e6) - this.#spending.today(this.key.name) - this.#held
  }

  /** Lets a request in, or throws a HttpError: 402 for the budget, 429 for the rest. */
  admit(wanted: Wanted): Admission {
    this.#mustHavePlace()
    this.#mustFitWindows(wanted.tokens)
    return this.#enter(wanted.tokens, this.#holdFor(wanted.microUsd))
  }

  /** Lets a run of a plan in, as `admit`. `microUsd`: its budget; without one it gets what is left of the day. */
  admitRun(microUsd: number | undefined): Admission {
    this.#mustHavePlace()
    this.#mustFitWindows(0)
    const { left } = this
    if (left === undefined) return this.#enter(0, microUsd)
    if (left <= 0)
      throw new HttpError(402, 'budget_exceeded', 'the budget of this key for today is used up or reserved')
    return this.#enter(0, Math.min(microUsd ?? left, left))
  }

  /** A run that an earlier process let in. */
  goOn(microUsd: number | undefined): Admission {
    const { left } = this
    return this.#enter(0, left === undefined ? microUsd : Math.max(0, Math.min(microUsd ?? left, left)))
  }

  #enter(tokens: number, hold: number | undefined): Admission {
    const entry = { at: this.#clock.now(), tokens }
    this.#recent.push(entry)
    this.#held += hold ?? 0
    this.inFlight += 1
    let over = false
    return {
      microUsd: hold,
      settle: (came) => {
        if (over) return
        over = true
        this.inFlight -= 1
        this.#held -= hold ?? 0
        entry.tokens = came.tokens
        this.#spending.add(this.key.name, came.microUsd)
      },
    }
  }

  /** Limits as clients read them: `x-ratelimit-…`. */
  headers(): Record<string, string> {
    this.#forget()
    const { requestsPerMinute, tokensPerMinute } = this.key
    const used = this.#recent.reduce((sum, { tokens }) => sum + tokens, 0)
    const reset = `${Math.ceil(this.#resetMs() / 1000)}s`
    const lines = (name: string, limit: number, taken: number): Record<string, string> => ({
      [`x-ratelimit-limit-${name}`]: String(limit),
      [`x-ratelimit-remaining-${name}`]: String(Math.max(0, limit - taken)),
      [`x-ratelimit-reset-${name}`]: reset,
    })
    return {
      ...(requestsPerMinute === undefined ? {} : lines('requests', requestsPerMinute, this.#recent.length)),
      ...(tokensPerMinute === undefined ? {} : lines('tokens', tokensPerMinute, used)),
    }
  }

  #mustHavePlace(): void {
    const { concurrency } = this.key
    if (concurrency === undefined || this.inFlight < concurrency) return
    throw this.#limited(`this key may have ${concurrency} requests at once`, 1000)
  }

  #mustFitWindows(tokens: number): void {
    this.#forget()
    const { requestsPerMinute, tokensPerMinute } = this.key
    if (requestsPerMinute !== undefined && this.#recent.length >= requestsPerMinute)
      throw this.#limited(`this key may make ${requestsPerMinute} requests a minute`, this.#resetMs())
    if (tokensPerMinute === undefined) return
    if (tokens > tokensPerMinute)
      throw new HttpError(
        400,
        'context_length_exceeded',
        `this key may use ${tokensPerMinute} tokens a minute, and one request would take up to ${tokens}`,
      )
    const used = this.#recent.reduce((sum, entry) => sum + entry.tokens, 0)
    if (used + tokens > tokensPerMinute)
      throw this.#limited(`this key may use ${tokensPerMinute} tokens a minute`, this.#resetMs())
  }

  /** What is set aside for the request: the core then never goes above it. */
  #holdFor(microUsd: number): number | undefined {
    const { left } = this
    if (left === undefined) return undefined
    if (left >= microUsd) return microUsd
    // What others hold may come back.
    if (left + this.#held >= microUsd)
      throw this.#limited('the rest of the budget of this key is reserved by requests in flight', 1000)
    if (left <= 0) throw new HttpError(402, 'budget_exceeded', `the budget of this key for today is used up`)
    return left
  }

  #limited(message: string, retryAfterMs: number): HttpError {
    return new HttpError(429, 'rate_limit_exceeded', message, { retryAfterMs, headers: this.headers() })
  }

  #forget(): void {
    const since = this.#clock.now() - windowMs
    while (this.#recent[0] !== undefined && this.#recent[0].at <= since) this.#recent.shift()
  }

  #resetMs(): number {
    const [oldest] = this.#recent
    return oldest === undefined ? 0 : Math.max(1, oldest.at + windowMs - this.#clock.now())
  }
}

/** Of all keys; what a request carries is compared with each of them. */
export class Accounts {
  readonly all: readonly Account[]

  constructor(keys: readonly ServeKey[], clock: Clock, spending: Spending) {
    this.all = keys.map((key) => new Account(key, clock, spending))
  }

  /** The account of a token; undefined: nobody's. */
  of(token: string): Account | undefined {
    const digest = digestOf(token)
    let found: Account | undefined
    for (const account of this.all) if (account.is(digest)) found = account
    return found
  }

  named(name: string): Account | undefined {
    return this.all.find(({ key }) => key.name === name)
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token, 'utf8').digest()
