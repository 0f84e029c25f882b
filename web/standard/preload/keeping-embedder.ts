/** An embedder that keeps the vectors of texts it has seen. */
import type { Embedder, Embedding } from '../../../bindings/cache/ports.js'
import { memoize, type Memoized } from './memoize.js'

export interface EmbeddingStatistics {
  /** Vectors kept, texts that were embedded, and those that were found kept or on their way. */
  readonly kept: number
  readonly embedded: number
  readonly reused: number
}

export class KeepingEmbedder implements Embedder {
  readonly #embedder: Embedder
  readonly #embed: Memoized<string, Embedding | undefined>
  #asked = false

  /** `most`: vectors, default 10,000 (15 MB at 384 numbers each); the one not used for longest goes first. */
  constructor(embedder: Embedder, most = 10_000) {
    this.#embedder = embedder
    this.#embed = memoize((text: string) => embedder.embed(text), { max: most, ttlMs: Infinity, keyOf: (text) => text })
  }

  get name(): string {
    return this.#embedder.name
  }
  get dimensions(): number {
    return this.#embedder.dimensions
  }
  get runtime(): string {
    return this.#embedder.runtime
  }
  /** The model was asked for a vector, or told to be there. */
  get loaded(): boolean {
    return this.#asked
  }

  async preload(): Promise<void> {
    await this.#embedder.preload()
    this.#asked = true
  }
  checksum(): Promise<string> {
    return this.#embedder.checksum()
  }
  async embed(text: string): Promise<Embedding | undefined> {
    const found = await this.#embed(text)
    this.#asked = true
    return found
  }
  async close(): Promise<void> {
    this.#embed.forget()
    await this.#embedder.close()
  }

  stats(): EmbeddingStatistics {
    const { entries, hits, misses, joined } = this.#embed.stats()
    return { kept: entries, embedded: misses - joined, reused: hits + joined }
  }
}
