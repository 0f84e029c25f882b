/** The semantic cache as a page has it: in a worker of its own, or in this thread. */
import type {
  AnswerCache,
  CacheEntry,
  CacheEntryHead,
  CacheFound,
  CachePut,
  CacheQuestion,
  CacheScope,
} from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { CacheExplanation } from '../../standard/cache/options.js'
import type { CacheStatistics } from '../../standard/cache/statistics.js'
import { cacheAddresses, loadCache } from './load.js'
import type { CacheMethod } from './messages.js'
import type { PageCacheOptions } from './options.js'
import { CacheWorker } from './worker.js'
import type { PageCache } from './cache.js'
import type { OpenHooks, OpenOptions } from './open-options.js'
import { askToPersist } from '../run/journal-persist.js'

/** Who carries out what is asked. */
interface Servant {
  call(method: CacheMethod, of: readonly unknown[]): Promise<unknown>
  end(): void
}

/**
 *   const cache = await SemanticCache.open({ name: 'answers', model: '/models/all-MiniLM-L6-v2/', runtime: '/ort.wasm.bundle.min.mjs' })
 *   const found = await cache.get({ prompt, scope })
 *   if (found.kind === 'miss') await cache.put({ prompt, scope, answer: await ask(prompt) })
 *
 * Every method rejects with host.disposed after `close`, with host.worker when its worker has stopped, and as it says.
 */
export class SemanticCache implements AnswerCache {
  /** Where it is. */
  readonly thread: 'worker' | 'page'
  readonly #servant: Servant
  #closed: Promise<void> | undefined

  private constructor(servant: Servant, thread: 'worker' | 'page') {
    this.#servant = servant
    this.thread = thread
  }

  /**
   * Opens it, with its model: that is fetched before this resolves. Where the browser refuses to keep anything it is in memory, and
   * `onProblem` is told. Fails: cache.store_failed (a newer version made it), cache.download_failed, cache.model, cache.runtime, host.io_failed;
   * host.disposed when `signal` aborts it.
   */
  static async open(options: PageCacheOptions = {}): Promise<SemanticCache> {
    const { onProgress, signal = new AbortController().signal, name } = options
    if (name !== undefined) askToPersist()
    const hooks: OpenHooks = { signal, progress: (progress) => onProgress?.(progress) }
    const opened = openOptions(options)
    const wanted = options.worker !== false && !bound(options)
    if (wanted) {
      const worker = await inWorker(opened, options, hooks)
      if (worker !== undefined) return new SemanticCache(worker, 'worker')
    }
    const { PageCache } = await loadCache(options.assets)
    return new SemanticCache(inPage(await PageCache.open(opened, hooks)), 'page')
  }

  /** See SemanticCacheBase of web/standard/cache for these. */
  get(question: CacheQuestion): Promise<CacheFound> {
    return this.#call('get', question)
  }
  put(put: CachePut): Promise<{ readonly admission: string; readonly key: string }> {
    return this.#call('put', put)
  }
  feedback(id: string, label: { readonly right: boolean }): Promise<boolean> {
    return this.#call('feedback', id, label)
  }
  stats(): Promise<CacheStatistics> {
    return this.#call('stats')
  }
  list(): Promise<CacheEntryHead[]> {
    return this.#call('list')
  }
  read(key: string): Promise<CacheEntry | undefined> {
    return this.#call('read', key)
  }
  clear(what: { readonly scope?: CacheScope } = {}): Promise<number> {
    return this.#call('clear', what)
  }
  explain(prompt: string, where: { readonly scope?: CacheScope } = {}): Promise<CacheExplanation> {
    return this.#call('explain', prompt, where)
  }
  preload(): Promise<void> {
    return this.#call('preload')
  }
  size(): Promise<{ readonly store: number; readonly vectors: number }> {
    return this.#call('size')
  }

  /** Idempotent. Writes what is held back. */
  close(): Promise<void> {
    this.#closed ??= this.#servant.call('close', []).then(
      () => this.#servant.end(),
      () => this.#servant.end(),
    )
    return this.#closed
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #call<T>(method: CacheMethod, ...of: readonly unknown[]): Promise<T> {
    if (this.#closed !== undefined)
      return Promise.reject(new AetherflowError('host.disposed', '', 'the cache is closed'))
    return this.#servant.call(method, of) as Promise<T>
  }
}

/** Functions whose answers the cache waits for cannot be handed to a worker. */
function bound({ runtime, now, shadow, judge }: PageCacheOptions): boolean {
  return [runtime, now, judge, shadow?.same].some((option) => typeof option === 'function')
}

/** Undefined: there are no workers to be had, and `onProblem` knows it. */
async function inWorker(
  opened: OpenOptions,
  { assets }: PageCacheOptions,
  hooks: OpenHooks,
): Promise<CacheWorker | undefined> {
  try {
    return await CacheWorker.open(cacheAddresses(assets).cache, opened, hooks)
  } catch (error) {
    if (!(error instanceof AetherflowError) || error.code !== 'host.worker') throw error
    opened.onProblem?.(`no worker could be started, so this thread has the cache: ${error.detail}`)
    return undefined
  }
}

function inPage(cache: PageCache): Servant {
  return {
    call: async (method, of) => await (cache[method] as (...of: readonly unknown[]) => unknown).apply(cache, [...of]),
    end: () => undefined,
  }
}

/** What can be handed to a worker, addresses made absolute: a worker's own is another base than the page's. */
function openOptions(options: PageCacheOptions): OpenOptions {
  const { name, model, runtime, maxWrongShare, floor, mode, limits, shadow, judge, now, onProblem, assets } = options
  const absolute = (address: string | URL): string => new URL(address, globalThis.location?.href).href
  const { module, data } = cacheAddresses(assets)
  return {
    ...{ name, maxWrongShare, floor, mode, limits, shadow, judge, now, onProblem },
    model: model === undefined ? undefined : absolute(model),
    runtime: typeof runtime === 'function' || runtime === undefined ? runtime : absolute(runtime),
    module: absolute(module),
    data: absolute(data),
  }
}
