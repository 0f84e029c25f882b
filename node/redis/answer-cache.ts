/** A semantic cache on a Redis server that no run waits for: while the server is away it fails at once, and it comes back by itself. */
import type { AnswerCache, CacheFound, CachePut, CacheQuestion } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { CachePlace } from '../cache/place.js'
import { SemanticCache, type SemanticCacheOptions } from '../cache/semantic-cache.js'
import { redisPlace } from './address.js'
import { RedisCacheStore } from './cache-store.js'
import { connectRedis, messageOf, type RedisLink } from './link.js'

/** Longest wait for a reply: an answer that takes longer to find may as well be asked for. */
const patienceMs = 500

export type RedisAnswerCacheOptions = Omit<SemanticCacheOptions, 'dir' | 'store'>

/** A store with a connection of its own, which is closed with it. Fails: host.usage. */
export async function redisCacheStore(address: string): Promise<RedisCacheStore> {
  const { prefix } = redisPlace(address)
  return new RedisCacheStore(await connectRedis(address, { timeoutMs: patienceMs }), { prefix, owned: true })
}

export class RedisAnswerCache implements AnswerCache {
  /** So that a run that goes on finds it again. */
  readonly place: CachePlace
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #options: RedisAnswerCacheOptions
  #cache: SemanticCache | undefined
  #opening: Promise<void> | undefined
  #why = 'the server does not answer'
  /** It was told that the server is away. */
  #missed = false
  #closed = false

  private constructor(link: RedisLink, prefix: string, options: RedisAnswerCacheOptions) {
    this.#link = link
    this.#prefix = prefix
    this.#options = options
    const { model, maxWrongShare } = options
    this.place = {
      dir: link.name,
      ...(typeof model === 'string' ? { model } : {}),
      ...(maxWrongShare === undefined ? {} : { maxWrongShare }),
    }
    link.onReturn(() => void this.#open().catch((error: unknown) => (this.#why = messageOf(error))))
  }

  /** A server that is away is a problem that is told, and no failure. Fails: host.usage, cache.model. */
  static async open(address: string, options: RedisAnswerCacheOptions = {}): Promise<RedisAnswerCache> {
    const { prefix } = redisPlace(address)
    const link = await connectRedis(address, { timeoutMs: patienceMs })
    const cache = new RedisAnswerCache(link, prefix, options)
    try {
      await cache.#open()
    } catch (error) {
      await cache.close()
      throw error
    }
    if (cache.#cache === undefined) {
      cache.#missed = true
      options.onProblem?.(`cache.store_failed at ${link.name}: ${cache.#why}; the cache is used once it is there`)
    }
    return cache
  }

  async get(question: CacheQuestion): Promise<CacheFound> {
    return this.#there().get(question)
  }

  async put(put: CachePut): Promise<{ readonly admission: string; readonly key: string }> {
    return this.#there().put(put)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    await this.#cache?.close()
    await this.#link.close()
  }

  #there(): SemanticCache {
    if (this.#cache !== undefined) return this.#cache
    throw new AetherflowError('cache.store_failed', this.#link.name, this.#why)
  }

  #open(): Promise<void> {
    if (this.#cache !== undefined || this.#closed) return Promise.resolve()
    this.#opening ??= this.#opened().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #opened(): Promise<void> {
    const store = new RedisCacheStore(this.#link, { prefix: this.#prefix })
    try {
      this.#cache = await SemanticCache.open({ ...this.#options, store })
      if (this.#missed) this.#options.onProblem?.(`the cache at ${this.#link.name} is there, and used from now on`)
    } catch (error) {
      // A model that is none stays none when the server comes back.
      if (error instanceof AetherflowError && !/^cache\.(store_failed|full)$/.test(error.code)) throw error
      this.#why = error instanceof AetherflowError ? error.detail : messageOf(error)
    }
  }
}
