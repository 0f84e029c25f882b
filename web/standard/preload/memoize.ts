/** What a host fetches again and again (prompts, settings), kept in memory for a while. */

/** What several processes keep together, such as `RedisValues`. Best effort: what fails is fetched. */
export interface SharedValues {
  /** The JSON text of a value; undefined if there is none. */
  read(key: string): Promise<string | undefined>
  write(key: string, json: string, ttlMs: number): Promise<void>
}

export interface MemoizeOptions<K> {
  /** Asked before a value is fetched, and told of one that was. Values then pass through JSON. Default: none. */
  readonly shared?: SharedValues | undefined
  /** How long a value is good, ms; default one hour. */
  readonly ttlMs?: number | undefined
  /** Most values; the one not used for longest goes first. Default 100. */
  readonly max?: number | undefined
  /** A value past its time is given while a new one is fetched, and when that fails. Default false: never. */
  readonly stale?: boolean | undefined
  /** Which requests are the same; default: JSON of the argument. */
  readonly keyOf?: ((of: K) => string) | undefined
  /** Milliseconds, never decreasing. Default: the platform's monotonic clock. */
  readonly now?: (() => number) | undefined
}
export interface MemoryStatistics {
  readonly entries: number
  readonly hits: number
  readonly misses: number
  /** Requests that joined one that was on its way. */
  readonly joined: number
  /** Values that were given past their time, as they were asked to be. */
  readonly stale: number
  readonly failed: number
  readonly evicted: number
}
export interface Memoized<K, V> {
  (of: K): Promise<V>
  /** Forgets one value, or all. One that is on its way is given to who waits, and not kept. */
  forget(of?: K): void
  stats(): MemoryStatistics
}

interface Entry<V> {
  readonly value: V
  readonly until: number
}

/** A failed fetch is told to all who wait, and kept for nobody. */
export function memoize<K, V>(fetch: (of: K) => Promise<V>, options: MemoizeOptions<K> = {}): Memoized<K, V> {
  const memory = new Memory(fetch, options)
  return Object.assign((of: K) => memory.get(of), {
    forget: (of?: K) => memory.forget(of),
    stats: () => memory.stats(),
  })
}

class Memory<K, V> {
  readonly #fetch: (of: K) => Promise<V>
  readonly #options: MemoizeOptions<K>
  readonly #kept = new Map<string, Entry<V>>()
  readonly #coming = new Map<string, Promise<V>>()
  readonly #tally = { hits: 0, misses: 0, joined: 0, stale: 0, failed: 0, evicted: 0 }

  constructor(fetch: (of: K) => Promise<V>, options: MemoizeOptions<K>) {
    this.#fetch = fetch
    this.#options = options
  }

  get(of: K): Promise<V> {
    const key = this.#keyOf(of)
    const entry = this.#kept.get(key)
    if (entry !== undefined && this.#now() < entry.until) {
      this.#tally.hits += 1
      // Used last, evicted last.
      this.#kept.delete(key)
      this.#kept.set(key, entry)
      return Promise.resolve(entry.value)
    }
    this.#tally.misses += 1
    if (entry === undefined || this.#options.stale !== true) {
      this.#kept.delete(key)
      return this.#load(key, of)
    }
    this.#tally.stale += 1
    this.#load(key, of).catch(() => {})
    return Promise.resolve(entry.value)
  }

  forget(of?: K): void {
    for (const map of [this.#kept, this.#coming]) {
      if (of === undefined) map.clear()
      else map.delete(this.#keyOf(of))
    }
  }
  stats(): MemoryStatistics {
    return { entries: this.#kept.size, ...this.#tally }
  }

  #now(): number {
    return (this.#options.now ?? (() => performance.now()))()
  }
  #keyOf(of: K): string {
    return this.#options.keyOf?.(of) ?? JSON.stringify(of) ?? ''
  }

  #load(key: string, of: K): Promise<V> {
    const known = this.#coming.get(key)
    if (known !== undefined) {
      this.#tally.joined += 1
      return known
    }
    const { shared } = this.#options
    const request: Promise<V> = (shared === undefined ? this.#fetch(of) : this.#fetched(key, of, shared)).then(
      (value) => {
        // Forgotten meanwhile, or asked for again: another one counts.
        if (this.#ends(key, request)) this.#keep(key, value)
        return value
      },
      (error: unknown) => {
        this.#ends(key, request)
        this.#tally.failed += 1
        throw error
      },
    )
    this.#coming.set(key, request)
    return request
  }
  /** From what is shared, or fetched and then shared. */
  async #fetched(key: string, of: K, shared: SharedValues): Promise<V> {
    const { ttlMs = 3600_000 } = this.#options
    const known = await shared.read(key).then(
      (text) => (text === undefined ? undefined : { value: JSON.parse(text) as V }),
      () => undefined,
    )
    if (known !== undefined) return known.value
    const value = await this.#fetch(of)
    const text = JSON.stringify(value)
    if (text !== undefined) void shared.write(key, text, ttlMs).catch(() => {})
    return value
  }

  #ends(key: string, request: Promise<V>): boolean {
    return this.#coming.get(key) === request && this.#coming.delete(key)
  }

  #keep(key: string, value: V): void {
    const { ttlMs = 3600_000, max = 100 } = this.#options
    this.#kept.delete(key)
    this.#kept.set(key, { value, until: this.#now() + ttlMs })
    const oldest = this.#kept.keys().next()
    if (this.#kept.size <= max || oldest.done === true) return
    this.#kept.delete(oldest.value)
    this.#tally.evicted += 1
  }
}
