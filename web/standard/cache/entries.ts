/** The entries of a store as the core knows them: ids for keys, what others changed, vectors when a namespace is first asked. */
import type { CacheAdmission, CacheCore, CandidatePrompt } from '../../../bindings/cache/core.js'
import type { CacheEntry, CacheEntryHead, CacheStore } from '../../../bindings/cache/ports.js'
import type { AetherflowError } from '../../../bindings/errors.js'
import { headOf } from '../stores/memory.js'
import type { Counters } from './statistics.js'
import type { Vectorizer } from './texts-to-vectors.js'

/** How long a hit may be served of what another process has removed since, ms; misses always look. */
const staleMs = 100
/** How far the clocks of machines that share a store may be apart, ms. What is younger than that was written by a clock that was wrong. */
const skewMs = 60_000
/** Vectors asked of the store at once. */
const loadedAtOnce = 256

export interface EntriesParts {
  readonly core: CacheCore
  readonly store: CacheStore
  readonly vectors: Vectorizer
  readonly counters: Counters
  readonly now: () => number
  readonly tell: (problem: string | AetherflowError) => void
}

/** What admission looks at. */
export interface Fitness {
  readonly whole: boolean
  readonly failed: boolean
  readonly holds: boolean
}

interface Found {
  readonly id: number
  readonly score: number
}

export class Entries {
  readonly #parts: EntriesParts
  readonly #heads: (CacheEntryHead | undefined)[] = []
  #count = 0
  #bytes = 0
  #lookedAt = -Infinity
  #looking: Promise<void> | undefined
  /** How many entries may be found by meaning, by namespace. */
  readonly #sizes = new Map<string, number>()
  /** Entries whose vectors the core does not have yet, by namespace. */
  readonly #waiting = new Map<string, Set<number>>()
  readonly #loading = new Map<string, Promise<void>>()
  /** What a search found, by the vector that was asked with; good while the generation is the same. */
  readonly #searched = new WeakMap<Float32Array, { generation: number; about: string; near: readonly Found[] }>()
  /** Counts entries that came and went. */
  #generation = 0

  constructor(parts: EntriesParts) {
    this.#parts = parts
  }

  get count(): number {
    return this.#count
  }
  get bytes(): number {
    return this.#bytes
  }
  heads(): CacheEntryHead[] {
    return this.#heads.filter((head) => head !== undefined)
  }
  head(id: number): CacheEntryHead | undefined {
    return this.#heads[id]
  }

  /** Takes in what changed. `at once`: also when it was looked a moment ago. False: it was not looked. */
  async refresh(atOnce: boolean): Promise<boolean> {
    if (!atOnce && performance.now() - this.#lookedAt < staleMs) return false
    this.#looking ??= this.#refresh().finally(() => (this.#looking = undefined))
    await this.#looking
    return true
  }

  async #refresh(): Promise<void> {
    const { store, tell } = this.#parts
    const { put, removed, damage } = await store.changes()
    this.#lookedAt = performance.now()
    if (damage !== undefined) tell(damage)
    for (const key of removed) this.forget(key)
    const gone: string[] = []
    const now = this.#parts.now()
    for (const head of put) {
      if (head.expiresAt <= now || head.createdAt > now + skewMs) gone.push(head.key)
      else gone.push(...this.#adopt(head))
    }
    if (gone.length > 0) await store.remove(gone).catch(() => {})
  }

  /** The keys of entries that had to make room. */
  #adopt(head: CacheEntryHead): string[] {
    const { core } = this.#parts
    const { bytes, createdAt, expiresAt } = head
    this.forget(head.key)
    const answer = {
      bytes,
      ttlMs: Math.max(1, expiresAt - createdAt),
      whole: true,
      failed: false,
      holds: true,
      empty: false,
    }
    const { admission, id, gone } = core.put(head.key, head.scope, answer, createdAt)
    const evicted = this.#drop(gone)
    // A smaller limit than when it was stored.
    if (admission !== 'stored') return [...evicted, head.key]
    if (this.#keep(id, head)) this.#wait(id, head.space)
    return evicted
  }

  #keep(id: number, head: CacheEntryHead): boolean {
    if (!this.#parts.core.alive(id, head.createdAt)) return false
    this.#heads[id] = head
    this.#generation += 1
    this.#resize(head.space, 1)
    this.#count += 1
    this.#bytes += head.bytes
    return true
  }

  #resize(space: string, by: number): void {
    const size = (this.#sizes.get(space) ?? 0) + by
    if (size > 0) this.#sizes.set(space, size)
    else this.#sizes.delete(space)
  }

  /** Nothing can be found by meaning there. */
  isEmpty(space: string): boolean {
    return !this.#sizes.has(space)
  }

  #wait(id: number, space: string): void {
    if (space === '') return
    const ids = this.#waiting.get(space) ?? new Set()
    ids.add(id)
    this.#waiting.set(space, ids)
  }

  /** Ids that the core has let go: their keys. */
  #drop(ids: readonly number[]): string[] {
    return ids.flatMap((id) => {
      const head = this.#heads[id]
      if (head === undefined) return []
      this.#heads[id] = undefined
      this.#generation += 1
      this.#resize(head.space, -1)
      this.#count -= 1
      this.#bytes -= head.bytes
      this.#waiting.get(head.space)?.delete(id)
      return [head.key]
    })
  }

  /** The id of a key that is there and alive, or −1. */
  find(key: string): number {
    const now = this.#parts.now()
    const { id, gone } = this.#parts.core.find(key, now)
    this.#expired(this.#drop(gone))
    if (!this.#fromTheFuture(id, now)) return id
    this.forget(key)
    this.#expired([key])
    return -1
  }

  /** It would live on for as long as the clock was ahead. */
  #fromTheFuture(id: number, now: number): boolean {
    return (this.#heads[id]?.createdAt ?? now) > now + skewMs
  }

  #expired(keys: readonly string[]): void {
    if (keys.length === 0) return
    this.#parts.counters.add({ expired: keys.length })
    this.#parts.store.remove(keys).catch(() => {})
  }

  /** Lets the core forget a key that the store no longer has. */
  forget(key: string): void {
    const { id } = this.#parts.core.find(key, 0)
    if (id < 0) return
    this.#drop([id])
    this.#parts.core.erase(id)
  }

  /** Removes entries here and in the store. */
  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.forget(key)
    await this.#parts.store.remove(keys)
  }

  async clear(scope?: string): Promise<number> {
    await this.refresh(true)
    const keys = this.#drop(this.#parts.core.clear(scope))
    await this.#parts.store.remove(keys)
    return keys.length
  }

  expire(): void {
    this.#expired(this.#drop(this.#parts.core.expire(this.#parts.now())))
  }

  /** Whole and unchanged, or `undefined`: then the entry is forgotten. Counts as a use. */
  async read(id: number): Promise<CacheEntry | undefined> {
    const head = this.#heads[id]
    if (head === undefined) return undefined
    const entry = await this.#parts.store.read(head.key)
    if (entry === undefined && this.#heads[id] === head) this.forget(head.key)
    return entry
  }

  used(id: number, key: string): void {
    const { core, store, now } = this.#parts
    if (this.#heads[id]?.key !== key) return
    core.touch(id)
    store.used([key], now())
  }

  /** Stores an entry whose admission the core decides. Rejects with the store's error; the entry is then nowhere. */
  async put(
    key: string,
    scope: string,
    fitness: Fitness & { ttlMs: number; defaultTtlMs: number },
    texts: { prompt: string; answer: string; bytes: number },
    make: (createdAt: number, expiresAt: number) => Promise<CacheEntry>,
  ): Promise<CacheAdmission> {
    const { core, store, counters, now } = this.#parts
    const at = now()
    const { whole, failed, holds, ttlMs } = fitness
    const answer = { bytes: texts.bytes, ttlMs, whole, failed, holds, empty: texts.answer.trim() === '' }
    const { admission, id, gone } = core.put(key, scope, answer, at)
    if (admission !== 'stored') {
      counters.add({ refused: 1 })
      return admission
    }
    const old = this.#heads[id]
    if (old !== undefined) this.#drop([id])
    const evicted = this.#drop(gone)
    counters.add({ evicted: evicted.length })
    try {
      const ttl = ttlMs === 0 ? fitness.defaultTtlMs : ttlMs
      const entry = await make(at, Math.min(at + ttl, Number.MAX_SAFE_INTEGER))
      if (evicted.length > 0) await store.remove(evicted)
      await store.put(entry)
      // Another may have changed the key while it was written.
      if (this.#heads[id] === undefined && this.#keep(id, headOf(entry))) this.#wait(id, entry.space)
      counters.add({ stored: 1 })
      return 'stored'
    } catch (error) {
      // What the store still has of this key is served on.
      if (this.#heads[id] === undefined && core.erase(id) && old !== undefined) this.#adopt(old)
      throw error
    }
  }

  /** Best candidates of a namespace with their prompts. */
  async candidates(
    space: string,
    vector: Float32Array,
    count: number,
    floor: number,
  ): Promise<(CandidatePrompt & { entry: CacheEntry })[]> {
    await this.#load(space)
    const { core, now } = this.#parts
    const at = now()
    const near = this.#nearest(space, vector, count, floor).filter(
      ({ id }) => core.alive(id, at) && !this.#fromTheFuture(id, at),
    )
    const keys = near.map(({ id }) => this.#heads[id]?.key)
    const entries = await Promise.all(near.map(({ id }) => this.read(id)))
    return near.flatMap(({ id, score }, i) => {
      const entry = entries[i]
      // Ids are used again: what was read must still be what was found.
      if (entry === undefined || entry.key !== keys[i] || this.#heads[id]?.key !== keys[i]) return []
      return [{ id, score, prompt: entry.prompt, belief: this.#heads[id]?.belief, entry }]
    })
  }

  /** The search, or what it found for this very vector if no entry came or went since: a text asked again pays for none. */
  #nearest(space: string, vector: Float32Array, count: number, floor: number): readonly Found[] {
    const about = `${space} ${count} ${floor}`
    const known = this.#searched.get(vector)
    if (known?.generation === this.#generation && known.about === about) return known.near
    const near = this.#parts.core.nearest(space, vector, count, floor)
    this.#searched.set(vector, { generation: this.#generation, about, near })
    return near
  }

  /** Reads the vectors that no look-up has asked for yet. */
  async loadAll(): Promise<void> {
    for (const space of [...this.#waiting.keys()]) await this.#load(space)
  }

  async #load(space: string): Promise<void> {
    while ((this.#waiting.get(space)?.size ?? 0) > 0 || this.#loading.has(space)) {
      const loading = this.#loading.get(space) ?? this.#loadWaiting(space)
      this.#loading.set(space, loading)
      await loading.finally(() => this.#loading.delete(space))
    }
  }

  async #loadWaiting(space: string): Promise<void> {
    const ids = [...(this.#waiting.get(space) ?? [])]
    this.#waiting.delete(space)
    for (let from = 0; from < ids.length; from += loadedAtOnce) {
      const some = ids.slice(from, from + loadedAtOnce)
      const heads = some.map((id) => this.#heads[id])
      const vectors = await Promise.all(heads.map((head) => (head ? this.#parts.vectors.kept(head.vector) : undefined)))
      some.forEach((id, i) => {
        const vector = vectors[i]
        // Gone or replaced while it was read.
        if (vector === undefined || heads[i] === undefined || this.#heads[id] !== heads[i]) return
        this.#parts.core.insert(space, id, vector)
      })
    }
  }

  /** Replaces what is known of an entry: its belief. */
  async replace(id: number, entry: CacheEntry): Promise<void> {
    if (this.#heads[id]?.key === entry.key) this.#heads[id] = headOf(entry)
    await this.#parts.store.put(entry)
  }
}
