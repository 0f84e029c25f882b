/** Calls in lanes: by provider, those that overlap in rows of their own. */
import type { RunModel } from './run-model.js'
import type { Bar } from './run-rows.js'

export interface Placed {
  readonly step: number
  readonly bar: Bar
  /** From 0, within its lane. */
  readonly row: number
}

export interface Lane {
  readonly provider: string
  readonly calls: readonly Placed[]
  /** Most calls that were in flight at once. */
  readonly rows: number
}

/** A lane for each provider, in the order in which they were first called. */
export function packed(model: RunModel): Lane[] {
  const byProvider = new Map<string, { step: number; bar: Bar }[]>([...model.providers].map((name) => [name, []]))
  for (const { index, bars } of model.rows)
    for (const bar of bars) byProvider.get(bar.provider)?.push({ step: index, bar })
  return [...byProvider].map(([provider, calls]) => {
    calls.sort((one, other) => one.bar.from - other.bar.from || one.step - other.step)
    /** When each row is free again. */
    const free: number[] = []
    const placed = calls.map(({ step, bar }) => {
      const known = free.findIndex((at) => at <= bar.from)
      const row = known < 0 ? free.length : known
      free[row] = bar.to ?? Infinity
      return { step, bar, row }
    })
    return { provider, calls: placed, rows: free.length }
  })
}

/** Of `count` equal parts of the time until `end`: how many calls of each lane were in progress, on average. */
export function underWay(lanes: readonly Lane[], end: number, count: number): number[][] {
  const buckets = Array.from({ length: count }, () => lanes.map(() => 0))
  const width = Math.max(1, end) / count
  lanes.forEach(({ calls }, lane) => {
    for (const { bar } of calls) {
      const [from, to] = [bar.from / width, Math.min(end, bar.to ?? end) / width]
      for (let index = Math.floor(from); index < Math.min(count, to); index += 1) {
        const bucket = buckets[index]
        if (bucket !== undefined) bucket[lane] = (bucket[lane] ?? 0) + Math.min(to, index + 1) - Math.max(from, index)
      }
    }
  })
  return buckets
}
