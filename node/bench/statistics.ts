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

/** Wilson's interval of a share: 95 %. Of nothing: everything is possible. */
export function shareEstimate(hits: number, n: number): Estimate {
  if (n === 0) return { value: NaN, low: 0, high: 1, n }
  const z = 1.959964
  const p = hits / n
  const scale = 1 + (z * z) / n
  const middle = (p + (z * z) / (2 * n)) / scale
  const half = (z / scale) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  return { value: p, low: middle - half, high: middle + half, n }
}
