/** What an analyzer has done, for its owner and for telemetry. */

/** How an answer came: kept, asked for, asked for by another caller at the same time, or not at all. */
export type AnalysisResult = 'hit' | 'miss' | 'joined' | 'failed'

/** One request that has ended. */
export interface AnalysisEvent {
  readonly result: AnalysisResult
  /** From the request to its answer. */
  readonly ms: number
}

export interface DurationStatistics {
  readonly count: number
  readonly meanMs: number
  readonly maxMs: number
}

export interface AnalysisStatistics {
  readonly requests: number
  readonly hits: number
  /** A model was asked, `force` included. */
  readonly misses: number
  /** Requests that waited for the same question of another caller. */
  readonly joined: number
  readonly failed: number
  /** Hits ÷ (hits + misses); 0 without any. */
  readonly hitRate: number
  /** Kept answers that were not served: unreadable, or against the schema. */
  readonly invalid: number
  readonly costMicroUsd: number
  readonly duration: Readonly<Record<AnalysisResult, DurationStatistics>>
}

const results = ['hit', 'miss', 'joined', 'failed'] as const

export class AnalysisCounters {
  readonly #durations = new Map<AnalysisResult, { count: number; sum: number; max: number }>()
  invalid = 0
  costMicroUsd = 0

  take({ result, ms }: AnalysisEvent): void {
    const known = this.#durations.get(result) ?? { count: 0, sum: 0, max: 0 }
    this.#durations.set(result, { count: known.count + 1, sum: known.sum + ms, max: Math.max(known.max, ms) })
  }

  statistics(): AnalysisStatistics {
    const duration = Object.fromEntries(results.map((result) => [result, this.#duration(result)])) as Record<
      AnalysisResult,
      DurationStatistics
    >
    const [hits, misses, joined, failed] = results.map((result) => duration[result].count) as [
      number,
      number,
      number,
      number,
    ]
    return {
      requests: hits + misses + joined + failed,
      ...{ hits, misses, joined, failed },
      hitRate: hits + misses === 0 ? 0 : hits / (hits + misses),
      ...{ invalid: this.invalid, costMicroUsd: this.costMicroUsd, duration },
    }
  }

  #duration(result: AnalysisResult): DurationStatistics {
    const { count, sum, max } = this.#durations.get(result) ?? { count: 0, sum: 0, max: 0 }
    return { count, meanMs: count === 0 ? 0 : sum / count, maxMs: max }
  }
}
