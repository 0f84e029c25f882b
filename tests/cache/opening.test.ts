import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { cacheOptionsOf } from '../../node/cache/config.js'
import { expandHome, userCacheFolder } from '../../node/folders.js'
import { checkConfig } from '../../web/standard/config.js'
import { SemanticCache } from '../../node/cache/semantic-cache.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { knownSum, ToldEmbedder } from './open.js'

const folder = mkdtempSync(join(tmpdir(), 'aetherflow-opening-'))
beforeAll(() => {
  mkdirSync(join(folder, 'empty'))
  writeFileSync(join(folder, 'file'), 'x')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const asked = 'How do I configure logging in the web server?'
const reworded = 'How can I configure logging in the web server?'

describe('opening', () => {
  test.each([
    ['a folder and a store', { dir: join(folder, 'd'), store: new MemoryStore(new MemoryBacking()) }, 'host.usage'],
    ['a model that is not there', { model: join(folder, 'none') }, 'cache.model'],
    ['a folder without a model', { model: join(folder, 'empty') }, 'cache.model'],
    ['a file for a folder', { dir: join(folder, 'file') }, 'host.io_failed'],
  ])('%s is refused', async (_, options, code) => {
    await expect(SemanticCache.open(options)).rejects.toMatchObject({ code })
  })

  test('what is in a folder is there the next time, and its vectors with it', async () => {
    const told = { [asked]: [1], [reworded]: [1, 0.1] }
    const open = () => {
      const model = new ToldEmbedder(told, knownSum)
      return SemanticCache.open({ dir: join(folder, 'kept'), model, maxWrongShare: 0.05 }).then((cache) => ({
        cache,
        model,
      }))
    }
    const first = await open()
    await first.cache.put({ prompt: asked, answer: 'A' })
    await first.cache.close()
    const second = await open()
    expect(await second.cache.get({ prompt: reworded })).toMatchObject({ kind: 'semantic', answer: 'A' })
    expect(second.model.embedded).toEqual([reworded])
    expect(second.cache.place).toEqual({ dir: join(folder, 'kept'), maxWrongShare: 0.05 })
    await second.cache.close()
    await expect(second.cache.get({ prompt: asked })).rejects.toMatchObject({ code: 'host.disposed' })
  })

  test('a model that fails later leaves exact matches, and is told once', async () => {
    const model = new ToldEmbedder({ [asked]: [1] }, knownSum)
    const problems: string[] = []
    const cache = await SemanticCache.open({ model, onProblem: (problem) => problems.push(problem) })
    await cache.put({ prompt: asked, answer: 'A' })
    const { AetherflowError } = await import('../../bindings/errors.js')
    model.failure = new AetherflowError('cache.runtime', '', 'gone')
    for (const prompt of [reworded, `${reworded} Please.`]) expect((await cache.get({ prompt })).kind).toBe('miss')
    expect((await cache.get({ prompt: asked })).kind).toBe('exact')
    expect(problems).toEqual([expect.stringContaining('cache.runtime')])
    await cache.close()
  })
})

describe('the configuration', () => {
  test('what it says becomes options', () => {
    const cache = {
      dir: '~/answers',
      model: 'm',
      types: { '*': 'exact' },
      maxWrongShare: 0.02,
      ttlHours: 2,
      maxMb: 3,
      judge: 'auto',
    } as const
    expect(checkConfig({ cache })).toEqual({ cache })
    expect(cacheOptionsOf(cache)).toEqual({
      model: 'm',
      maxWrongShare: 0.02,
      judge: 'auto',
      limits: { ttlMs: 7_200_000, bytes: 3 * 2 ** 20 },
    })
    expect(expandHome('~/answers', { HOME: '/home/x' })).toBe('/home/x/answers')
    expect(userCacheFolder({ HOME: '/home/x', XDG_CACHE_HOME: 'relative' }, 'a')).toBe('/home/x/.cache/aetherflow/a')
    expect(userCacheFolder({ XDG_CACHE_HOME: '/c' }, 'a')).toBe('/c/aetherflow/a')
  })

  test.each([
    [5, "'cache' must be an object"],
    [{ directory: 'x' }, "unknown member 'directory' of 'cache'"],
    [{ toString: 'x' }, "unknown member 'toString' of 'cache'"],
    [{ dir: '' }, "'dir' of 'cache' must be text"],
    [{ maxWrongShare: 0.5 }, "'maxWrongShare' of 'cache' must be a number from 0.002 to 0.05"],
    [{ ttlHours: 0 }, "'ttlHours' of 'cache' must be a number above 0"],
    [{ judge: 'always' }, "'judge' of 'cache' must be 'auto' or 'off'"],
    [{ maxMb: '5' }, "'maxMb' of 'cache' must be a number above 0"],
    [{ types: { analysis: 'fuzzy' } }, "'types' of 'cache' must say off, exact or semantic by type of step"],
  ])('%j is refused', (cache, detail) => {
    expect(() => checkConfig({ cache })).toThrow(expect.objectContaining({ code: 'host.config', detail }))
  })
})

describe('what was written while the clock was a month ahead', () => {
  const hour = 3_600_000
  const day = 24 * hour
  const right = 1_000 * day
  const scope = { provider: 'p', model: 'm' }
  const told = { [asked]: [1], [reworded]: [1, 0.1] }

  test.each(['a folder', 'memory'])(
    'is stale once the clock is right, then and when opened again: %s',
    async (kind) => {
      const backing = new MemoryBacking()
      let now = right + 30 * day
      const open = () => {
        const place = kind === 'memory' ? { store: new MemoryStore(backing) } : { dir: join(folder, 'ahead') }
        const model = new ToldEmbedder(told, knownSum)
        return SemanticCache.open({ ...place, model, maxWrongShare: 0.05, now: () => now, limits: { ttlMs: hour } })
      }
      for (const back of [right, right + hour, right + 29 * day]) {
        now = right + 30 * day
        const writer = await open()
        await writer.put({ prompt: asked, answer: 'of the future', scope })
        expect((await writer.get({ prompt: reworded, scope })).kind).toBe('semantic')
        await writer.close()
        now = back
        const reader = await open()
        // By meaning first: the exact look-up forgets it.
        for (const prompt of [reworded, asked]) expect((await reader.get({ prompt, scope })).kind).toBe('miss')
        await reader.put({ prompt: asked, answer: 'of today', scope })
        expect(await reader.get({ prompt: asked, scope })).toMatchObject({ kind: 'exact', answer: 'of today' })
        await reader.close()
      }
    },
  )

  test('a minute of difference between machines is no future', async () => {
    let now = right + 59_000
    const cache = await SemanticCache.open({ dir: join(folder, 'skew'), now: () => now, limits: { ttlMs: hour } })
    await cache.put({ prompt: asked, answer: 'A', scope })
    now = right
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('exact')
    now = right - 2_000
    expect((await cache.get({ prompt: asked, scope })).kind).toBe('miss')
    await cache.close()
  })
})
