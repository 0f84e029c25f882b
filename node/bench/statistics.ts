/** What benchmarks say of their samples: medians, means, paired differences with intervals. Seeded, so a bench prints the same twice. */
import { seeded } from '../../web/standard/simulator/random.js'

/** A value and the interval that holds it with 95 % confidence; equal bounds for a single sample. */
export interface Estimate {
  readonly value: number
  readonly low: number
  readonly high: number
  /** Samples. */
  readonly n: number
}

export function mean(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length
}

/** The value that a share `p` (0–1) of the samples does not exceed, interpolated. NaN without samples. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  if (sorted.length === 0) return NaN
  const at = (sorted.length - 1) * p
  const below = sorted[Math.floor(at)]!
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** Mean with its bootstrap interval: percentiles of the means of `rounds` resamples. */
export function estimate(values: readonly number[], { seed = 1, rounds = 2000 } = {}): Estimate {
  const random = seeded(seed)
  const means = Array.from({ length: rounds }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)]!)),
  )
  return { value: mean(values), low: quantile(means, 0.025), high: quantile(means, 0.975), n: values.length }
}

/**
 * `after` less `before`, pair by pair: what both share (seed, plan, profile) cancels out. Fails: RangeError for lists of unequal length.
 */
export function pairedDifference(
  before: readonly number[],
  after: readonly number[],
  options?: { readonly seed?: number; readonly rounds?: number },
): Estimate {
  if (before.length !== after.length) throw new RangeError('a paired difference needs pairs')
  return estimate(
    before.map((value, index) => after[index]! - value),
    options,
  )
}

/** An interval that holds zero shows no difference. */
export const differs = ({ low, high }: Estimate): boolean => low > 0 || high < 0

/** How far from the middle of a normal distribution a share `level` of it reaches, in standard deviations. */
export function normalReach(level: number): number {
  if (level === 0.95) return 1.959964
  // The density is summed until half of the level is reached, to the nearest thousandth.
  const step = 1e-3
  const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
  let [sum, x] = [0, 0]
  while (sum < level / 2 && x < 10) {
    sum += step * density(x + step / 2)
    x += step
  }
  return x
}

/** Wilson's interval of a share; `level`: 95 %. Of nothing: everything is possible. */
export function shareEstimate(hits: number, n: number, level = 0.95): Estimate {
  if (n === 0) return { value: NaN, low: 0, high: 1, n }
  const z = normalReach(level)
  const p = hits / n
  const scale = 1 + (z * z) / n
  const middle = (p + (z * z) / (2 * n)) / scale
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return { value: p, low: middle - half, high: middle + half, n }
}

export interface IntervalOptions {
  readonly seed?: number
  readonly rounds?: number
  /** Confidence, 0–1; default 0.95. */
  readonly level?: number
}

/** Probability that of `n` fair coins at most `k` show heads. */
function coins(n: number, k: number): number {
  let [term, sum] = [0.5 ** n, 0]
  for (let heads = 0; heads <= k; heads++) {
    sum += term
    term *= (n - heads) / (heads + 1)
  }
  return sum
}

/**
 * Median with its bootstrap interval, which for few samples promises more than it holds: it is widened to the interval between two
 * order statistics, which holds the median of any distribution as often as it says. Infinite for fewer samples than can say it (6 at 95 %).
 */
export function medianEstimate(
  values: readonly number[],
  { seed = 1, rounds = 1000, level = 0.95 }: IntervalOptions = {},
): Estimate {
  const n = values.length
  const beyond = (1 - level) / 2
  let rank = 0
  while (rank < n / 2 && coins(n, rank) <= beyond) rank++
  if (rank === 0) return { value: median(values), low: -Infinity, high: Infinity, n }
  const sorted = [...values].sort((a, b) => a - b)
  const random = seeded(seed)
  const medians = resampled(sorted, rounds, random)
  return {
    value: median(sorted),
    low: Math.min(quantile(medians, beyond), sorted[rank - 1]!),
    high: Math.max(quantile(medians, 1 - beyond), sorted[n - rank]!),
    n,
  }
}

/** Medians of resamples of a sorted list: how often each place is drawn says where the middle is, without sorting again. */
function resampled(sorted: readonly number[], rounds: number, random: () => number): number[] {
  const n = sorted.length
  const drawn = new Int32Array(n)
  return Array.from({ length: rounds }, () => {
    drawn.fill(0)
    for (let draws = 0; draws < n; draws++) drawn[Math.floor(random() * n)]!++
    let [place, seen] = [0, drawn[0]!]
    while (seen <= (n - 1) >> 1) seen += drawn[++place]!
    const lower = sorted[place]!
    while (seen <= n >> 1) seen += drawn[++place]!
    return (lower + sorted[place]!) / 2
  })
}

/** Median of what `after` has more than `before`, pair by pair. Fails: RangeError for lists of unequal length. */
export function pairedMedianDifference(
  before: readonly number[],
  after: readonly number[],
  options?: IntervalOptions,
): Estimate {
  if (before.length !== after.length) throw new RangeError('a paired difference needs pairs')
  return medianEstimate(
    before.map((value, index) => after[index]! - value),
    options,
  )
}

/** Difference of two shares with Newcombe's interval, from Wilson's of each. `level` as there: 95 %. */
export function shareDifference(before: Estimate, after: Estimate): Estimate {
  const n = Math.min(before.n, after.n)
  if (n === 0) return { value: NaN, low: -Infinity, high: Infinity, n }
  const value = after.value - before.value
  const low = value - Math.hypot(after.value - after.low, before.high - before.value)
  const high = value + Math.hypot(after.high - after.value, before.value - before.low)
  return { value, low, high, n }
}
