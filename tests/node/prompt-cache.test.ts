// Prompts made for the providers' caches, proven on the virtual clock: hits, money, makespan, what is told, and when nobody waits.
import { beforeAll, describe, expect, test } from '@jest/globals'
import {
  cacheCases,
  compareCaches,
  fileOf,
  sharedFilePlan,
  type CacheComparison,
} from '../../node/bench/prompt-cache.js'
import { playRun, type PlayedResult } from '../../node/bench/played-run.js'
import { mean } from '../../node/bench/statistics.js'
import { countTokens } from '../../web/standard/simulator/tokens.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'

const profile = simulatorProfiles.default
const seeds = [1, 2, 3]
const of = (list: CacheComparison['after'], key: keyof CacheComparison['after'][number]): number =>
  mean(list.map((figures) => figures[key]))

describe.each([
  [0, 0.75],
  [1, 0.6],
  [2, 0.6],
] as const)('built-in plan %i', (index, least) => {
  let compared: CacheComparison
  beforeAll(async () => {
    compared = await compareCaches(cacheCases[index]!, profile, seeds)
  })
  test(`at least ${least} of the prompt tokens are read from caches`, () => {
    for (const { hitRate } of compared.after) expect(hitRate).toBeGreaterThanOrEqual(least)
    expect(of(compared.before, 'hitRate')).toBeLessThan(0.35)
  })
  test('it costs less, and takes at most 1.2 times as long', () => {
    expect(compared.differences.costMicroUsd.high).toBeLessThan(0)
    expect(of(compared.after, 'makespanMs')).toBeLessThanOrEqual(1.2 * of(compared.before, 'makespanMs'))
  })
})

test('twelve steps of 30,000 shared tokens end earlier, and for less', async () => {
  const { differences, after } = await compareCaches(cacheCases[3]!, profile, seeds)
  expect(differences.makespanMs.high).toBeLessThan(0)
  expect(differences.costMicroUsd.high).toBeLessThan(0)
  expect(of(after, 'hitRate')).toBeGreaterThan(0.6)
})

const six = { plan: sharedFilePlan(6, ['code_generation']), files: { 'shared.ts': fileOf('shared', 3200) } }
const play = (more: object): Promise<PlayedResult> =>
  playRun({ ...six, profile, seed: 1, providers: ['groq'], ...more })

test('the money saved is that of the formula, within 5 %', async () => {
  const { report } = await play({})
  const read = 0.15 - 0.075
  // (N - 1) · P · (price - read): USD a million tokens are micro-USD a token.
  const predicted = 5 * countTokens(six.files['shared.ts']) * read
  const { savedMicroUsd } = report.totals.promptCache
  expect(Math.abs(savedMicroUsd - predicted) / predicted).toBeLessThan(0.05)
  const groq = report.byProvider.find(({ name }) => name === 'groq')!
  expect(groq.promptCache).toEqual(report.totals.promptCache)
  expect(report.totals.promptCache.hitRate).toBeCloseTo(groq.tokens.cached / groq.tokens.input, 3)
})

test('the decision is a note with its numbers, and the followers name their leader', async () => {
  const { events, report } = await play({})
  const notes = events.flatMap((event) => (event.type === 'note' ? [event] : []))
  const waits = notes.filter(({ reason }) => reason === 'waiting_for_prefix')
  expect(waits).toHaveLength(5)
  for (const { detail } of waits)
    expect(detail).toMatch(/behind s\d, \d+ tokens for 5 more, saves \d+ µUSD, adds [\d.]+ s/)
  const calls = report.steps.flatMap((step) => step.calls)
  const followers = calls.filter(({ leader }) => leader !== undefined)
  expect(followers).toHaveLength(5)
  expect(new Set(followers.map(({ leader }) => leader)).size).toBe(1)
  for (const { sharedTokens, waited } of followers) {
    expect(sharedTokens).toBeGreaterThan(2500)
    expect(waited).toBe('waiting_for_prefix')
  }
})

test('off: nobody waits, and prompts are as each step has them', async () => {
  const { events, report } = await play({ promptCache: 'off' })
  expect(events.some((event) => event.type === 'note' && event.reason === 'waiting_for_prefix')).toBe(false)
  expect(report.steps.flatMap((step) => step.calls).every(({ leader }) => leader === undefined)).toBe(true)
})

test('a short answer is not held up; always waits for the money', async () => {
  const short = { plan: sharedFilePlan(6, ['code_generation'], 60) }
  const told = async (more: object): Promise<string[]> => {
    const { events } = await play({ ...short, ...more })
    return [...new Set(events.flatMap((event) => (event.type === 'note' ? [event.reason as string] : [])))]
  }
  const auto = await told({})
  expect(auto).toContain('prefix_not_awaited')
  expect(auto).not.toContain('waiting_for_prefix')
  expect(await told({ promptCache: 'always' })).toContain('waiting_for_prefix')
})

test('Mistral: without a name nothing is kept, with it five of six find the file', async () => {
  const rate = async (promptCache: 'auto' | 'off'): Promise<number> => {
    const { report } = await play({ providers: ['mistral'], promptCache })
    return report.totals.promptCache.hitRate ?? 0
  }
  expect(await rate('off')).toBe(0)
  expect(await rate('auto')).toBeGreaterThan(0.75)
})

test('writing to the cache is paid where it has a price', async () => {
  const { report } = await play({ providers: ['openai'] })
  const written = report.steps.flatMap(({ calls }) => calls.map(({ tokens }) => tokens.written ?? 0))
  // The leader writes the file, each follower no more than its own end.
  expect(Math.max(...written)).toBeGreaterThan(3000)
  expect(written.filter((tokens) => tokens > 300)).toHaveLength(1)
})

test('replay: the same run twice gives the same bytes', async () => {
  const [one, two] = [await play({ seed: 5 }), await play({ seed: 5 })]
  expect(one.report).toEqual(two.report)
})
