/** What a cache has done, over all sessions that used its store: counters that only grow, and what follows from them. */
import type { CacheTally } from '../../../bindings/cache/ports.js'

export interface CacheStatistics {
  readonly entries: number
  /** Bytes of all prompts and answers. */
  readonly bytes: number
  readonly lookups: number
  readonly hits: { readonly exact: number; readonly semantic: number }
  readonly misses: number
  /** Hits ÷ look-ups; 0 without any. */
  readonly hitRate: number
  readonly stored: number
  /** Answers that were not fit to be stored: failed, cut off, against their constraint, empty, too large. */
  readonly refused: number
  readonly evicted: number
  readonly expired: number
  /** What the hits' answers had cost. */
  readonly saved: { readonly tokens: number; readonly microUsd: number; readonly ms: number }
  /** Vectors that were computed, and that were found kept. */
  readonly embeddings: { readonly computed: number; readonly reused: number }
  readonly feedback: { readonly right: number; readonly wrong: number }
  /** Questions to the judge, what they cost and what the answers served on its word had cost. */
  readonly judge: {
    readonly asked: number
    readonly yes: number
    readonly microUsd: number
    readonly ms: number
    readonly saved: { readonly microUsd: number; readonly ms: number }
    /** Verdicts that taught as `feedback` does; `feedback` counts those of people alone. */
    readonly labels: number
  }
}

export const counterNames = [
  'exact',
  'semantic',
  'misses',
  'stored',
  'refused',
  'evicted',
  'expired',
  'saved_tokens',
  'saved_micro_usd',
  'saved_ms',
  'embedded',
  'reused',
  'right',
  'wrong',
  'pool_precision',
  'pool_shift',
  'judged',
  'judged_yes',
  'judged_micro_usd',
  'judged_ms',
  'judged_saved_micro_usd',
  'judged_saved_ms',
  'judged_labels',
] as const
export type CounterName = (typeof counterNames)[number]

export class Counters {
  readonly #counts = new Map<string, number>()
  readonly #keep: (more: CacheTally) => void

  /** `keep`: the store's, told of every change. */
  constructor(keep: (more: CacheTally) => void) {
    this.#keep = keep
  }

  restore(tally: CacheTally): void {
    for (const [name, count] of Object.entries(tally)) if (Number.isFinite(count)) this.#counts.set(name, count)
  }

  get(name: CounterName): number {
    return this.#counts.get(name) ?? 0
  }

  add(more: Partial<Record<CounterName, number>>): void {
    const changed = Object.entries(more).filter(([, count]) => count !== 0)
    if (changed.length === 0) return
    for (const [name, count] of changed) this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
    this.#keep(Object.fromEntries(changed))
  }

  statistics(entries: number, bytes: number): CacheStatistics {
    const n = (name: CounterName): number => this.get(name)
    const hits = n('exact') + n('semantic')
    const lookups = hits + n('misses')
    return {
      entries,
      bytes,
      lookups,
      hits: { exact: n('exact'), semantic: n('semantic') },
      misses: n('misses'),
      hitRate: lookups === 0 ? 0 : hits / lookups,
      stored: n('stored'),
      refused: n('refused'),
      evicted: n('evicted'),
      expired: n('expired'),
      saved: { tokens: n('saved_tokens'), microUsd: n('saved_micro_usd'), ms: n('saved_ms') },
      embeddings: { computed: n('embedded'), reused: n('reused') },
      feedback: { right: n('right'), wrong: n('wrong') },
      judge: {
        asked: n('judged'),
        yes: n('judged_yes'),
        microUsd: n('judged_micro_usd'),
        ms: n('judged_ms'),
        saved: { microUsd: n('judged_saved_micro_usd'), ms: n('judged_saved_ms') },
        labels: n('judged_labels'),
      },
    }
  }
}
