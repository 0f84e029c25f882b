// Names for requests that begin alike, and what each client makes of them.
import { describe, expect, test } from '@jest/globals'
import { digest } from '../../node/digest.js'
import { deepseek, groq, mistral, openai } from '../../web/standard/providers/index.js'
import { CacheKeys } from '../../web/standard/run/cache-keys.js'
import { modelRequest } from './call.js'

describe('cache keys', () => {
  test('are made of the texts alone: another run meets the same cache', () => {
    const key = () => new CacheKeys(digest).next('m', 'system', 'plan', 0).key
    expect(key()).toBe(key())
    expect(key().length).toBeLessThanOrEqual(64)
  })
  test('differ by model, beginning and tenant', () => {
    const keys = [
      new CacheKeys(digest).next('m', 's', 'plan', 0),
      new CacheKeys(digest).next('n', 's', 'plan', 0),
      new CacheKeys(digest).next('m', 's', 'other', 0),
      new CacheKeys(digest, 'tenant').next('m', 's', 'plan', 0),
    ]
    expect(new Set(keys.map(({ key }) => key)).size).toBe(4)
    expect(keys.map(({ partition }) => partition === undefined)).toEqual([true, true, true, false])
  })
  test('a bucket takes fifteen requests of a minute', () => {
    const keys = new CacheKeys(digest)
    const buckets = Array.from({ length: 31 }, (_, at) => keys.next('m', 's', 'p', at * 10).bucket)
    expect(buckets.filter((bucket) => bucket === 0)).toHaveLength(15)
    expect(buckets.at(-1)).toBe(2)
    expect(keys.next('m', 's', 'p', 70_000).bucket).toBe(0)
  })
})

test('who sends what', () => {
  const request = modelRequest({ model: 'm', cache: { key: 'af-1', bucket: 2, partition: 'af-t' } })
  expect(mistral.body(request)).toMatchObject({ prompt_cache_key: 'af-1' })
  expect(openai.body(request)).toMatchObject({ prompt_cache_key: 'af-1-2' })
  expect(deepseek.body(request)).toMatchObject({ user_id: 'af-t' })
  expect(JSON.stringify(groq.body(request))).not.toContain('af-')
  const plain = modelRequest({ model: 'm' })
  for (const dialect of [mistral, openai, deepseek]) expect(JSON.stringify(dialect.body(plain))).not.toContain('af-')
  // Without a tenant DeepSeek's requests share the account's cache.
  expect(deepseek.body(modelRequest({ model: 'm', cache: { key: 'af-1', bucket: 0 } }))).not.toHaveProperty('user_id')
})
