/** What a cache did with labelled pairs, counted, with Wilson's intervals of 95 %. */
import type { JudgedPair } from './pair-judge.js'
import type { Pair } from './pairs.js'

export interface Rate {
  readonly value: number
  readonly low: number
  readonly high: number
}

/** Pairs. `wrong`: of `mustMiss`, those that were served; `hits`: of `shouldHit`. */
export interface Counts {
  readonly mustMiss: number
  readonly wrong: number
  readonly shouldHit: number
  readonly hits: number
}
/** `wrongRate`: wrong ÷ mustMiss; `hitRate`: hits ÷ shouldHit; `precision`: hits ÷ all served. null: nothing to divide by. */
export interface Cell extends Counts {
  readonly wrongRate: Rate | null
  readonly hitRate: Rate | null
  readonly precision: Rate | null
}
export interface Table {
  readonly categories: Readonly<Record<string, Cell>>
  readonly pooled: Cell
}
export interface Evaluated extends Table {
  /** What serving whatever reaches a cosine does with the same vectors. */
  readonly thresholds: Readonly<Record<string, Table>>
  /** Pairs by verdict: `exact`, `clear`, `veto.polarity`, `below.bound`, … */
  readonly reasons: Readonly<Record<string, { readonly mustMiss: number; readonly shouldHit: number }>>
}

export const thresholds: readonly number[] = [0.6, 0.8, 0.85, 0.86, 0.9, 0.92, 0.95]
const z = 1.959964

/** Wilson's score interval. */
export function wilson(count: number, of: number): Rate | null {
  if (of === 0) return null
  const value = count / of
  const scale = 1 + (z * z) / of
  const centre = (value + (z * z) / (2 * of)) / scale
  const half = (z / scale) * Math.sqrt((value * (1 - value)) / of + (z * z) / (4 * of * of))
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half) }
}

export function cellOf({ mustMiss, wrong, shouldHit, hits }: Counts): Cell {
  return {
    ...{ mustMiss, wrong, shouldHit, hits },
    wrongRate: wilson(wrong, mustMiss),
    hitRate: wilson(hits, shouldHit),
    precision: wilson(hits, hits + wrong),
  }
}

/** One rule's pairs: by category, and all of them. */
export class Tally {
  readonly #categories = new Map<string, { -readonly [K in keyof Counts]: number }>()

  add({ same, category }: Pair, served: boolean): void {
    const counts = this.#categories.get(category) ?? { mustMiss: 0, wrong: 0, shouldHit: 0, hits: 0 }
    this.#categories.set(category, counts)
    counts[same ? 'shouldHit' : 'mustMiss'] += 1
    if (served) counts[same ? 'hits' : 'wrong'] += 1
  }

  table(): Table {
    const pooled = { mustMiss: 0, wrong: 0, shouldHit: 0, hits: 0 }
    for (const counts of this.#categories.values())
      for (const name of ['mustMiss', 'wrong', 'shouldHit', 'hits'] as const) pooled[name] += counts[name]
    const categories = [...this.#categories].map(([name, counts]) => [name, cellOf(counts)] as const)
    return { categories: Object.fromEntries(categories), pooled: cellOf(pooled) }
  }
}

export class Evaluation {
  readonly #ours = new Tally()
  readonly #fixed = thresholds.map((least) => ({ least, tally: new Tally() }))
  readonly #reasons = new Map<string, { mustMiss: number; shouldHit: number }>()
  #pairs = 0

  get pairs(): number {
    return this.#pairs
  }

  add(pair: Pair, { kind, why, score }: JudgedPair): void {
    this.#pairs += 1
    this.#ours.add(pair, kind !== 'miss')
    // Whoever trusts a threshold has an exact cache in front of it.
    for (const { least, tally } of this.#fixed) tally.add(pair, kind === 'exact' || score >= least)
    const [guard = ''] = why.split(':')
    const reason = this.#reasons.get(guard) ?? { mustMiss: 0, shouldHit: 0 }
    this.#reasons.set(guard, reason)
    reason[pair.same ? 'shouldHit' : 'mustMiss'] += 1
  }

  result(): Evaluated {
    const most = [...this.#reasons].sort(([, a], [, b]) => b.mustMiss + b.shouldHit - a.mustMiss - a.shouldHit)
    return {
      ...this.#ours.table(),
      thresholds: Object.fromEntries(this.#fixed.map(({ least, tally }) => [least.toFixed(2), tally.table()])),
      reasons: Object.fromEntries(most),
    }
  }
}
