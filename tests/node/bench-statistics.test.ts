// What comparisons of benchmarks promise: intervals by hand, against scipy where it is, and how often they are wrong.
import { describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import {
  differs,
  medianEstimate,
  normalReach,
  pairedMedianDifference,
  shareDifference,
  shareEstimate,
  type Estimate,
} from '../../node/bench/statistics.js'
import { seeded } from '../../web/standard/simulator/random.js'

/** Seeded repeats; the long proof takes a thousand. */
const repeats = process.env['AETHERFLOW_LONG'] === undefined ? 100 : 1000

describe('by hand', () => {
  test('six samples: their least and greatest, which hold the median in 62 of 64 cases', () => {
    const { value, low, high, n } = medianEstimate([5, 1, 4, 2, 6, 3])
    expect([value, low, high, n]).toEqual([3.5, 1, 6, 6])
  })
  test('twenty samples: at least from the 6th to the 15th, in 95.9 of 100 cases', () => {
    const { low, high } = medianEstimate(Array.from({ length: 20 }, (_, index) => index + 1))
    expect(low).toBeLessThanOrEqual(6)
    expect(high).toBeGreaterThanOrEqual(15)
    expect(low).toBeGreaterThan(3)
    expect(high).toBeLessThan(18)
  })
  test.each([0, 1, 5])('%i samples say nothing at 95 %', (n) => {
    const values = Array.from({ length: n }, () => 1)
    expect(medianEstimate(values)).toMatchObject({ low: -Infinity, high: Infinity, n })
    expect(differs(medianEstimate(values))).toBe(false)
  })
  test('a higher level needs more samples and gives wider intervals', () => {
    const values = Array.from({ length: 30 }, (_, index) => Math.sin(index * 7.7))
    const [usual, strict] = [medianEstimate(values), medianEstimate(values, { level: 0.99 })]
    expect(strict.low).toBeLessThanOrEqual(usual.low)
    expect(strict.high).toBeGreaterThan(usual.high)
    expect(medianEstimate(values.slice(0, 6), { level: 0.99 }).low).toBe(-Infinity)
  })
  test('pairs: what both share cancels out', () => {
    const before = Array.from({ length: 12 }, (_, index) => 1000 * index)
    expect(
      pairedMedianDifference(
        before,
        before.map((value) => value + 7),
      ),
    ).toMatchObject({ value: 7, low: 7, high: 7 })
    expect(() => pairedMedianDifference([1], [])).toThrow(RangeError)
  })
  test('a normal distribution reaches as far as tables say', () => {
    expect([0.95, 0.99, 0.999].map((level) => normalReach(level).toFixed(2))).toEqual(['1.96', '2.58', '3.29'])
  })
  test('shares: the textbook case of Newcombe, 56 of 70 against 48 of 80', () => {
    const { value, low, high } = shareDifference(shareEstimate(48, 80), shareEstimate(56, 70))
    expect([value, low, high].map((one) => Number(one.toFixed(4)))).toEqual([0.2, 0.0524, 0.3339])
    expect(shareDifference(shareEstimate(0, 0), shareEstimate(1, 1)).low).toBe(-Infinity)
  })
})

/** A normal sample, by Box and Muller. */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** Pairs of run times: both have the task's own time, each a noise of 10 %, about the simulator's; the second takes `factor` of the first. */
function pairs(n: number, factor: number, seed: number): Estimate {
  const random = seeded(seed)
  const before: number[] = []
  const after: number[] = []
  for (let pair = 0; pair < n; pair++) {
    const own = 1000 * Math.exp(0.8 * normal(random))
    before.push(own * Math.exp(0.1 * normal(random)))
    after.push(own * factor * Math.exp(0.1 * normal(random)))
  }
  const ratios = after.map((value, index) => value / before[index]! - 1)
  return medianEstimate(ratios, { seed, rounds: 200 })
}

const shareOf = (hits: (seed: number) => boolean): number =>
  Array.from({ length: repeats }, (_, seed) => hits(seed + 1)).filter(Boolean).length / repeats

describe(`planted differences, ${repeats} times each`, () => {
  const rates: string[] = []
  test.each([
    [20, 0.8, 0.95, 1],
    [20, 1.2, 0.95, 1],
    [20, 1, 0, 0.09],
    [6, 1, 0, 0.09],
    [10, 1, 0, 0.09],
  ])('n = %i, factor %f: found in a share of %f to %f', (n, factor, least, most) => {
    const found = shareOf((seed) => differs(pairs(n, factor, seed)))
    rates.push(`n = ${n}, planted ${Math.round((factor - 1) * 100)} %: shown in ${(found * 100).toFixed(1)} %`)
    expect(found).toBeGreaterThanOrEqual(least)
    expect(found).toBeLessThanOrEqual(most)
    if (rates.length === 5) console.log(rates.join('\n'))
  })
  test('a difference that is shown has the right sign', () => {
    const wrong = shareOf((seed) => pairs(20, 0.8, seed).low > 0)
    expect(wrong).toBe(0)
  })
})

const python = process.env['AETHERFLOW_PYTHON'] ?? 'python3'
const hasScipy = spawnSync(python, ['-c', 'import scipy.stats']).status === 0
if (!hasScipy)
  console.warn('SKIPPED the comparison with scipy: there is none (AETHERFLOW_PYTHON names a Python that has it)')

;(hasScipy ? test : test.skip)('intervals of medians and shares as scipy has them', () => {
  const random = seeded(5)
  const lists = [20, 35, 60].map((n) => Array.from({ length: n }, () => Math.exp(normal(random))))
  const script = `
import json, sys, numpy as np
from scipy import stats
lists = json.load(sys.stdin)
out = []
for values in lists:
    b = stats.bootstrap((np.array(values),), np.median, n_resamples=20000, method='percentile', rng=np.random.default_rng(1)).confidence_interval
    q = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    out.append([min(b.low, q.low), max(b.high, q.high)])
w = stats.binomtest(17, 40).proportion_ci(method='wilson')
print(json.dumps([out, [w.low, w.high]]))`
  const { stdout, stderr } = spawnSync(python, ['-c', script], { input: JSON.stringify(lists), encoding: 'utf8' })
  expect(stderr).toBe('')
  const [intervals, wilson] = JSON.parse(stdout) as [[number, number][], [number, number]]
  lists.forEach((values, index) => {
    const [low, high] = intervals[index]!
    const own = medianEstimate(values, { rounds: 20_000 })
    const width = high - low
    expect(Math.abs(own.low - low) / width).toBeLessThan(0.06)
    expect(Math.abs(own.high - high) / width).toBeLessThan(0.06)
  })
  const { low, high } = shareEstimate(17, 40)
  expect([low, high].map((one) => one.toFixed(6))).toEqual(wilson.map((one) => one.toFixed(6)))
})
