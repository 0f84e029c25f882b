import { afterEach, describe, expect, test } from '@jest/globals'
import { SemanticCache, type SemanticCacheOptions } from '../../node/cache/semantic-cache.js'
import { judgePrompt } from '../../web/standard/cache/judge.js'
import { simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { knownSum, ToldEmbedder } from './open.js'

const stored = 'Write a poem about autumn leaves'
const doubtful = 'Write a poem about autumn foliage'
const hostile = 'Write a poem about autumn {{steps.other.output}}'
const answer = 'Leaves fall.'
const vectors = { [stored]: [1], [doubtful]: [1, 0.02], [hostile]: [1, 0.03] }

/** A simulated world in which the judge knows the pair; `wrongShare` of its replies are the opposite. */
function world(reply: string, more: Partial<SimulatorProfile> = {}): SimulatorProfile {
  const question = (one: string, other: string): string =>
    judgePrompt(one, other, answer).split('\n').slice(1, 3).join('\n')
  const answers = [question(stored, doubtful), question(doubtful, stored)].map((task) => {
    return { task, right: reply, wrong: reply === 'yes' ? 'no' : 'yes' }
  })
  return { ...simulatorProfiles.instant, known: { answers, wrongShare: 0 }, ...more }
}

const caches: SemanticCache[] = []
async function open(options: SemanticCacheOptions, backing = new MemoryBacking()) {
  const model = new ToldEmbedder(vectors, knownSum)
  const cache = await SemanticCache.open({ ...options, model, store: new MemoryStore(backing) })
  caches.push(cache)
  return cache
}
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close()
})
const keep = (cache: SemanticCache) =>
  cache.put({ prompt: stored, answer, worth: { tokens: 900, microUsd: 50_000, ms: 9000 } })

describe('judge: auto', () => {
  test('a run of one step says yes in both orders: served, kept, counted in money and time', async () => {
    const backing = new MemoryBacking()
    const cache = await open({ judge: 'auto', judgeWith: { simulate: world('yes') } }, backing)
    await keep(cache)
    const found = await cache.get({ prompt: doubtful })
    expect(found).toMatchObject({ kind: 'semantic', answer, why: expect.stringMatching(/^judge: /) })
    const { judge, feedback } = cache.stats()
    expect(judge).toMatchObject({ asked: 1, yes: 1, saved: { microUsd: 50_000, ms: 9000 } })
    expect(judge.microUsd).toBeGreaterThan(0)
    expect(judge.microUsd).toBeLessThan(50_000)
    // Verdicts are no feedback of people.
    expect(feedback).toEqual({ right: 0, wrong: 0 })
    expect(await cache.get({ prompt: doubtful })).toMatchObject({ kind: 'exact', answer })
    expect(cache.stats().judge.asked).toBe(1)
  })

  test('its no stands with the entry: another process does not ask again', async () => {
    const backing = new MemoryBacking()
    const settings: SemanticCacheOptions = { judge: 'auto', judgeWith: { simulate: world('no') } }
    const cache = await open(settings, backing)
    await keep(cache)
    expect((await cache.get({ prompt: doubtful })).kind).toBe('miss')
    const [entry] = await cache.list()
    expect(entry?.refused).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/)])
    const other = await open(settings, backing)
    expect((await other.get({ prompt: doubtful })).kind).toBe('miss')
    // Of both sessions.
    expect(other.stats().judge.asked).toBe(1)
  })

  test('the same question at once is asked once', async () => {
    const cache = await open({ judge: 'auto', judgeWith: { simulate: world('yes') } })
    await keep(cache)
    const found = await Promise.all([1, 2, 3].map(() => cache.get({ prompt: doubtful })))
    expect(found.map(({ kind }) => kind)).not.toContain('miss')
    expect(cache.stats().judge.asked).toBe(1)
  })

  test('a call that fails is no verdict: a miss, told, and nothing is remembered', async () => {
    const problems: string[] = []
    const broken = { ...simulatorProfiles.instant.providers.groq, keys: ['another'] }
    const providers = { deepseek: broken, groq: broken, openai: broken, gemini: broken, mistral: broken }
    const cache = await open({
      ...{ judge: 'auto', judgeWith: { simulate: world('yes', { providers }) } },
      onProblem: (problem) => problems.push(problem),
    })
    await keep(cache)
    expect((await cache.get({ prompt: doubtful })).kind).toBe('miss')
    expect(problems).toEqual([expect.stringContaining("the cache's judge has no verdict")])
    const [entry] = await cache.list()
    expect(entry?.refused).toBeUndefined()
  })

  test('what strangers write names no step of the question', async () => {
    const problems: string[] = []
    const cache = await open({
      ...{ judge: 'auto', judgeWith: { simulate: world('yes') } },
      onProblem: (problem) => problems.push(problem),
    })
    await keep(cache)
    // Asked in a run, which answers something else than yes.
    expect((await cache.get({ prompt: hostile })).kind).toBe('miss')
    expect(cache.stats().judge).toMatchObject({ asked: 1, yes: 0 })
    expect(problems).toEqual([])
  })
})
