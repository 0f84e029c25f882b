/** The book of one server: windows of a minute and calls at once in memory, money of the day in a file when there is a folder. */
import type { Clock } from '../../bindings/ports.js'
import {
  pursesOf,
  type AccountBook,
  type Asked,
  type Decision,
  type Purse,
  type Refused,
  type Standing,
  type Wanted,
} from './accounts.js'
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
  readonly purses: readonly string[]
}

/** What a purse has left of the day, and what of it may come back, micro-USD. */
interface Left {
  readonly left: number
  readonly held: number
}

/** Of one key, or of a tenant's money. */
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
    const page = this.#page(key.name)
    this.#forget(page)
    const purses = pursesOf(key).filter((purse) => purse !== undefined)
    const left = purses.flatMap((purse) => this.#left(purse))
    const refused = kind === 'again' ? undefined : (this.#fits(key, page, tokens) ?? pays(left, kind, microUsd))
    if (refused !== undefined) return { refused, microUsd: undefined, ...this.#standing(page) }
    const hold = left.length === 0 ? undefined : Math.max(0, Math.min(microUsd, ...left.map((one) => one.left)))
    const entry = { at: this.#clock.now(), tokens }
    page.recent.push(entry)
    const names = purses.map(({ name }) => name)
    for (const name of names) this.#page(name).held += hold ?? 0
    page.open.set(id, { entry, microUsd: hold ?? 0, purses: names })
    return { microUsd: hold, ...this.#standing(page) }
  }

  leave(key: ServeKey, { id }: Asked, came: Wanted): Standing {
    const page = this.#page(key.name)
    const held = page.open.get(id)
    if (held === undefined) return this.#standing(page)
    page.open.delete(id)
    held.entry.tokens = came.tokens
    for (const name of held.purses) {
      this.#page(name).held -= held.microUsd
      this.#spending.add(name, came.microUsd)
    }
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

  /** Of the day, held ones taken off; nothing: no budget. */
  #left({ name, budget }: Purse): readonly Left[] {
    if (budget === undefined) return []
    const { held } = this.#page(name)
    return [{ left: budget - this.#spending.today(name) - held, held }]
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

  #page(name: string): Page {
    const page = this.#pages.get(name) ?? new Page()
    this.#pages.set(name, page)
    return page
  }
}

/** What is left of the day is enough for a run; a request gets it when others hold nothing that may come back. */
function pays(all: readonly Left[], kind: Asked['kind'], microUsd: number): Refused | undefined {
  for (const { left, held } of all) {
    if (kind === 'run' ? left > 0 : left >= microUsd) continue
    if (kind !== 'run' && left + held >= microUsd) return 'held'
    if (left <= 0) return 'spent'
  }
  return undefined
}
