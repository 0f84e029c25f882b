import { afterEach, describe, expect, test } from '@jest/globals'
import type { CacheScope } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { CacheOptions } from '../../web/standard/cache/options.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { knownSum, TestCache, ToldEmbedder } from './open.js'

const caches: TestCache[] = []
async function open(options: CacheOptions = {}, embedder?: ToldEmbedder, backing = new MemoryBacking()) {
  const cache = await TestCache.over(new MemoryStore(backing), options, embedder)
  caches.push(cache)
  return cache
}
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close()
})

const scope: CacheScope = { provider: 'groq', model: 'm', system: 'Be short.', parameters: { temperature: 0 } }
const asked = 'How do I configure logging in the web server?'
const reworded = 'How can I configure logging in the web server?'
const opposite = 'How do I enable compression in the web server?'
const near = [1, 0.1]
const alike = { [asked]: [1], [reworded]: near, [opposite]: near }

describe('opening', () => {
  test.each([0, 0.0019, 0.051, 1, -0.01, NaN, Infinity])(
    'a share of %s is refused, not moved',
    async (maxWrongShare) => {
      await expect(open({ maxWrongShare })).rejects.toMatchObject({
        code: 'host.usage',
        message: expect.stringContaining('0.002 to 0.05'),
      })
    },
  )
  test.each([0.002, 0.01, 0.05])('a share of %s is taken', async (maxWrongShare) => {
    await expect(open({ maxWrongShare })).resolves.toBeInstanceOf(TestCache)
  })
})

describe('exact', () => {
  test('the same request is found, whatever stands around it; its worth is counted', async () => {
    const cache = await open()
    const put = { prompt: asked, answer: 'Press the button.', scope, worth: { tokens: 70, microUsd: 900, ms: 1200 } }
    expect(await cache.get({ prompt: asked, scope })).toMatchObject({ kind: 'miss', id: '', why: 'empty' })
    const { admission, key } = await cache.put(put)
    expect(admission).toBe('stored')
    const found = await cache.get({ prompt: `  ${asked}\r\n`, scope: { ...scope, parameters: { temperature: 0 } } })
    expect(found).toMatchObject({ kind: 'exact', key, answer: 'Press the button.', score: 1, why: 'exact' })
    expect(cache.stats()).toMatchObject({
      entries: 1,
      lookups: 2,
      hits: { exact: 1, semantic: 0 },
      misses: 1,
      hitRate: 0.5,
      stored: 1,
      saved: { tokens: 70, microUsd: 900, ms: 1200 },
    })
  })

  test.each<[keyof CacheScope, unknown]>([
    ['tenant', 'other'],
    ['provider', 'openai'],
    ['model', 'n'],
    ['parameters', { temperature: 1 }],
    ['system', 'Be long.'],
    ['tools', [{ name: 'search' }]],
    ['constraint', { kind: 'json' }],
    ['history', [{ role: 'user', content: 'Hello' }]],
  ])('another %s is another request, by text and by meaning', async (member, value) => {
    const embedder = new ToldEmbedder(alike, knownSum)
    const cache = await open({ maxWrongShare: 0.05 }, embedder)
    await cache.put({ prompt: asked, answer: 'A', scope })
    const other = { ...scope, [member]: value }
    expect(await cache.get({ prompt: asked, scope: other })).toMatchObject({ kind: 'miss', why: 'empty' })
    expect(await cache.get({ prompt: reworded, scope: other })).toMatchObject({ kind: 'miss', why: 'empty' })
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('exact')
  })

  test('the order of members in JSON does not count', async () => {
    const cache = await open()
    await cache.put({ prompt: 'p', answer: 'A', scope: { parameters: { a: 1, b: [2, { c: 3, d: 4 }] } } })
    const found = await cache.get({ prompt: 'p', scope: { parameters: { b: [2, { d: 4, c: 3 }], a: 1 } } })
    expect(found.kind).toBe('exact')
  })

  test.each([
    [{ failed: true }, 'failed'],
    [{ truncated: true }, 'cut_off'],
    [{ violates: true }, 'constraint'],
    [{ answer: ' \n' }, 'empty'],
    [{ answer: 'x'.repeat(2000) }, 'too_large'],
    [{ ttlMs: -1 }, 'refused'],
    [{ mode: 'off' as const }, 'refused'],
  ])('what is not fit is not stored, and drives nothing out: %j', async (more, admission) => {
    const cache = await open({ limits: { entryBytes: 1000 } })
    await cache.put({ prompt: asked, answer: 'good', scope })
    expect((await cache.put({ prompt: asked, answer: 'bad', scope, ...more })).admission).toBe(admission)
    expect(await cache.get({ prompt: asked, scope })).toMatchObject({ kind: 'exact', answer: 'good' })
    expect((await cache.put({ prompt: 'another', answer: 'bad', scope, ...more })).admission).toBe(admission)
    expect((await cache.get({ prompt: 'another', scope })).kind).toBe('miss')
    expect(cache.stats().entries).toBe(1)
  })

  test('time to live, least recently used, limits', async () => {
    let now = 1000
    const cache = await open({ now: () => now, limits: { entries: 2, ttlMs: 100 } })
    await cache.put({ prompt: 'a', answer: 'A' })
    await cache.put({ prompt: 'b', answer: 'B', ttlMs: 10 })
    expect((await cache.get({ prompt: 'a' })).kind).toBe('exact')
    now = 1010
    expect((await cache.get({ prompt: 'b' })).kind).toBe('miss')
    await cache.put({ prompt: 'c', answer: 'C' })
    expect((await cache.get({ prompt: 'a' })).kind).toBe('exact')
    await cache.put({ prompt: 'd', answer: 'D' })
    expect((await cache.get({ prompt: 'c' })).kind).toBe('miss')
    expect((await cache.get({ prompt: 'a' })).kind).toBe('exact')
    now = 1100
    expect((await cache.get({ prompt: 'a' })).kind).toBe('miss')
    expect(cache.stats()).toMatchObject({ entries: 1, evicted: 1, expired: 2, stored: 4 })
    expect(await cache.list()).toHaveLength(1)
  })
})

describe('by meaning', () => {
  test('a rewording is served, its opposite is not; both say why', async () => {
    const embedder = new ToldEmbedder(
      { 'How do I enable dark mode?': [1], 'How can I enable dark mode?': near, 'How do I disable dark mode?': near },
      knownSum,
    )
    const cache = await open({ maxWrongShare: 0.05 }, embedder)
    await cache.put({ prompt: 'How do I enable dark mode?', answer: 'A', scope })
    const hit = await cache.get({ prompt: 'How can I enable dark mode?', scope })
    expect(hit).toMatchObject({ kind: 'semantic', answer: 'A' })
    expect(hit.probability).toBeGreaterThan(0.5)
    const vetoed = await cache.get({ prompt: 'How do I disable dark mode?', scope })
    expect(vetoed).toMatchObject({ kind: 'miss', why: expect.stringMatching(/^veto\.polarity: /) })
    expect(vetoed.score).toBeCloseTo(hit.score, 6)
    expect(cache.stats()).toMatchObject({ hits: { exact: 0, semantic: 1 }, misses: 1 })
  })

  test('a text is embedded once, in all sessions together', async () => {
    const backing = new MemoryBacking()
    const embedder = new ToldEmbedder(alike, knownSum)
    const first = await open({}, embedder, backing)
    await first.put({ prompt: asked, answer: 'A', scope })
    await Promise.all([1, 2, 3].map(() => first.get({ prompt: reworded, scope })))
    const second = await open({}, embedder, backing)
    await second.get({ prompt: reworded, scope })
    await second.put({ prompt: asked, answer: 'B', scope: { ...scope, tenant: 'x' } })
    expect(embedder.embedded.sort()).toEqual([asked, reworded].sort())
    expect(second.stats().embeddings).toMatchObject({ computed: 2 })
  })

  test('modes: off does nothing, exact looks at no vector', async () => {
    const embedder = new ToldEmbedder(alike, knownSum)
    const cache = await open({ mode: 'exact' }, embedder)
    await cache.put({ prompt: asked, answer: 'A', scope })
    expect(await cache.get({ prompt: reworded, scope })).toMatchObject({ kind: 'miss', why: 'mode.exact' })
    expect(await cache.get({ prompt: asked, scope, mode: 'off' })).toMatchObject({ kind: 'miss', why: 'mode.off' })
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('exact')
    expect(embedder.embedded).toEqual([])
    expect(cache.stats().lookups).toBe(2)
  })

  test('past the window and for a moment only the exact text is found', async () => {
    const embedder = new ToldEmbedder({}, knownSum)
    const cache = await open({}, embedder)
    await cache.put({ prompt: asked, answer: 'A', scope })
    expect(await cache.get({ prompt: reworded, scope })).toMatchObject({ kind: 'miss', why: 'exact.window' })
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('exact')
    await cache.put({ prompt: 'What is the price of gold today?', answer: 'A', scope })
    const fresh = await cache.get({ prompt: 'What is the price of gold now?', scope })
    expect(fresh).toMatchObject({ kind: 'miss', why: expect.stringMatching(/^exact\.fresh: /) })
    expect(embedder.embedded).not.toContain('What is the price of gold now?')
  })

  test('vectors of different models never meet; exact answers outlive the change', async () => {
    const backing = new MemoryBacking()
    const one = await open({ maxWrongShare: 0.05 }, new ToldEmbedder(alike, knownSum), backing)
    await one.put({ prompt: asked, answer: 'A', scope })
    const other = await open({ maxWrongShare: 0.05 }, new ToldEmbedder(alike, 'f'.repeat(64)), backing)
    expect(await other.get({ prompt: reworded, scope })).toMatchObject({ kind: 'miss', why: 'empty' })
    expect((await other.get({ prompt: asked, scope })).kind).toBe('exact')
    const lexical = await open({ maxWrongShare: 0.05 }, undefined, backing)
    expect(await lexical.get({ prompt: reworded, scope })).toMatchObject({ kind: 'miss', why: 'empty' })
  })

  test('a model that fails takes nothing along: exact answers, one complaint', async () => {
    const problems: string[] = []
    const embedder = new ToldEmbedder(alike, knownSum)
    embedder.failure = new AetherflowError('cache.runtime', 'onnxruntime-web', 'not installed')
    const cache = await open({ onProblem: (problem) => problems.push(problem) }, embedder)
    expect((await cache.put({ prompt: asked, answer: 'A', scope })).admission).toBe('stored')
    expect(await cache.get({ prompt: reworded, scope })).toMatchObject({ kind: 'miss', why: 'exact.cache.runtime' })
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('exact')
    expect(problems).toEqual([expect.stringContaining('cache.runtime')])
  })
})

describe('labels', () => {
  const dark = { 'How do I enable dark mode?': [1], 'How can I enable dark mode?': near }
  const [kept = '', again = ''] = Object.keys(dark)

  test('a wrong answer by meaning is not served again, here or after reopening', async () => {
    const backing = new MemoryBacking()
    const embedder = new ToldEmbedder(dark, knownSum)
    const cache = await open({ maxWrongShare: 0.05 }, embedder, backing)
    await cache.put({ prompt: kept, answer: 'A', scope })
    let found = await cache.get({ prompt: again, scope })
    expect(found.kind).toBe('semantic')
    const before = found.probability
    for (let times = 0; times < 10 && found.kind === 'semantic'; ++times) {
      expect(await cache.feedback(found.id, { right: false })).toBe(true)
      found = await cache.get({ prompt: again, scope })
      expect(found.probability).toBeLessThan(before)
    }
    expect(found.kind).toBe('miss')
    const reopened = await open({ maxWrongShare: 0.05 }, embedder, backing)
    expect(await reopened.get({ prompt: again, scope })).toMatchObject({ kind: 'miss', probability: found.probability })
    expect(reopened.stats().feedback.wrong).toBeGreaterThan(0)
  })

  test('right ones make an entry surer; a wrong exact answer is removed', async () => {
    const cache = await open({ maxWrongShare: 0.05 }, new ToldEmbedder(dark, knownSum))
    await cache.put({ prompt: kept, answer: 'A', scope })
    const found = await cache.get({ prompt: again, scope })
    await cache.feedback(found.id, { right: true })
    expect((await cache.get({ prompt: again, scope })).probability).toBeGreaterThan(found.probability)
    const exact = await cache.get({ prompt: kept, scope })
    expect(await cache.feedback(exact.id, { right: false })).toBe(true)
    expect((await cache.get({ prompt: kept, scope })).kind).toBe('miss')
    expect(await cache.feedback(exact.id, { right: false })).toBe(false)
    for (const id of ['', 'nonsense', `${exact.key}.x`]) expect(await cache.feedback(id, { right: true })).toBe(false)
  })

  test('shadow checks: a would-be hit goes to the model, whose answer is the label', async () => {
    const asksModel = { share: 1, same: (one: string, other: string) => one.toLowerCase() === other.toLowerCase() }
    const cache = await open({ maxWrongShare: 0.05, shadow: asksModel }, new ToldEmbedder(dark, knownSum))
    await cache.put({ prompt: kept, answer: 'yes', scope })
    expect(await cache.get({ prompt: again, scope })).toMatchObject({ kind: 'miss', why: 'shadow' })
    await cache.put({ prompt: again, answer: 'YES', scope })
    expect(cache.stats().feedback).toEqual({ right: 1, wrong: 0 })
  })
})

test('one question to several models is one miss', async () => {
  const cache = await open()
  for (const [n, model] of ['a', 'b', 'c'].entries()) {
    await cache.get({ prompt: asked, scope: { model }, again: n > 0 })
  }
  expect(cache.stats()).toMatchObject({ lookups: 1, misses: 1 })
})

test('explain tells what would be served, and changes nothing', async () => {
  const embedder = new ToldEmbedder(
    { 'How do I enable dark mode?': [1], 'How do I disable dark mode?': near, 'How can I enable dark mode?': near },
    knownSum,
  )
  const cache = await open({ maxWrongShare: 0.05 }, embedder)
  await cache.put({ prompt: 'How do I enable dark mode?', answer: 'A', scope })
  const before = cache.stats()
  const { candidates } = await cache.explain('How do I disable dark mode?')
  expect(candidates).toEqual([
    expect.objectContaining({
      hit: false,
      why: expect.stringContaining('veto.polarity'),
      label: 'groq/m',
      answer: 'A',
    }),
  ])
  expect((await cache.explain('How can I enable dark mode?')).candidates[0]).toMatchObject({ hit: true })
  expect((await cache.explain('How do I enable dark mode?')).exact).toHaveLength(1)
  expect((await cache.explain('What time is it now?')).exactOnly).toMatch(/^exact\.fresh/)
  expect({ ...cache.stats(), embeddings: 0 }).toEqual({ ...before, embeddings: 0 })
})

test('two that have one store open see what the other does', async () => {
  const backing = new MemoryBacking()
  const [one, other] = [await open({}, undefined, backing), await open({}, undefined, backing)]
  await one.put({ prompt: asked, answer: 'A', scope })
  expect(await other.get({ prompt: asked, scope })).toMatchObject({ kind: 'exact', answer: 'A' })
  expect(await other.clear({ scope: { tenant: 'nobody' } })).toBe(0)
  expect(await other.clear({ scope })).toBe(1)
  expect(await one.list()).toEqual([])
  expect((await one.get({ prompt: asked, scope })).kind).toBe('miss')
})

test('what an editor has made of the store is not served', async () => {
  const backing = new MemoryBacking()
  const cache = await open({}, undefined, backing)
  const { key } = await cache.put({ prompt: asked, answer: 'A', scope })
  const kept = backing.entries.get(key)
  if (kept === undefined) throw new Error('it is not there')
  backing.entries.set(key, { ...kept, entry: { ...kept.entry, prompt: 'something else' } })
  expect((await cache.get({ prompt: asked, scope })).kind).toBe('miss')
})

test('misuse is refused in words', async () => {
  const cache = await open()
  await expect(cache.get({ prompt: 5 as never })).rejects.toMatchObject({ code: 'host.usage' })
  await expect(cache.put({ prompt: 'p', answer: undefined as never })).rejects.toMatchObject({ code: 'host.usage' })
  await cache.close()
  await cache.close()
  await expect(cache.get({ prompt: 'p' })).rejects.toMatchObject({ code: 'host.disposed' })
  expect(() => cache.stats()).toThrow(expect.objectContaining({ code: 'host.disposed' }))
})
