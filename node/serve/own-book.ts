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

/** The requests of the last minute. At a thousand a second nothing may look at each of them. */
class Window {
  readonly #entries: Entry[] = []
  /** Those before it are older than a minute. */
  #first = 0
  #tokens = 0

  get size(): number {
    return this.#entries.length - this.#first
  }
  /** Of all in it. */
  get tokens(): number {
    return this.#tokens
  }
  get oldest(): Entry | undefined {
    return this.#entries[this.#first]
  }

  add(entry: Entry): void {
    this.#entries.push(entry)
    this.#tokens += entry.tokens
  }

  /** What a request came to. One that has left the window counts no more. */
  change(entry: Entry, tokens: number): void {
    // Of one time all leave together.
    const { oldest } = this
    if (oldest !== undefined && entry.at >= oldest.at) this.#tokens += tokens - entry.tokens
    entry.tokens = tokens
  }

  /** Those up to that time leave. */
  forget(until: number): void {
    for (let { oldest } = this; oldest !== undefined && oldest.at <= until; { oldest } = this) {
      this.#tokens -= oldest.tokens
      this.#first += 1
    }
    if (this.#first > 1000 && this.#first > this.#entries.length / 2) {
      this.#entries.splice(0, this.#first)
      this.#first = 0
    }
  }
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
  readonly recent = new Window()
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
    page.recent.add(entry)
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
    page.recent.change(held.entry, came.tokens)
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
    if (requestsPerMinute !== undefined && page.recent.size >= requestsPerMinute) return 'requests'
    if (tokensPerMinute === undefined) return undefined
    if (tokens > tokensPerMinute) return 'too_large'
    return page.recent.tokens + tokens > tokensPerMinute ? 'tokens' : undefined
  }

  /** Of the day, held ones taken off; nothing: no budget. */
  #left({ name, budget }: Purse): readonly Left[] {
    if (budget === undefined) return []
    const { held } = this.#page(name)
    return [{ left: budget - this.#spending.today(name) - held, held }]
  }

  #standing({ recent }: Page): Standing {
    const { size, tokens, oldest } = recent
    return {
      requests: size,
      tokens,
      resetMs: oldest === undefined ? 0 : Math.max(1, oldest.at + windowMs - this.#clock.now()),
    }
  }

  #forget({ recent }: Page): void {
    recent.forget(this.#clock.now() - windowMs)
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
