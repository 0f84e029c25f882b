/**
 * The semantic cache of a page: its store, its embedder, its core. A part by itself, see load-part.ts: imported by the thread that has
 * the cache, or started as a worker, where it serves one cache to its page.
 */
import { createCache } from '../../../bindings/cache/glue.js'
import type { CacheStore, Embedder } from '../../../bindings/cache/ports.js'
import type { CacheData, CacheModule } from '../../../bindings/cache/module.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { CacheOptions, CacheParts } from '../../standard/cache/options.js'
import { SemanticCacheBase } from '../../standard/cache/semantic-cache.js'
import { onnxEmbedder } from '../../standard/embed/onnx.js'
import type { Pool } from '../../standard/embed/pool.js'
import { MemoryStore } from '../../standard/stores/memory.js'
import { serveCache } from './host.js'
import { cacheWorkerName } from './messages.js'
import type { OpenHooks, OpenOptions } from './open-options.js'
import { IndexedDbStore } from '../indexeddb/store.js'
import { fetchModel } from './model-files.js'
import { loadRuntime } from './model-runtime.js'

export class PageCache extends SemanticCacheBase {
  /** Fails: cache.store_failed (a newer version made it), cache.download_failed, cache.model, cache.runtime, host.io_failed, host.disposed. */
  static async open(options: OpenOptions, hooks: OpenHooks): Promise<PageCache> {
    const problem = (text: string): void => options.onProblem?.(text)
    const [module, data] = await Promise.all([loadModule(options.module), loadData(options.data)])
    let cache: PageCache | undefined
    // A text is embedded when there is a cache that asks, and not before.
    const pool: Pool = (...states) => (cache as PageCache).pool(...states)
    let embedder: Embedder | undefined
    let store: CacheStore | undefined
    try {
      const [made, checksum] = await embedderOf(options, pool, { ...hooks, problem })
      embedder = made
      const opened = await openStore(options.name, problem)
      store = opened.store
      const parts = { module, data, store, embedder }
      cache = new PageCache(parts, options, opened.secret, checksum)
      await cache.begin()
      return cache
    } catch (error) {
      await store?.close().catch(() => undefined)
      await embedder?.close().catch(() => undefined)
      throw error
    }
  }

  private constructor(parts: CacheParts, options: CacheOptions, secret: string, checksum: string | undefined) {
    super(parts, options, secret, checksum)
  }
}

/** Where the browser refuses to keep anything, a cache in memory is better than none. */
async function openStore(name: string | undefined, problem: (text: string) => void) {
  if (name !== undefined) {
    const store = new IndexedDbStore(name)
    try {
      return { store, ...(await store.open()) }
    } catch (error) {
      await store.close()
      if (!(error instanceof AetherflowError) || error.code !== 'host.io_failed') throw error
      problem(`the cache is kept in memory alone: ${error.detail}`)
    }
  }
  const store = new MemoryStore()
  return { store, ...(await store.open()) }
}

async function embedderOf(
  { model, runtime }: OpenOptions,
  pool: Pool,
  hooks: Parameters<typeof fetchModel>[1],
): Promise<[Embedder | undefined, string | undefined]> {
  if (model === undefined) return [undefined, undefined]
  const found = await fetchModel(model, hooks)
  const { name, settings, checksum, tokenizer } = found
  const embedder = onnxEmbedder({
    name,
    ...settings,
    pool,
    // Not held: the runtime takes the bytes over. Tried again after a failure, they come from where the browser keeps them.
    model: taken(found.bytes, async () => (await fetchModel(model, hooks)).bytes),
    tokenizer: () => Promise.resolve(tokenizer),
    checksum: () => Promise.resolve(checksum),
    runtime: () => loadRuntime(runtime),
  })
  if (embedder.dimensions === 0) await embedder.preload()
  return [embedder, checksum]
}

function taken(bytes: Uint8Array, again: () => Promise<Uint8Array>): () => Promise<Uint8Array> {
  let held: Uint8Array | undefined = bytes
  return async () => {
    const given = held ?? (await again())
    held = undefined
    return given
  }
}

async function load(address: string): Promise<Response> {
  try {
    const reply = await fetch(address)
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`)
    return reply
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', address, `the cache cannot be loaded: ${detail}`)
  }
}

async function loadModule(address: string): Promise<CacheModule> {
  return await createCache({ wasmBinary: await (await load(address)).arrayBuffer() })
}

async function loadData(address: string): Promise<CacheData> {
  return (await (await load(address)).json()) as CacheData
}

const scope = globalThis as { readonly name?: string; readonly document?: unknown }
if (scope.document === undefined && scope.name === cacheWorkerName)
  serveCache((options, hooks) => PageCache.open(options, hooks))
