/** The cache's store in memory. Several instances may share one backing, as several processes share a folder. */
import type { CacheEntry, CacheEntryHead, CacheStore, CacheTally, StoreChanges } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'

/** What a store without limits of its own still bounds: the vectors of texts that nobody asks for again. */
export function mostEmbeddings(entries: number): number {
  return Math.max(10_000, 2 * entries)
}

/** Of what a judge refused, so much is kept. */
const mostRefused = 32

/** An entry's head alone, whatever else the object has. */
export function headOf(entry: CacheEntryHead): CacheEntryHead {
  const { key, scope, label, createdAt, expiresAt, bytes, space, vector, belief } = entry
  // Strangers may have written the store.
  const given: unknown = entry.refused
  const refused = Array.isArray(given) ? given.filter((it) => typeof it === 'string' && /^[0-9a-f]{16}$/.test(it)) : []
  const { tokens, microUsd, ms } = entry.worth
  const worth = { tokens, microUsd, ms }
  return {
    ...{ key, scope, label, createdAt, expiresAt, bytes, space, vector, worth, ...(belief ? { belief } : {}) },
    ...(refused.length > 0 ? { refused: refused.slice(-mostRefused) as string[] } : {}),
  }
}

/** Scopes whose versions are kept, those that changed last. */
export const mostVersions = 10_000

interface Kept {
  readonly entry: CacheEntry
  usedAt: number
}

/** The content, apart from who has it open. */
export class MemoryBacking {
  readonly secret: string
  readonly entries = new Map<string, Kept>()
  /** In the order of their last use. */
  readonly embeddings = new Map<string, Float32Array>()
  readonly tally = new Map<string, number>()
  /** Changes so far; of each scope the last of its own; the last of those that are no longer kept. */
  sequence = 0
  readonly versions = new Map<string, number>()
  forgotten = 0
  /** Of each opener, what others did since it last looked. */
  readonly openers = new Set<Map<string, 'put' | 'removed'>>()

  constructor() {
    const bytes = crypto.getRandomValues(new Uint8Array(16))
    this.secret = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}

export class MemoryStore implements CacheStore {
  readonly #backing: MemoryBacking
  readonly #news = new Map<string, 'put' | 'removed'>()
  #state: 'new' | 'open' | 'closed' = 'new'

  constructor(backing = new MemoryBacking()) {
    this.#backing = backing
  }

  async open(): Promise<{ readonly secret: string }> {
    if (this.#state === 'closed') throw closed()
    if (this.#state === 'new') {
      for (const key of this.#backing.entries.keys()) this.#news.set(key, 'put')
      this.#backing.openers.add(this.#news)
      this.#state = 'open'
    }
    return Promise.resolve({ secret: this.#backing.secret })
  }

  async changes(): Promise<StoreChanges> {
    this.#mustBeOpen()
    const put: Kept[] = []
    const removed: string[] = []
    for (const [key, what] of this.#news) {
      const kept = this.#backing.entries.get(key)
      if (what === 'put' && kept !== undefined) put.push(kept)
      else removed.push(key)
    }
    this.#news.clear()
    put.sort((one, other) => one.usedAt - other.usedAt)
    return Promise.resolve({ put: put.map(({ entry }) => headOf(entry)), removed })
  }

  async read(key: string): Promise<CacheEntry | undefined> {
    this.#mustBeOpen()
    return Promise.resolve(this.#backing.entries.get(key)?.entry)
  }

  async put(entry: CacheEntry): Promise<void> {
    this.#mustBeOpen()
    const copy = { ...headOf(entry), prompt: entry.prompt, answer: entry.answer }
    // Anew, and not in its old place: the order of equal uses is that of writing.
    this.#backing.entries.delete(entry.key)
    this.#backing.entries.set(entry.key, { entry: copy, usedAt: entry.createdAt })
    this.#tell(copy, 'put')
    return Promise.resolve()
  }

  async remove(keys: readonly string[]): Promise<void> {
    this.#mustBeOpen()
    for (const key of keys) {
      const kept = this.#backing.entries.get(key)
      if (kept === undefined) continue
      this.#backing.entries.delete(key)
      this.#tell(kept.entry, 'removed')
    }
    return Promise.resolve()
  }

  used(keys: readonly string[], at: number): void {
    if (this.#state !== 'open') return
    for (const key of keys) {
      const kept = this.#backing.entries.get(key)
      if (kept !== undefined) kept.usedAt = Math.max(kept.usedAt, at)
    }
  }

  async embedding(key: string): Promise<Float32Array | undefined> {
    this.#mustBeOpen()
    const { embeddings } = this.#backing
    const vector = embeddings.get(key)
    if (vector === undefined) return Promise.resolve(undefined)
    embeddings.delete(key)
    embeddings.set(key, vector)
    return Promise.resolve(vector.slice())
  }

  keepEmbedding(key: string, vector: Float32Array): void {
    if (this.#state !== 'open') return
    const { embeddings, entries } = this.#backing
    embeddings.delete(key)
    embeddings.set(key, vector.slice())
    for (const oldest of embeddings.keys()) {
      if (embeddings.size <= mostEmbeddings(entries.size)) break
      embeddings.delete(oldest)
    }
  }

  count(more: CacheTally): void {
    if (this.#state !== 'open') return
    const { tally } = this.#backing
    for (const [name, by] of Object.entries(more)) tally.set(name, (tally.get(name) ?? 0) + by)
  }

  async tally(): Promise<CacheTally> {
    this.#mustBeOpen()
    return Promise.resolve(Object.fromEntries(this.#backing.tally))
  }

  async version(scope: string): Promise<number> {
    this.#mustBeOpen()
    return Promise.resolve(this.#backing.versions.get(scope) ?? this.#backing.forgotten)
  }

  /** Of texts and vectors; what the engine needs besides is not counted. */
  async size(): Promise<number> {
    this.#mustBeOpen()
    let bytes = 0
    for (const { entry } of this.#backing.entries.values()) bytes += entry.bytes
    for (const vector of this.#backing.embeddings.values()) bytes += vector.byteLength
    return Promise.resolve(bytes)
  }

  async compact(): Promise<void> {
    this.#mustBeOpen()
    return Promise.resolve()
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    this.#backing.openers.delete(this.#news)
    return Promise.resolve()
  }

  #tell({ key, scope }: CacheEntryHead, what: 'put' | 'removed'): void {
    const { versions } = this.#backing
    versions.delete(scope)
    versions.set(scope, (this.#backing.sequence += 1))
    const [oldest] = versions
    if (versions.size > mostVersions && oldest !== undefined) {
      versions.delete(oldest[0])
      this.#backing.forgotten = oldest[1]
    }
    for (const news of this.#backing.openers) {
      if (news === this.#news) news.delete(key)
      else news.set(key, what)
    }
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw closed()
  }
}

const closed = (): AetherflowError => new AetherflowError('cache.store_failed', '', 'the store is not open')
