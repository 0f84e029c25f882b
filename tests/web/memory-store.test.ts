import { expect, test } from '@jest/globals'
import { MemoryBacking, MemoryStore, mostEmbeddings, mostVersions } from '../../web/standard/stores/memory.js'
import { entryOf, keyOf, vectorOf } from '../../web/standard/testing/cache-entries.js'
import { cacheStoreContract } from '../contract/cache-store.js'

cacheStoreContract('memory', () => {
  const backing = new MemoryBacking()
  return Promise.resolve({ versions: true, store: () => new MemoryStore(backing), end: () => Promise.resolve() })
})

test('a scope that was long at rest has a version no less than its own', async () => {
  const store = new MemoryStore()
  await store.open()
  for (let number = 0; number <= mostVersions; number += 1)
    await store.put(entryOf(1, { key: keyOf(number), scope: keyOf(number) }))
  expect(await store.version(keyOf(0))).toBe(1)
  await store.put(entryOf(1, { key: keyOf(0), scope: keyOf(mostVersions) }))
  expect(await store.version(keyOf(0))).toBe(1)
  expect(await store.version(keyOf(1))).toBe(2)
})

test('embeddings that nobody asks for again give way', async () => {
  const store = new MemoryStore()
  await store.open()
  store.keepEmbedding(keyOf(0), vectorOf(0, 3))
  store.keepEmbedding(keyOf(1), vectorOf(1, 3))
  expect(await store.embedding(keyOf(0))).toEqual(vectorOf(0, 3))
  for (let number = 2; number <= mostEmbeddings(0); ++number) store.keepEmbedding(keyOf(number), vectorOf(number, 3))
  expect(await store.embedding(keyOf(1))).toBeUndefined()
  expect(await store.embedding(keyOf(0))).toEqual(vectorOf(0, 3))
  expect(await store.size()).toBe(mostEmbeddings(0) * 12)
})

test('two without a common backing know nothing of each other', async () => {
  const [one, other] = [new MemoryStore(), new MemoryStore()]
  expect(await one.open()).not.toEqual(await other.open())
})
