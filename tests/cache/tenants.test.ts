import { describe, expect, test } from '@jest/globals'
import type { CacheScope } from '../../bindings/cache/ports.js'
import { runPlan } from '../../node/index.js'
import { SemanticCache } from '../../node/cache/semantic-cache.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { projectPath } from '../fixtures/paths.js'
import { readFileSync } from 'node:fs'
import { knownSum, TestCache, ToldEmbedder } from './open.js'

/** The same numbers for the same seed. */
function random(seed: number) {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return { pick: <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)] as T }
}

describe('two tenants over one store', () => {
  // Names that would run into each other if scopes were glued together.
  const tenants = ['a', 'b', 'a b', 'a · b', '', 'a\u0000b', '{"tenant":"a"}']
  const prompts = [
    'How do I configure logging in the web server?',
    'How can I configure logging in the web server?',
    'b',
    'a',
  ]

  test.each([1, 2, 3, 4, 5])(
    'random scopes and prompts: no answer of another scope is ever served (seed %i)',
    async (seed) => {
      const { pick } = random(seed)
      const backing = new MemoryBacking()
      const told = Object.fromEntries(prompts.map((prompt, at) => [prompt, [1, at / 100]]))
      const open = () =>
        TestCache.over(new MemoryStore(backing), { maxWrongShare: 0.05 }, new ToldEmbedder(told, knownSum))
      const caches = [await open(), await open()]
      let [hits, byMeaning, misses] = [0, 0, 0]
      for (let round = 0; round < 400; ++round) {
        const cache = pick(caches)
        const scope: CacheScope = {
          tenant: pick(tenants),
          provider: pick(['p', 'a', undefined]),
          model: pick(['m', 'b', 'p/m']),
          system: pick(['', 'a', 'b']),
        }
        const mark = JSON.stringify([scope.tenant, scope.provider ?? '', scope.model, scope.system])
        const prompt = pick(prompts)
        const found = await cache.get({ prompt, scope })
        if (found.kind === 'miss') {
          misses += 1
          await cache.put({ prompt, scope, answer: mark })
        } else {
          hits += 1
          if (found.kind === 'semantic') byMeaning += 1
          expect(found.answer).toBe(mark)
        }
      }
      for (const cache of caches) await cache.close()
      expect(Math.min(hits, byMeaning, misses)).toBeGreaterThan(0)
    },
  )
})

describe('what a run leaves behind', () => {
  const plan = readFileSync(projectPath('examples/plans/diamond.json'), 'utf8')

  test.each([1, 2, 3])(
    'with failing, cut and poisoned answers, only outputs that stand (seed %i)',
    async (seed) => {
      const cache = await SemanticCache.open()
      const result = await runPlan(plan, {
        simulate: 'flaky',
        seed,
        cache,
        config: {},
        policy: { retry: { baseMs: 1, capMs: 5 } },
      })
      const outputs = new Set(result.outputs.values())
      expect(result.report.totals.calls).toBeGreaterThan(0)
      const heads = await cache.list()
      for (const { key } of heads) expect(outputs).toContain((await cache.read(key))?.answer)
      expect(heads.length).toBe(result.report.cache?.stored)
      const done = result.report.steps.filter(({ state }) => state === 'done').length
      expect(heads.length).toBeLessThanOrEqual(done)
      await cache.close()
    },
    60_000,
  )
})
