/** The book of one server: windows of a minute and calls at once in memory, money of the day in a file when there is a folder. */
import type { Clock } from '../../bindings/ports.js'
import type { AccountBook, Asked, Decision, Refused, Standing, Wanted } from './accounts.js'
import type { ServeKey } from './keys.js'
import type { Spending } from './spending.js'

const windowMs = 60_000

interface Entry {
  readonly at: number
  /** Of one under way what it reserved. */
  tokens: number
}

interface Held {
  readonly entry: Entry
  readonly microUsd: number
}

/** Of one key. */
class Page {
  /** Requests of the last minute, oldest first. */
  readonly recent: Entry[] = []
  readonly open = new Map<string, Held>()
  held = 0
}

export class OwnBook implements AccountBook {
  readonly #clock: Clock
  readonly #spending: Spending
  readonly #pages = new Map<string, Page>()

  constructor(clock: Clock, spending: Spending) {
    this.#clock = clock
    this.#spending = spending
  }

  enter(key: ServeKey, asked: Asked): Promise<Decision> {
    return Promise.resolve(this.decide(key, asked))
  }

  /** As `enter`, at once. */
  decide(key: ServeKey, { id, kind, tokens, microUsd }: Asked): Decision {
    const page = this.#page(key)
    this.#forget(page)
    const left = this.#left(key, page)
    const refused =
      kind === 'again' ? undefined : (this.#fits(key, page, tokens) ?? this.#pays(left, page, kind, microUsd))
    if (refused !== undefined) return { refused, microUsd: undefined, ...this.#standing(page) }
    const hold = left === undefined ? undefined : Math.max(0, Math.min(microUsd, left))
    const entry = { at: this.#clock.now(), tokens }
    page.recent.push(entry)
    page.held += hold ?? 0
    page.open.set(id, { entry, microUsd: hold ?? 0 })
    return { microUsd: hold, ...this.#standing(page) }
  }

  leave(key: ServeKey, { id }: Asked, came: Wanted): Standing {
    const page = this.#page(key)
    const held = page.open.get(id)
    if (held === undefined) return this.#standing(page)
    page.open.delete(id)
    page.held -= held.microUsd
    held.entry.tokens = came.tokens
    this.#spending.add(key.name, came.microUsd)
    this.#forget(page)
    return this.#standing(page)
  }

  /** The first limit that leaves no room; undefined: none. */
  #fits(key: ServeKey, page: Page, tokens: number): Refused | undefined {
    const { concurrency, requestsPerMinute, tokensPerMinute } = key
    if (concurrency !== undefined && page.open.size >= concurrency) return 'concurrency'
    if (requestsPerMinute !== undefined && page.recent.length >= requestsPerMinute) return 'requests'
    if (tokensPerMinute === undefined) return undefined
    if (tokens > tokensPerMinute) return 'too_large'
    return this.#standing(page).tokens + tokens > tokensPerMinute ? 'tokens' : undefined
  }

  /** What is left of the day is enough for a run; a request gets it when others hold nothing that may come back. */
  #pays(left: number | undefined, { held }: Page, kind: Asked['kind'], microUsd: number): Refused | undefined {
    if (left === undefined || left >= microUsd)
      return kind === 'run' && left !== undefined && left <= 0 ? 'spent' : undefined
    if (kind === 'run') return left <= 0 ? 'spent' : undefined
    if (left + held >= microUsd) return 'held'
    return left <= 0 ? 'spent' : undefined
  }

  /** Micro-USD that are left of the day, held ones taken off; undefined: no budget. */
  #left({ name, budgetUsdPerDay }: ServeKey, { held }: Page): number | undefined {
    if (budgetUsdPerDay === undefined) return undefined
    return Math.floor(budgetUsdPerDay * 1e6) - this.#spending.today(name) - held
  }

  #standing({ recent }: Page): Standing {
    const [oldest] = recent
    return {
      requests: recent.length,
      tokens: recent.reduce((sum, { tokens }) => sum + tokens, 0),
      resetMs: oldest === undefined ? 0 : Math.max(1, oldest.at + windowMs - this.#clock.now()),
    }
  }

  #forget({ recent }: Page): void {
    const since = this.#clock.now() - windowMs
    while (recent[0] !== undefined && recent[0].at <= since) recent.shift()
  }

  #page({ name }: ServeKey): Page {
    const page = this.#pages.get(name) ?? new Page()
    this.#pages.set(name, page)
    return page
  }
}
