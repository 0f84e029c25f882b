/** The contract of the cache's stores, over the one in memory: it is web-standard code, so it has to hold here too. */
import { MemoryBacking, MemoryStore } from '../../../web/standard/stores/memory.js'
import { cacheStoreContract } from '../../contract/cache-store.js'
import { expect, test } from './suite.js'

cacheStoreContract('memory', () => {
  const backing = new MemoryBacking()
  return Promise.resolve({ versions: true, store: () => new MemoryStore(backing), end: () => Promise.resolve() })
})

test('[must fail] the stand-in sees a difference', () => {
  expect({ a: [1, new Float32Array([1, 2])] }).toEqual({ a: [1, new Float32Array([1, 3])] })
})
test('[must fail] the stand-in tells -0 from 0', () => expect(-0).toBe(0))
test('the stand-in sees equals', () => {
  expect({ a: [1, new Map([['x', new Uint8Array([1])]])], b: undefined }).toEqual({
    a: [1, new Map([['x', new Uint8Array([1])]])],
  })
})
