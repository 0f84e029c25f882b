/** What a cache did with labelled pairs, counted, with Wilson's intervals of 95 %. */
import { outcomeOf, type Outcome } from './outcomes.js'
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
  /** The same with the bar of other shares, by share. */
  readonly shares: Readonly<Record<string, Cell>>
  /** Pairs by what became of them. */
  readonly outcomes: Readonly<Partial<Record<Outcome, PairCounts>>>
  /** Pairs by what a guard says of them: `exact`, `clear`, `veto.polarity`, …; and each by what became of it. */
  readonly reasons: Readonly<Record<string, Reason>>
}
export interface PairCounts {
  readonly mustMiss: number
  readonly shouldHit: number
}
export interface Reason extends PairCounts {
  readonly outcomes: Readonly<Partial<Record<Outcome, PairCounts>>>
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

type Counting = { -readonly [K in keyof PairCounts]: number }

/** Pairs by some name, counted. */
class Names<Name extends string> {
  readonly #counts = new Map<Name, Counting>()

  add(name: Name, same: boolean): void {
    const counts = this.#counts.get(name) ?? { mustMiss: 0, shouldHit: 0 }
    this.#counts.set(name, counts)
    counts[same ? 'shouldHit' : 'mustMiss'] += 1
  }

  /** The most frequent first. */
  entries(): [Name, PairCounts][] {
    const size = ({ mustMiss, shouldHit }: PairCounts): number => mustMiss + shouldHit
    return [...this.#counts].sort(([, a], [, b]) => size(b) - size(a))
  }
  record(): Partial<Record<Name, PairCounts>> {
    return Object.fromEntries(this.entries()) as Partial<Record<Name, PairCounts>>
  }
}

export class Evaluation {
  readonly #ours = new Tally()
  readonly #fixed = thresholds.map((least) => ({ least, tally: new Tally() }))
  readonly #shares: readonly { readonly share: number; readonly tally: Tally }[]
  readonly #outcomes = new Names<Outcome>()
  readonly #reasons = new Names<string>()
  readonly #outcomesOf = new Map<string, Names<Outcome>>()
  #pairs = 0

  /** `shares`: other ones that are told beside the verdict's own. */
  constructor(shares: readonly number[] = []) {
    this.#shares = shares.map((share) => ({ share, tally: new Tally() }))
  }

  get pairs(): number {
    return this.#pairs
  }

  /** `others`: the verdicts at the other shares, in their order. */
  add(pair: Pair, judged: JudgedPair, others: readonly JudgedPair[] = []): void {
    const { kind, why, score, closed } = judged
    this.#pairs += 1
    this.#ours.add(pair, kind !== 'miss')
    // Anyone who trusts a threshold has an exact cache in front of it.
    for (const { least, tally } of this.#fixed) tally.add(pair, kind === 'exact' || score >= least)
    for (const [at, { tally }] of this.#shares.entries()) tally.add(pair, others[at]?.kind !== 'miss')
    const [guard = ''] = why.split(':')
    const outcome = outcomeOf({ served: kind !== 'miss', why: guard, closed })
    this.#outcomes.add(outcome, pair.same)
    this.#reasons.add(guard, pair.same)
    const own = this.#outcomesOf.get(guard) ?? new Names<Outcome>()
    this.#outcomesOf.set(guard, own)
    own.add(outcome, pair.same)
  }

  result(): Evaluated {
    const reasons = this.#reasons
      .entries()
      .map(([name, counts]) => [name, { ...counts, outcomes: this.#outcomesOf.get(name)?.record() ?? {} }] as const)
    return {
      ...this.#ours.table(),
      thresholds: Object.fromEntries(this.#fixed.map(({ least, tally }) => [least.toFixed(2), tally.table()])),
      shares: Object.fromEntries(this.#shares.map(({ share, tally }) => [String(share), tally.table().pooled])),
      outcomes: this.#outcomes.record(),
      reasons: Object.fromEntries(reasons),
    }
  }
}
