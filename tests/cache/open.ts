/** Opens caches in memory for tests, over the module as it is built. */
import type { CacheStore, Embedder } from '../../bindings/cache/ports.js'
import { loadCache } from '../../node/loader.js'
import type { CacheOptions, CacheParts } from '../../web/standard/cache/options.js'
import { SemanticCacheBase } from '../../web/standard/cache/semantic-cache.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'

export class TestCache extends SemanticCacheBase {
  static async over(
    store: CacheStore = new MemoryStore(new MemoryBacking()),
    options: CacheOptions = {},
    embedder?: Embedder,
  ): Promise<TestCache> {
    const { secret } = await store.open()
    const parts: CacheParts = { ...(await loadCache()), store, embedder }
    const cache = new TestCache(parts, options, secret, await embedder?.checksum())
    await cache.begin()
    return cache
  }
}

/** A vector for each text, told beforehand; what was not told is too long for the window. Counts what it embeds. */
export class ToldEmbedder implements Embedder {
  readonly name = 'told'
  readonly dimensions = 8
  readonly runtime = 'test'
  readonly embedded: string[] = []
  failure: Error | undefined

  constructor(
    readonly vectors: Readonly<Record<string, readonly number[]>>,
    /** Whose fit is used. */
    readonly sum: string,
  ) {}

  preload(): Promise<void> {
    return Promise.resolve()
  }
  checksum(): Promise<string> {
    return Promise.resolve(this.sum)
  }
  embed(text: string) {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    this.embedded.push(text)
    const told = this.vectors[text]
    if (told === undefined) return Promise.resolve(undefined)
    const length = Math.hypot(...told)
    const vector = Float32Array.from({ length: this.dimensions }, (_, i) => (told[i] ?? 0) / length)
    return Promise.resolve({ vector, pieces: 8, tokenizeMs: 0, embedMs: 0 })
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** The file whose fit is the default. */
export const knownSum = '6fc4599f17abecdf1baad8dc39b8a87181247ce0059a38708ebc0abb7d5ce82e'
