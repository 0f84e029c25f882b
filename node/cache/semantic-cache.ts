/** The semantic cache in Node: in a folder that many processes share, or in memory. */
import { resolve } from 'node:path'
import type { CacheStore, Embedder } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { CacheJudge } from '../../web/standard/cache/judge.js'
import type { CacheOptions } from '../../web/standard/cache/options.js'
import { SemanticCacheBase } from '../../web/standard/cache/semantic-cache.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { openModel } from './model.js'
import type { CachePlace } from './place.js'
import { loadCache } from '../loader.js'
import type { PlanOptions } from '../options.js'
import { FileStore } from '../stores/file.js'

export interface SemanticCacheOptions extends Omit<CacheOptions, 'judge'> {
  /**
   * As CacheOptions.judge; `auto`: each question is a run of one step in mode `analysis-fast`, that is on the cheapest model which the
   * configuration has a key for, with the limits, retries and prices of any run.
   */
  readonly judge?: CacheJudge | 'auto' | undefined
  /** With `judge: 'auto'`, how those runs are set up: `config`, `mode`, `policy`, `simulate` … Default: as any run. */
  readonly judgeWith?: PlanOptions | undefined
  /** Folder of the answers, made when it is missing; many processes may have it open. Absent: in memory. */
  readonly dir?: string | undefined
  /**
   * What prompts are compared by: a folder with an ONNX model and its tokenizer, an .onnx file beside one, an http(s) address of
   * such a folder, the name of a pulled model (`aetherflow model pull`), or an embedder, which the cache then closes. Absent, or
   * `lexical`: the built-in one, which knows words and spellings, and no meanings.
   */
  readonly model?: string | Embedder | undefined
  /** Instead of `dir`; the cache opens and closes it. */
  readonly store?: CacheStore | undefined
}

/**
 *   const cache = await SemanticCache.open({ dir: 'answers', model: 'all-MiniLM-L6-v2', maxWrongShare: 0.01 })
 *   const found = await cache.get({ prompt, scope })
 *   if (found.kind === 'miss') await cache.put({ prompt, scope, answer: await ask(prompt) })
 */
export class SemanticCache extends SemanticCacheBase {
  #place: CachePlace | undefined

  /** Where it was opened, so that a run that goes on finds it again; undefined: nowhere that lasts. */
  get place(): CachePlace | undefined {
    return this.#place
  }

  /** Fails: cache.store_failed, cache.full, host.io_failed for the folder; cache.model when `model` is not a model; host.usage. */
  static async open(options: SemanticCacheOptions = {}): Promise<SemanticCache> {
    const { dir, store: given, model, judge: wanted, judgeWith, ...others } = options
    // Loaded when it is asked for: what runs plans is no part of a cache.
    const judge = wanted === 'auto' ? (await import('./auto-judge.js')).autoJudge(judgeWith) : wanted
    if (dir !== undefined && given !== undefined)
      throw new AetherflowError('host.usage', 'dir', 'a cache has a folder or a store, not both')
    const { module, data } = await loadCache()
    let cache: SemanticCache | undefined
    // A text is embedded when there is a cache that asks, and not before.
    const pool: SemanticCache['pool'] = (...states) => (cache as SemanticCache).pool(...states)
    const embedder = await openModel(model, pool)
    const store = given ?? (dir === undefined ? new MemoryStore(new MemoryBacking()) : new FileStore(dir))
    try {
      const checksum = await embedder?.checksum()
      // Its files may not say how long its vectors are.
      if (embedder?.dimensions === 0) await embedder.preload()
      const { secret } = await store.open()
      cache = new SemanticCache({ module, data, store, embedder }, { ...others, judge }, secret, checksum)
      if (dir !== undefined) cache.#place = placeOf(dir, options)
      await cache.begin()
      return cache
    } catch (error) {
      await cache?.close().catch(() => {})
      if (cache === undefined) {
        await store.close().catch(() => {})
        await embedder?.close().catch(() => {})
      }
      throw error
    }
  }
}

function placeOf(dir: string, { model, maxWrongShare }: SemanticCacheOptions): CachePlace {
  return {
    dir: resolve(dir),
    ...(typeof model === 'string' ? { model } : {}),
    ...(maxWrongShare === undefined ? {} : { maxWrongShare }),
  }
}
