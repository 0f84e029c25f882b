/** What each key may do, and what it has done: rate, calls at once, and money of the day. Of this server, or of all that share it. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { HttpError } from './http-error.js'
import type { ServeKey } from './keys.js'

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
  /** In place of that: another process settles it. */
  handOver(): void
}

/** What is asked of a book. */
export interface Asked extends Wanted {
  /** Names it among all that are in flight. */
  readonly id: string
  /** `run`: gets what is left of the day when that is less; `again`: one that was let in before, by whichever process. */
  readonly kind: 'request' | 'run' | 'again'
}

/** Money of a day: a key's, or that of all keys of a tenant together. */
export interface Purse {
  readonly name: string
  /** Micro-USD of a day; undefined: no budget. */
  readonly budget: number | undefined
}

/** What pays for the requests of a key: its own purse, and its tenant's where that has a budget. No key's name begins with a slash. */
export function pursesOf(key: ServeKey): readonly [Purse, Purse?] {
  const { name, tenant = name, budgetUsdPerDay, tenantBudgetUsdPerDay } = key
  const micro = (usd: number | undefined): number | undefined => usd && Math.floor(usd * 1e6)
  const own = { name, budget: micro(budgetUsdPerDay) }
  return tenantBudgetUsdPerDay === undefined
    ? [own]
    : [own, { name: `/${tenant}`, budget: micro(tenantBudgetUsdPerDay) }]
}

/** How a key stands. Times in ms. */
export interface Standing {
  /** Requests and tokens of the last minute; one under way counts what it reserved. */
  readonly requests: number
  readonly tokens: number
  /** Until the oldest of them is a minute old. */
  readonly resetMs: number
}

export type Refused = 'concurrency' | 'requests' | 'tokens' | 'too_large' | 'held' | 'spent'

export interface Decision extends Standing {
  readonly refused?: Refused | undefined
  /** What is set aside for it, micro-USD; undefined: the key has no budget. */
  readonly microUsd: number | undefined
}

/** Keeps what the keys have done. Decisions by the rules of `OwnBook`, wherever it is kept. */
export interface AccountBook {
  /** Fails when it cannot be asked: then nobody is let in. */
  enter(key: ServeKey, asked: Asked): Promise<Decision>
  /** Of one that was let in: once; a second time nothing happens. How the key stands by then, where that is known at once. */
  leave(key: ServeKey, asked: Asked, came: Wanted): Standing | undefined
}

const ofProcess = randomBytes(9).toString('base64url')
let numbered = 0
/** Unlike any other in flight, whichever server of a group let it in: random by process. */
const nextId = (): string => `${ofProcess}.${(numbered += 1).toString(36)}`

/** One key in use. */
export class Account {
  readonly key: ServeKey
  readonly #digest: Buffer
  readonly #book: AccountBook
  #standing: Standing = { requests: 0, tokens: 0, resetMs: 0 }
  /** Of this server. */
  inFlight = 0

  constructor(key: ServeKey, book: AccountBook) {
    this.key = key
    this.#digest = digestOf(key.token)
    this.#book = book
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

  /** Lets a request in, or rejects with a HttpError: 402 for the budget, 429 for the rest. */
  admit(wanted: Wanted): Promise<Admission> {
    return this.#enter({ ...wanted, id: nextId(), kind: 'request' })
  }

  /** Lets a run of a plan in, as `admit`. `microUsd`: its budget; without one it gets what is left of the day. */
  async admitRun(id: string, microUsd: number | undefined): Promise<Admission> {
    return bounded(await this.#enter({ id, tokens: 0, microUsd: microUsd ?? Infinity, kind: 'run' }), microUsd)
  }

  /** A run that an earlier process let in. */
  async goOn(id: string, microUsd: number | undefined): Promise<Admission> {
    return bounded(await this.#enter({ id, tokens: 0, microUsd: microUsd ?? Infinity, kind: 'again' }), microUsd)
  }

  async #enter(asked: Asked): Promise<Admission> {
    const decision = await this.#book.enter(this.key, asked).catch((error: unknown) => {
      throw error instanceof HttpError ? error : unavailable()
    })
    this.#standing = decision
    if (decision.refused !== undefined) throw this.#refusal(decision.refused, asked)
    this.inFlight += 1
    let over = false
    const ends = (): boolean => {
      if (over) return false
      over = true
      this.inFlight -= 1
      return true
    }
    return {
      microUsd: decision.microUsd,
      settle: (came) => {
        if (ends()) this.#standing = this.#book.leave(this.key, asked, came) ?? this.#standing
      },
      handOver: () => void ends(),
    }
  }

  /** Limits as clients read them: `x-ratelimit-…`. */
  headers(): Record<string, string> {
    const { requestsPerMinute, tokensPerMinute } = this.key
    const { requests, tokens, resetMs } = this.#standing
    const reset = `${Math.ceil(resetMs / 1000)}s`
    const lines = (name: string, limit: number, taken: number): Record<string, string> => ({
      [`x-ratelimit-limit-${name}`]: String(limit),
      [`x-ratelimit-remaining-${name}`]: String(Math.max(0, limit - taken)),
      [`x-ratelimit-reset-${name}`]: reset,
    })
    return {
      ...(requestsPerMinute === undefined ? {} : lines('requests', requestsPerMinute, requests)),
      ...(tokensPerMinute === undefined ? {} : lines('tokens', tokensPerMinute, tokens)),
    }
  }

  #refusal(why: Refused, { tokens, kind }: Asked): HttpError {
    const { concurrency, requestsPerMinute, tokensPerMinute, tenantBudgetUsdPerDay } = this.key
    const { resetMs } = this.#standing
    const limited = (message: string, retryAfterMs: number): HttpError =>
      new HttpError(429, 'rate_limit_exceeded', message, { retryAfterMs, headers: this.headers() })
    if (why === 'concurrency') return limited(`this key may have ${concurrency} requests at once`, 1000)
    if (why === 'requests') return limited(`this key may make ${requestsPerMinute} requests a minute`, resetMs)
    if (why === 'tokens') return limited(`this key may use ${tokensPerMinute} tokens a minute`, resetMs)
    // What others hold may come back.
    if (why === 'held') return limited('the rest of the budget of this key is reserved by requests in flight', 1000)
    if (why === 'too_large')
      return new HttpError(
        400,
        'context_length_exceeded',
        `this key may use ${tokensPerMinute} tokens a minute, and one request would take up to ${tokens}`,
      )
    const or = kind === 'run' ? ' or reserved' : ''
    const whose = tenantBudgetUsdPerDay === undefined ? 'this key' : 'this key or its tenant'
    return new HttpError(402, 'budget_exceeded', `the budget of ${whose} for today is used up${or}`)
  }
}

/** A run of a key without a budget has its own bound, if any. */
const bounded = (admission: Admission, microUsd: number | undefined): Admission => ({
  ...admission,
  microUsd: admission.microUsd ?? microUsd,
})

const unavailable = (): HttpError =>
  new HttpError(503, 'limits_unavailable', 'the server of the limits does not answer', { retryAfterMs: 1000 })

/** Of all keys; what a request carries is compared with each of them. */
export class Accounts {
  readonly all: readonly Account[]

  constructor(keys: readonly ServeKey[], book: AccountBook) {
    this.all = keys.map((key) => new Account(key, book))
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
