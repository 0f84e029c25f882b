/** The cache on a Redis server: the contract of all stores, and what happens when the server is away, slow, full or empty. */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import type { RedisLink } from '../../node/redis/link.js'
import { RedisCacheStore } from '../../node/redis/cache-store.js'
import { SemanticCache } from '../../node/index.js'
import { entryOf, keyOf, vectorOf } from '../../web/standard/testing/cache-entries.js'
import { cacheStoreContract } from '../contract/cache-store.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

jest.setTimeout(30_000)

const server = new RedisServer()
const links: RedisLink[] = []
const link = async (timeoutMs?: number): Promise<RedisLink> => {
  const made = await server.link({ timeoutMs })
  links.push(made)
  return made
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { code?: string }) => String(error.code),
  )

withRedis('a cache on a Redis server', () => {
  let shared: RedisLink
  beforeAll(async () => {
    await server.start()
    shared = await link()
  })
  afterEach(async () => {
    for (const made of links.splice(0)) if (made !== shared) await made.close()
  })
  afterAll(async () => {
    await shared.close()
    await server.end()
  })

  cacheStoreContract('a Redis server', () => {
    const prefix = freshPrefix()
    return Promise.resolve({
      versions: true,
      store: () => new RedisCacheStore(shared, { prefix }),
      end: () => Promise.resolve(),
    })
  })

  test('a scope that was long at rest has a version no less than its own', async () => {
    const prefix = freshPrefix()
    const store = await opened(prefix)
    const scope = (number: number): string => keyOf(1_000_000 + number)
    await store.put(entryOf(1, { scope: scope(0) }))
    const before = await store.version(scope(0))
    const others = Array.from({ length: 10_000 }, (_, at) => [before + 1 + at, scope(1 + at)]).flat()
    await shared.send('ZADD', `{${prefix}}:cache:versions`, ...others)
    await shared.send('SET', `{${prefix}}:cache:seq`, before + 10_000)
    await store.put(entryOf(2, { scope: scope(20_000) }))
    expect(await shared.send('ZCARD', `{${prefix}}:cache:versions`)).toBe(10_000)
    expect(await store.version(scope(0))).toBeGreaterThan(before)
    expect(await store.version(scope(20_000))).toBe(before + 10_001)
  })

  const opened = async (prefix: string, on = shared): Promise<RedisCacheStore> => {
    const store = new RedisCacheStore(on, { prefix, restMs: 1 })
    await store.open()
    return store
  }

  test('entries end by the server’s clock, and whoever asks for one that is gone removes it for all', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await opened(prefix), await opened(prefix)]
    await one.put(entryOf(1, { expiresAt: Date.now() - 1 }))
    await one.put(entryOf(2))
    expect(await one.read(keyOf(1))).toBeUndefined()
    const { put } = await other.changes()
    expect(put.map(({ key }) => key)).toEqual([keyOf(2)])
    expect(await one.size()).toBeGreaterThan(0)
    await one.remove([keyOf(2)])
    expect(await one.size()).toBe(0)
  })

  test('whoever was away for longer than changes are kept reads everything anew', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await opened(prefix), await opened(prefix)]
    await one.put(entryOf(1))
    await one.put(entryOf(2))
    await other.changes()
    await one.remove([keyOf(1)])
    await one.put(entryOf(3))
    await shared.send('XTRIM', `{${prefix}}:cache:log`, 'MAXLEN', 0)
    const { put, removed } = await other.changes()
    expect([put.map(({ key }) => key), removed]).toEqual([[keyOf(2), keyOf(3)], [keyOf(1)]])
    expect(await other.changes()).toEqual({ put: [], removed: [] })
  })

  test('a server that comes back empty is a cache that has forgotten, with the same secret', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await opened(prefix), await opened(prefix)]
    await one.put(entryOf(1))
    await other.changes()
    await shared.send('FLUSHALL')
    expect(await other.changes()).toEqual({ put: [], removed: [keyOf(1)] })
    expect(await one.read(keyOf(1))).toBeUndefined()
    await one.put(entryOf(2))
    const late = new RedisCacheStore(shared, { prefix })
    expect(await late.open()).toEqual(await one.open())
    expect((await late.changes()).put.map(({ key }) => key)).toEqual([keyOf(2)])
  })

  test('a server without memory says so, one that only reads too, and both are used again afterwards', async () => {
    const store = await opened(freshPrefix())
    await shared.send('CONFIG', 'SET', 'maxmemory', '1')
    expect(await codeOf(store.put(entryOf(1)))).toBe('cache.full')
    await shared.send('CONFIG', 'SET', 'maxmemory', '0')
    await store.put(entryOf(1))
    await shared.send('CONFIG', 'SET', 'min-replicas-to-write', '1')
    expect(await codeOf(store.put(entryOf(2)))).toBe('cache.store_failed')
    await shared.send('CONFIG', 'SET', 'min-replicas-to-write', '0')
    expect(await store.read(keyOf(1))).toEqual(entryOf(1))
  })

  test('what a stranger wrote under its names is no entry', async () => {
    const prefix = freshPrefix()
    const store = await opened(prefix)
    await store.put(entryOf(1))
    await shared.send('SET', `{${prefix}}:cache:entry:${keyOf(1)}`, '{"key":"other"}')
    await shared.send('SET', `{${prefix}}:cache:vector:${keyOf(1)}`, 'abc')
    expect(await store.read(keyOf(1))).toBeUndefined()
    expect(await store.embedding(keyOf(1))).toBeUndefined()
    await shared.send('SET', `{${prefix}}:cache:secret`, 'none')
    expect(await codeOf(new RedisCacheStore(shared, { prefix }).open())).toBe('cache.store_failed')
  })

  test('a dead server fails look-ups at once, and is used again when it is back', async () => {
    const own = await link()
    const cache = await SemanticCache.open({ store: new RedisCacheStore(own, { prefix: freshPrefix(), restMs: 1 }) })
    await cache.put({ prompt: 'what is it?', answer: 'an answer' })
    await server.kill()
    expect(await codeOf(cache.get({ prompt: 'what is it?' }))).toBe('cache.store_failed')
    const back = new Promise<void>((resolve) => void own.onReturn(resolve))
    await server.start()
    await back
    await cache.put({ prompt: 'and now?', answer: 'another' })
    expect(await cache.get({ prompt: 'and now?' })).toMatchObject({ kind: 'exact', answer: 'another' })
    expect(await cache.get({ prompt: 'what is it?' })).toMatchObject({ kind: 'miss' })
    await cache.close()
  })

  test('a server that hangs costs one time-out, not one a look-up', async () => {
    const own = await link(50)
    const store = new RedisCacheStore(own, { prefix: freshPrefix(), restMs: 60_000 })
    await store.open()
    await server.kill('SIGSTOP')
    const codes = [await codeOf(store.read(keyOf(1)))]
    const before = performance.now()
    for (let asked = 0; asked < 1000; asked += 1) codes.push(await codeOf(store.read(keyOf(1))))
    const tookMs = performance.now() - before
    await server.kill('SIGCONT')
    expect(new Set(codes)).toEqual(new Set(['cache.store_failed']))
    // A thousand time-outs would be fifty seconds.
    expect(tookMs).toBeLessThan(25_000)
    store.keepEmbedding(keyOf(1), vectorOf(1))
    await store.close()
  })
})
