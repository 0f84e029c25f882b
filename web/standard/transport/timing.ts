/** What a page may know of the connection of a request: Resource Timing, where the other side allows it. */
import type { ConnectionInfo } from '../../../bindings/ports.js'

/** The part of the platform's `performance` that is read. */
export interface TimingSource {
  getEntriesByName(name: string, type: string): readonly object[]
}

/** The members of a PerformanceResourceTiming that count; ms since the page began. */
interface ResourceTiming {
  readonly startTime: number
  readonly requestStart: number
  readonly domainLookupStart: number
  readonly connectStart: number
  readonly connectEnd: number
}

/**
 * How the connection of the last request to `url` that began at `sinceMs` or later came about; `undefined`: unknown. Unknown
 * is the rule with hosts of another origin that send no `Timing-Allow-Origin`: the browser then says 0 for every moment
 * inside the request. The entry appears when the body has ended.
 *
 *     domainLookupStart ── connectStart ── (TLS) ── connectEnd ── requestStart
 *     └────────────── setupMs ─────────────────────┘                all one moment: the connection was there
 */
export function connectionFromTiming(source: TimingSource, url: string, sinceMs = 0): ConnectionInfo | undefined {
  const entries = source.getEntriesByName(url, 'resource').filter(isTiming)
  const entry = entries.filter(({ startTime }) => startTime >= sinceMs).at(-1)
  if (entry === undefined || entry.requestStart === 0) return undefined
  const setupMs = Math.max(0, entry.connectEnd - entry.domainLookupStart)
  return entry.connectEnd === entry.connectStart ? { reused: true, setupMs: 0 } : { reused: false, setupMs }
}

const members = ['startTime', 'requestStart', 'domainLookupStart', 'connectStart', 'connectEnd'] as const

function isTiming(entry: object): entry is ResourceTiming {
  return members.every((member) => typeof (entry as Record<string, unknown>)[member] === 'number')
}
