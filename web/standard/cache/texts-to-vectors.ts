/** The vector of a text: kept, or computed once and then kept. */
import type { CacheCore } from '../../../bindings/cache/core.js'
import { lexicalEmbedder } from '../../../bindings/cache/core.js'
import type { CacheStore, Embedder } from '../../../bindings/cache/ports.js'
import type { Counters } from './statistics.js'

/** What embedding a text came to. `key`: where the store keeps it. No vector: `why` (`exact.window`, `exact.words`). */
export type Vectorized =
  { readonly vector: Float32Array; readonly key: string } | { readonly vector: undefined; readonly why: string }

/** Vectors that stay in memory for texts asked about again; the store has all of them. */
const mostInMemory = 512

export class Vectorizer {
  readonly #core: CacheCore
  readonly #store: CacheStore
  readonly #embedder: Embedder | undefined
  readonly #counters: Counters
  readonly #name: string
  readonly #checksum: string
  /** Every embedder's vectors have keys of their own. */
  readonly #space: string
  readonly #recent = new Map<string, Float32Array>()
  readonly #underWay = new Map<string, Promise<Vectorized>>()

  /** Without `embedder`: the built-in one. */
  constructor(
    core: CacheCore,
    store: CacheStore,
    counters: Counters,
    embedder: Embedder | undefined,
    checksum: string,
  ) {
    this.#counters = counters
    this.#core = core
    this.#store = store
    this.#embedder = embedder
    this.#name = embedder?.name ?? lexicalEmbedder.name
    this.#checksum = checksum
    this.#space = core.spaceKey('', this.#name, checksum)
  }

  /** Where prompts of a scope are compared. */
  spaceOf(scope: string): string {
    return this.#core.spaceKey(scope, this.#name, this.#checksum)
  }

  /** Rejects with what the embedder rejects with. */
  vectorize(text: string): Promise<Vectorized> {
    const key = this.#core.requestKey(this.#space, text)
    let pending = this.#underWay.get(key)
    if (pending === undefined) {
      pending = this.#find(key, text).finally(() => this.#underWay.delete(key))
      this.#underWay.set(key, pending)
    }
    return pending
  }

  /** A vector that the store keeps; `undefined` when it lost it, or it is no vector of this embedder. */
  async kept(key: string): Promise<Float32Array | undefined> {
    const vector = this.#recent.get(key) ?? (await this.#store.embedding(key))
    return vector?.length === this.#dimensions ? vector : undefined
  }

  get #dimensions(): number {
    return this.#embedder?.dimensions ?? lexicalEmbedder.dimensions
  }

  async #find(key: string, text: string): Promise<Vectorized> {
    const kept = await this.kept(key)
    if (kept !== undefined) {
      this.#counters.add({ reused: 1 })
      return { vector: this.#remember(key, kept), key }
    }
    const embedded =
      this.#embedder === undefined ? { vector: this.#core.lexical(text) } : await this.#embedder.embed(text)
    if (embedded?.vector === undefined) {
      return { vector: undefined, why: this.#embedder === undefined ? 'exact.words' : 'exact.window' }
    }
    this.#store.keepEmbedding(key, embedded.vector)
    this.#counters.add({ embedded: 1 })
    return { vector: this.#remember(key, embedded.vector), key }
  }

  #remember(key: string, vector: Float32Array): Float32Array {
    this.#recent.delete(key)
    this.#recent.set(key, vector)
    const oldest = this.#recent.keys().next()
    if (this.#recent.size > mostInMemory && oldest.done !== true) this.#recent.delete(oldest.value)
    return vector
  }
}
