// The frame of `aetherflow bench`: statistics, sheets, and runs on the virtual clock.
import { describe, expect, test } from '@jest/globals'
import { formulaGain } from '../../node/bench/draft-formula.js'
import { playRun } from '../../node/bench/played-run.js'
import { differenceWords, sheetJson, sheetMarkdown, sheetText, type Sheet } from '../../node/bench/sheet.js'
import { differs, estimate, median, pairedDifference, quantile, shareEstimate } from '../../node/bench/statistics.js'
import { VirtualClock } from '../../node/bench/virtual-clock.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'

describe('statistics', () => {
  test('quantiles are interpolated', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([1, 2, 3, 4])).toBe(2.5)
    expect(quantile([0, 10], 0.95)).toBeCloseTo(9.5)
    expect(quantile([], 0.5)).toBeNaN()
  })
  test('a paired difference takes out what the pairs share', () => {
    const before = Array.from({ length: 40 }, (_, index) => 100 * index)
    const after = before.map((value, index) => value - 5 + (index % 3))
    const difference = pairedDifference(before, after)
    expect(difference.value).toBeCloseTo(-4.025)
    expect(difference.low).toBeLessThan(difference.value)
    expect(difference.high).toBeGreaterThan(difference.value)
    expect(differs(difference)).toBe(true)
    expect(pairedDifference(before, after)).toEqual(difference)
    expect(() => pairedDifference([1], [])).toThrow(RangeError)
  })
  test('an interval that holds zero shows no difference', () => {
    const noise = [-3, 2, -1, 3, -2, 1]
    expect(differs(estimate(noise))).toBe(false)
    expect(differenceWords(estimate(noise), 100)).toMatch(/no difference shown$/)
    expect(differenceWords(estimate([-10, -10]), 100)).toBe('−10.0 % [−10.0, −10.0]')
  })
  test('the interval of a mean covers it about as often as it says', () => {
    let covered = 0
    for (let round = 0; round < 60; round++) {
      const values = Array.from({ length: 40 }, (_, at) => Math.sin(round * 977 + at * at * 13.37) * 10)
      const { low, high } = estimate(values, { seed: round, rounds: 200 })
      if (low <= 0 && high >= 0) covered++
    }
    expect(covered).toBeGreaterThan(50)
  })
  test('Wilson: a share of few is not certain', () => {
    expect(shareEstimate(0, 60).high).toBeCloseTo(0.06, 2)
    expect(shareEstimate(5, 5).low).toBeCloseTo(0.566, 2)
    expect(shareEstimate(0, 0)).toMatchObject({ low: 0, high: 1 })
  })
})

const sheet: Sheet = {
  name: 'x',
  title: 'A against B',
  simulated: 'default',
  tables: [{ title: 'Figures', heads: ['arm', 'ms'], rows: [['a', '1']] }],
  remarks: ['n = 1'],
  figures: { a: 1 },
}
test('a sheet as text, Markdown and JSON, each saying that it was simulated', () => {
  for (const text of [sheetText(sheet, 80), sheetMarkdown(sheet)]) {
    expect(text).toContain('Simulated (profile default)')
    expect(text).toContain('n = 1')
  }
  expect(sheetMarkdown(sheet)).toContain('| arm | ms |')
  expect(JSON.parse(sheetJson(sheet))).toMatchObject({ simulated: 'default', figures: { a: 1 } })
})

test('a table that does not fit is told row by row, and nothing of it is cut off', () => {
  const heads = ['profile', 'accepted', 'speed-up']
  const rows = [['a verifier that takes 0.8 s and 60 tokens/s', '82.8 %', '3.12 × [2.93, 3.30]']]
  const wide = { ...sheet, tables: [{ title: 'Drafts', heads, rows }] }
  expect(sheetText(wide, 120)).toContain('60 tokens/s  82.8 %    3.12 ×')
  const narrow = sheetText(wide, 40)
  expect(narrow).not.toContain('…')
  expect(narrow.split('\n').filter((line) => line.length > 40)).toEqual([])
  for (const cell of rows.flat().flatMap((text) => text.split(' '))) expect(narrow).toContain(cell)
  expect(narrow).toContain('speed-up  3.12 × [2.93, 3.30]')
})

// The figures that the feature was designed by: 600 tokens, four drafts of five accepted, a drafter of 0.25 s and 500 tokens/s.
test.each([
  [800, 60, 2.32, 2.6],
  [2000, 60, 1.97, 2.24],
  [3400, 108, 1.32, 1.55],
  [3100, 250, 0.96, 1.15],
])('drafts by the formula: a verifier of %i ms and %i tokens/s', (firstTokenMs, tokensPerSecond, alone, beside) => {
  const of = {
    drafter: { firstTokenMs: 250, tokensPerSecond: 500 },
    verifier: { firstTokenMs, tokensPerSecond },
    ...{ answerTokens: 600, verdictTokens: 15, accepted: 0.8, kept: 0, drafted: 1 },
  }
  expect(formulaGain({ ...of, hedged: false })).toBeCloseTo(alone, 2)
  expect(Math.abs(formulaGain({ ...of, hedged: true }) - beside)).toBeLessThan(0.02)
  // What is gone on from is gained; what is not drafted gains nothing.
  expect(formulaGain({ ...of, kept: 0.5, hedged: false })).toBeGreaterThan(alone)
  expect(formulaGain({ ...of, drafted: 0, hedged: false })).toBeCloseTo(1)
})

test('work outside of the virtual time takes none of it', async () => {
  const clock = new VirtualClock()
  const order: string[] = []
  clock.after(5, () => order.push('timer'))
  const file = clock.outside(new Promise<void>((resolve) => setTimeout(resolve, 5)).then(() => void order.push('file')))
  await clock.passUntil(file.then(() => new Promise<void>((resolve) => void clock.after(1, resolve))))
  expect([order, clock.now()]).toEqual([['file'], 1])
})

test('a run on the virtual clock takes its simulated time and gives the same twice', async () => {
  const steps = [1, 2].map((n) => ({
    id: `s${n}`,
    type: 'analysis',
    description: `Say what ${n} is`,
    complexity: 0.3,
    estimated_tokens: 40,
    context: { files: ['a.txt'] },
    dependencies: n === 1 ? [] : ['s1'],
  }))
  const run = {
    plan: JSON.stringify({ task_id: 't', description: 'd', steps }),
    files: { 'a.txt': 'one two three' },
    profile: simulatorProfiles.default,
    seed: 7,
    providers: ['groq'],
  }
  const [one, two] = [await playRun(run), await playRun(run)]
  expect(one.outcome).toBe('ok')
  expect(one.report.makespanMs).toBeGreaterThan(1000)
  expect(one.report).toEqual(two.report)
  expect(one.ledger.entries.map(({ provider }) => provider)).toEqual(['groq', 'groq'])
  expect(one.events.at(-1)?.type).toBe('finish')
})
