// Prompts made for the providers' caches, proven on the virtual clock: hits, money, makespan, what is told, and when nobody waits.
import { beforeAll, expect, test } from '@jest/globals'
import { cacheCases, compareCaches, fileOf, sharedFilePlan } from '../../node/bench/prompt-cache.js'
import { playRun, type PlayedResult } from '../../node/bench/played-run.js'
import { RunModel } from '../../web/element/run-model.js'
import { cacheMark, rowWords } from '../../web/element/step-words.js'
import { countTokens } from '../../web/standard/simulator/tokens.js'
import { mean } from '../../node/bench/statistics.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'

const profile = simulatorProfiles.default
const six = { plan: sharedFilePlan(6, ['code_generation']), files: { 'shared.ts': fileOf('shared', 3200) } }
const short = { plan: sharedFilePlan(6, ['code_generation'], 60) }
const play = (more: object): Promise<PlayedResult> =>
  playRun({ ...six, profile, seed: 1, providers: ['groq'], ...more })

// Runs that several tests look at.
let usual: PlayedResult
let off: PlayedResult
beforeAll(async () => {
  usual = await play({})
  off = await play({ promptCache: 'off' })
})

const spent = ({ report }: PlayedResult): { hits: number; cost: number; ms: number } => ({
  hits: report.totals.promptCache.hitRate ?? 0,
  cost: report.totals.costMicroUsd,
  ms: report.makespanMs,
})

test('six steps at once: three quarters of the prompt tokens from the cache, for less, in at most 1.2 times', () => {
  const [before, after] = [spent(off), spent(usual)]
  expect(before.hits).toBeLessThan(0.35)
  expect(after.hits).toBeGreaterThanOrEqual(0.75)
  expect(after.cost).toBeLessThan(before.cost)
  expect(after.ms).toBeLessThanOrEqual(1.2 * before.ms)
})

// Where a wait adds most, how long single calls take decides: the mean of some runs counts.
test.each([
  ['four types on one file', 1, [1, 2, 3]],
  ['double-check', 2, [1]],
])('%s: at least 60 % from caches, for less, in at most 1.2 times', async (_, index, seeds) => {
  const { before, after } = await compareCaches(cacheCases[index]!, profile, seeds)
  const of = (list: typeof after, key: keyof (typeof after)[number]): number => mean(list.map((one) => one[key]))
  for (const { hitRate } of before) expect(hitRate).toBeLessThan(0.35)
  for (const { hitRate } of after) expect(hitRate).toBeGreaterThanOrEqual(0.6)
  expect(of(after, 'costMicroUsd')).toBeLessThan(of(before, 'costMicroUsd'))
  expect(of(after, 'makespanMs')).toBeLessThanOrEqual(1.2 * of(before, 'makespanMs'))
})

test('twelve steps of 30,000 shared tokens end earlier, and for less', async () => {
  // Shorter answers than in the benchmark: each of their tokens is an event.
  const plan = sharedFilePlan(12, ['analysis', 'refactoring', 'testing'], 150)
  const { before, after } = await compareCaches({ ...cacheCases[3]!, plan }, profile, [1])
  expect(after[0]!.makespanMs).toBeLessThan(before[0]!.makespanMs)
  expect(after[0]!.costMicroUsd).toBeLessThan(before[0]!.costMicroUsd)
  expect(after[0]!.hitRate).toBeGreaterThan(0.6)
})

test('the money saved is that of the formula, within 5 %', () => {
  const { report } = usual
  const read = 0.15 - 0.075
  // (N - 1) · P · (price - read): USD a million tokens are micro-USD a token.
  const predicted = 5 * countTokens(six.files['shared.ts']) * read
  const { savedMicroUsd } = report.totals.promptCache
  expect(Math.abs(savedMicroUsd - predicted) / predicted).toBeLessThan(0.05)
  const groq = report.byProvider.find(({ name }) => name === 'groq')!
  expect(groq.promptCache).toEqual(report.totals.promptCache)
  expect(report.totals.promptCache.hitRate).toBeCloseTo(groq.tokens.cached / groq.tokens.input, 3)
})

test('the decision is a note with its numbers, and the followers name their leader', () => {
  const { events, report } = usual
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

test('a page’s timeline shows who filled the cache for whom', () => {
  const model = new RunModel()
  for (const event of usual.events) model.apply(event)
  const leader = model.rows.find(({ followers }) => followers > 0)!
  expect(leader.followers).toBe(5)
  expect(cacheMark(leader)).toBe('→ 5')
  const others = model.rows.filter((row) => row !== leader)
  expect(others.map(cacheMark)).toEqual(Array(5).fill(`← ${leader.info.id}`))
  expect(rowWords(others[0]!, model.at)).toContain(`waited for ${leader.info.id} to fill the prompt cache`)
  // Who went without is nobody's follower any more.
  const [step, at] = [others[0]!.info.id, model.at]
  model.apply({ type: 'note', at, step, reason: 'prefix_late', words: '' })
  expect([leader.followers, cacheMark(others[0]!)]).toEqual([4, ''])
})

test('off: nobody waits, and prompts are as each step has them', () => {
  const { events, report } = off
  expect(events.some((event) => event.type === 'note' && event.reason === 'waiting_for_prefix')).toBe(false)
  expect(report.steps.flatMap((step) => step.calls).every(({ leader }) => leader === undefined)).toBe(true)
})

test('a short answer is not held up; always waits for the money', async () => {
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
  const rate = async (promptCache: 'always' | 'off'): Promise<number> =>
    spent(await play({ ...short, providers: ['mistral'], promptCache })).hits
  expect(await rate('off')).toBe(0)
  expect(await rate('always')).toBeGreaterThan(0.75)
})

test('writing to the cache is paid where it has a price', async () => {
  const { report } = await play({ ...short, providers: ['openai'], promptCache: 'always' })
  const written = report.steps.flatMap(({ calls }) => calls.map(({ tokens }) => tokens.written ?? 0))
  // The leader writes the file, each follower no more than its own end.
  expect(Math.max(...written)).toBeGreaterThan(3000)
  expect(written.filter((tokens) => tokens > 300)).toHaveLength(1)
})

test('replay: the same run twice gives the same bytes', async () => {
  const again = await play({})
  expect(again.report).toEqual(usual.report)
  expect(again.events).toEqual(usual.events)
})
