// The frame of `aetherflow bench`: statistics, sheets, and runs on the virtual clock.
import { describe, expect, test } from '@jest/globals'
import { playRun } from '../../node/bench/played-run.js'
import { differenceWords, sheetJson, sheetMarkdown, sheetText, type Sheet } from '../../node/bench/sheet.js'
import { differs, estimate, median, pairedDifference, quantile, shareEstimate } from '../../node/bench/statistics.js'
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
