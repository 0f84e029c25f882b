/** What would otherwise be paid by the first request of a process: paid when it starts. */
import { performance } from 'node:perf_hooks'
import type { Embedder } from '../bindings/cache/ports.js'
import type { DocsBase } from '../web/standard/documents/documents.js'
import type { DocsStatistics } from '../web/standard/documents/options.js'
import { KeepingEmbedder, type EmbeddingStatistics } from '../web/standard/preload/keeping-embedder.js'
import type { Memoized, MemoryStatistics } from '../web/standard/preload/memoize.js'
import type { SemanticCache } from './cache/semantic-cache.js'
import { openEmbedder } from './embed/index.js'
import { loadCache, loadCore, loadIndex } from './loader.js'
import { pooledTransport, type PooledTransport, type TransportStats } from './transport/transport.js'

export interface PreloadOptions {
  /** As `openEmbedder`'s, or an embedder, which is then closed with the result. Absent: none. */
  readonly model?: string | Embedder | undefined
  /** Vectors that are kept; default 10,000. */
  readonly keep?: number | undefined
  /** Open already: their figures stand in `stats`. They stay their openers'. */
  readonly docs?: DocsBase | undefined
  readonly cache?: SemanticCache | undefined
  readonly prompts?: Pick<Memoized<never, unknown>, 'stats'> | undefined
  /**
   * Most connections to one origin (default 200), how many of them are kept when nothing uses them (default 50), and HTTP/2 where it is
   * offered (default true).
   */
  readonly connections?: { readonly most?: number; readonly kept?: number; readonly http2?: boolean } | undefined
}

export interface PreloadStatistics {
  readonly modelsLoaded: number
  readonly embeddings: EmbeddingStatistics
  readonly prompts: MemoryStatistics | null
  readonly docs: DocsStatistics | null
  readonly cacheEntries: number | null
  readonly connections: TransportStats & { readonly most: number; readonly kept: number; readonly http2: boolean }
}

export interface Preloaded {
  /** The first embedding with the loading of its model, the same one from memory, and what that saves; null without a model. */
  readonly embedding: { readonly firstMs: number; readonly keptMs: number; readonly gainMs: number } | null
  /** Loading the modules of runs, cache and index. */
  readonly modulesMs: number
  /** Keeps its vectors: for `SemanticCache.open({ model })` and `openDocs({ model })`. */
  readonly embedder: KeepingEmbedder | undefined
  /** For `runPlan(…, { pool })`. */
  readonly pool: PooledTransport
  stats(): PreloadStatistics
  /** Ends connections and model. */
  close(): Promise<void>
}

const firstText = 'Which settings does the cache have, and what do they mean?'

/** Fails: cache.model, cache.runtime, cache.download_failed for the model; host.io_failed when the package is incomplete. */
export async function preload(options: PreloadOptions = {}): Promise<Preloaded> {
  const { model, keep, connections = {} } = options
  const begun = performance.now()
  await Promise.all([loadCore(), loadCache(), loadIndex()])
  const modulesMs = performance.now() - begun
  const { most = 200, kept = 50, http2 = true } = connections
  const pool = pooledTransport({ connections: most, kept, http2 })
  const made = typeof model === 'string' ? await openEmbedder(model) : model
  const embedder = made && new KeepingEmbedder(made, keep)
  const embedding = embedder === undefined ? null : await firstAndKept(embedder)
  return {
    ...{ embedding, modulesMs, embedder, pool },
    stats: () => ({
      modelsLoaded: embedder?.loaded === true ? 1 : 0,
      embeddings: embedder?.stats() ?? { kept: 0, embedded: 0, reused: 0 },
      prompts: options.prompts?.stats() ?? null,
      docs: options.docs?.stats() ?? null,
      cacheEntries: options.cache?.stats().entries ?? null,
      connections: { ...pool.stats(), most, kept, http2 },
    }),
    async close() {
      await pool.close()
      await embedder?.close()
    },
  }
}

async function firstAndKept(embedder: KeepingEmbedder): Promise<NonNullable<Preloaded['embedding']>> {
  const timed = async (): Promise<number> => {
    const begun = performance.now()
    await embedder.embed(firstText)
    return performance.now() - begun
  }
  const firstMs = await timed()
  const keptMs = await timed()
  return { firstMs, keptMs, gainMs: firstMs - keptMs }
}
