/**
 * The cache's store on a Redis server, for processes of many machines. The server keeps entries (each until its own end), embeddings,
 * counters and a numbered list of changes; every process keeps its own index of vectors, brought up to date by those changes.
 * What has to go first is decided by the caches (their limits): the server should run with `noeviction`.
 */
import { randomBytes } from 'node:crypto'
import type { CacheEntry, CacheEntryHead, CacheStore, CacheTally, StoreChanges } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import { headOf } from '../../web/standard/stores/memory.js'
import { changesKept, changesScript, putScript, removeScript, versionScript } from './cache-scripts.js'
import { keysUnder } from './address.js'
import { messageOf, runScript, type RedisLink, type RedisScript } from './link.js'

export interface RedisCacheStoreOptions {
  /** What the names of its keys begin with; anyone who has the same has the same cache. Default `aetherflow`. */
  readonly prefix?: string | undefined
  /** After a failure nobody is kept waiting by a further one for so long, ms. Default 1000. */
  readonly restMs?: number | undefined
  /** Embeddings that nobody asks for go after so long, ms. Default 30 days. */
  readonly embeddingMs?: number | undefined
  /** Closing the store closes the link. Default false. */
  readonly owned?: boolean | undefined
}

const atOnce = 500

export class RedisCacheStore implements CacheStore {
  readonly #link: RedisLink
  readonly #key: (name: string) => string
  readonly #options: RedisCacheStoreOptions
  /** Whose changes are no news here. */
  readonly #writer = randomBytes(6).toString('hex')
  /** Listed so far and not removed since. */
  readonly #known = new Set<string>()
  #last: number | undefined
  #secret: string | undefined
  #closed = false
  #restsUntil = 0
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(link: RedisLink, options: RedisCacheStoreOptions = {}) {
    this.#link = link
    this.#options = options
    const key = keysUnder(options.prefix)
    this.#key = (name) => key(`cache:${name}`)
  }

  async open(): Promise<{ readonly secret: string }> {
    if (this.#closed) throw this.#over()
    const fresh = randomBytes(16).toString('hex')
    const secret = await this.#asked(async () => {
      await this.#link.send('SET', this.#key('secret'), fresh, 'NX')
      return this.#link.send('GET', this.#key('secret'))
    })
    if (typeof secret !== 'string' || !/^[0-9a-f]{32}$/.test(secret))
      throw new AetherflowError('cache.store_failed', this.#link.name, 'what lies there is no cache')
    this.#secret = secret
    return { secret }
  }

  async changes(): Promise<StoreChanges> {
    return this.#with(async () => {
      if (this.#last === undefined) return this.#everything()
      const keys = ['seq', 'log', 'heads'].map(this.#key)
      const [sequence, ...rest] = (await this.#run(changesScript, keys, [this.#last, changesKept])) as [
        number,
        ...string[],
      ]
      if (rest[0] === 'all') return this.#everything()
      this.#last = sequence
      return this.#news(rest)
    })
  }

  #news(rest: readonly string[]): StoreChanges {
    const news = new Map<string, CacheEntryHead | undefined>()
    for (let at = 0; at < rest.length; at += 4) {
      const [writer, key = '', op, text = ''] = rest.slice(at, at + 4)
      // The last word on a key counts, also when it is this store's own.
      news.delete(key)
      const head = op === 'p' ? headIn(text)?.head : undefined
      if (head === undefined) this.#known.delete(key)
      else this.#known.add(key)
      if (writer !== this.#writer) news.set(key, head)
    }
    const put = [...news.values()].filter((head) => head !== undefined)
    return { put, removed: [...news].flatMap(([key, head]) => (head === undefined ? [key] : [])) }
  }

  /** All entries, the longest unused first; whatever is missing of those that were listed before is told as removed. */
  async #everything(): Promise<StoreChanges> {
    const first = this.#last === undefined
    const before = new Set(this.#known)
    // Read first: what is put meanwhile is listed twice, and never missed.
    this.#last = Number((await this.#link.send('GET', this.#key('seq'))) ?? 0)
    const keys = (await this.#link.send('ZRANGE', this.#key('uses'), 0, -1)) as string[]
    const put: CacheEntryHead[] = []
    this.#known.clear()
    for (let from = 0; from < keys.length; from += atOnce) {
      const texts = await this.#link.send('HMGET', this.#key('heads'), ...keys.slice(from, from + atOnce))
      for (const text of texts as (string | null)[]) {
        const found = text === null ? undefined : headIn(text)
        if (found === undefined) continue
        this.#known.add(found.head.key)
        before.delete(found.head.key)
        if (!(first && found.writer === this.#writer)) put.push(found.head)
      }
    }
    return { put, removed: [...before] }
  }

  async read(key: string): Promise<CacheEntry | undefined> {
    return this.#with(async () => {
      const text = await this.#link.send('GET', this.#key(`entry:${key}`))
      if (typeof text === 'string') return entryIn(text, key)
      // Its time is over, or a server that evicts has taken it: nobody else need try.
      if (this.#known.has(key)) await this.#remove([key]).catch(() => undefined)
      return undefined
    })
  }

  async put(entry: CacheEntry): Promise<void> {
    await this.#with(async () => {
      const head = JSON.stringify(headOf(entry))
      const body = JSON.stringify({ ...headOf(entry), prompt: entry.prompt, answer: entry.answer })
      const keys = ['secret', 'seq', 'log', 'heads', 'uses', 'bytes', `entry:${entry.key}`, 'versions'].map(this.#key)
      const ends = Math.min(Math.max(1, Math.floor(entry.expiresAt)), mostMs)
      const values = [
        this.#secret ?? '',
        this.#writer,
        entry.key,
        head,
        body,
        ends,
        entry.createdAt,
        changesKept,
        entry.scope,
      ]
      await this.#run(putScript, keys, values)
      this.#known.add(entry.key)
    })
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#with(() => this.#remove(keys))
  }

  async #remove(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += atOnce) {
      const some = keys.slice(from, from + atOnce)
      const names = ['seq', 'log', 'heads', 'uses', 'bytes', 'versions', ...some.map((key) => `entry:${key}`)].map(
        this.#key,
      )
      await this.#run(removeScript, names, [this.#writer, changesKept, ...some])
      for (const key of some) this.#known.delete(key)
    }
  }

  used(keys: readonly string[], at: number): void {
    if (keys.length === 0) return
    this.#lazily(() => this.#link.send('ZADD', this.#key('uses'), 'XX', 'GT', ...keys.flatMap((key) => [at, key])))
  }

  async embedding(key: string): Promise<Float32Array | undefined> {
    return this.#with(async () => {
      const { embeddingMs = 30 * 86_400_000 } = this.#options
      const bytes = await this.#link.sendForBytes('GETEX', this.#key(`vector:${key}`), 'PX', embeddingMs)
      if (!(bytes instanceof Uint8Array) || bytes.length % 4 !== 0) return undefined
      // A copy that begins where four bytes may.
      return new Float32Array(new Uint8Array(bytes).buffer)
    })
  }

  keepEmbedding(key: string, vector: Float32Array): void {
    const bytes = new Uint8Array(vector.slice().buffer)
    const { embeddingMs = 30 * 86_400_000 } = this.#options
    this.#lazily(() => this.#link.send('SET', this.#key(`vector:${key}`), bytes, 'PX', embeddingMs))
  }

  count(more: CacheTally): void {
    for (const [name, by] of Object.entries(more))
      this.#lazily(() => this.#link.send('HINCRBY', this.#key('tally'), name, by))
  }

  async tally(): Promise<CacheTally> {
    return this.#with(async () => {
      const flat = (await this.#link.send('HGETALL', this.#key('tally'))) as string[]
      const pairs = Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? '', Number(flat[2 * at + 1])])
      return Object.fromEntries(pairs) as CacheTally
    })
  }

  /** Entries that the server ends at their time are no change; their removal, once somebody misses them, is one. */
  async version(scope: string): Promise<number> {
    return this.#with(async () => Number(await this.#run(versionScript, [this.#key('versions')], [scope])))
  }

  /** Bytes of entries; embeddings are not counted. */
  async size(): Promise<number> {
    return this.#with(async () => Number((await this.#link.send('GET', this.#key('bytes'))) ?? 0))
  }

  /** Forgets the entries whose time is over on the server. */
  async compact(): Promise<void> {
    await this.#with(async () => {
      const keys = (await this.#link.send('ZRANGE', this.#key('uses'), 0, -1)) as string[]
      for (let from = 0; from < keys.length; from += atOnce) {
        const some = keys.slice(from, from + atOnce)
        const there = await Promise.all(some.map((key) => this.#link.send('EXISTS', this.#key(`entry:${key}`))))
        await this.#remove(some.filter((_, at) => there[at] === 0))
      }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled([...this.#underWay])
    if (this.#options.owned === true) await this.#link.close()
  }

  #run(script: RedisScript, keys: readonly string[], values: readonly (string | number)[]): Promise<unknown> {
    return runScript(this.#link, script, keys, values)
  }

  /** Best effort, in order with what is asked afterwards; closing waits for it. */
  #lazily(work: () => Promise<unknown>): void {
    if (this.#closed || performance.now() < this.#restsUntil) return
    const sent: Promise<unknown> = work()
      .catch((error: unknown) => this.#rests(error))
      .finally(() => this.#underWay.delete(sent))
    this.#underWay.add(sent)
  }

  #with<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed || this.#secret === undefined) return Promise.reject(this.#over())
    return this.#asked(work)
  }

  /** A server that has just failed to answer keeps nobody waiting until its rest is over. */
  async #asked<T>(work: () => Promise<T>): Promise<T> {
    if (performance.now() < this.#restsUntil)
      throw new AetherflowError(
        'cache.store_failed',
        this.#link.name,
        'the server does not answer; it is tried again soon',
      )
    try {
      return await work()
    } catch (error) {
      this.#rests(error)
      throw this.#told(error)
    }
  }

  /** What the server answers, even a refusal, shows that it is there. */
  #rests(error: unknown): void {
    if (!isReply(error)) this.#restsUntil = performance.now() + (this.#options.restMs ?? 1000)
  }

  #told(error: unknown): AetherflowError {
    if (error instanceof AetherflowError) return error
    const message = messageOf(error)
    if (/^OOM\b/.test(message))
      return new AetherflowError('cache.full', this.#link.name, 'the server has no memory left')
    return new AetherflowError('cache.store_failed', this.#link.name, message)
  }

  #over(): AetherflowError {
    return new AetherflowError('cache.store_failed', this.#link.name, 'the store is not open')
  }
}

/** The latest time that the server takes, ms since 1970. */
const mostMs = 2 ** 52

/** Replies that are errors begin with a word in capitals: `OOM`, `READONLY`, `WRONGTYPE`, … */
const isReply = (error: unknown): boolean => /^[A-Z]{3,} /.test(messageOf(error))

function headIn(text: string): { readonly writer: string; readonly head: CacheEntryHead } | undefined {
  const found = /^([0-9a-f]+)\|\d+\|/.exec(text)
  const head = found === null ? undefined : parsed<CacheEntryHead>(text.slice(found[0].length))
  return found === null || head === undefined ? undefined : { writer: found[1] ?? '', head }
}

/** Undefined: damaged, or another's. */
function entryIn(text: string, key: string): CacheEntry | undefined {
  const entry = parsed<CacheEntry>(text)
  return entry?.key === key && typeof entry.prompt === 'string' && typeof entry.answer === 'string' ? entry : undefined
}

function parsed<T>(text: string): T | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as T) : undefined
  } catch {
    return undefined
  }
}
