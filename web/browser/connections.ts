/** What the browser lets a page know of its connections: counted over a run, for its report. */
import type { RunReport } from '../../bindings/events.js'
import { connectionFromTiming } from '../standard/transport/timing.js'

/** An entry begins this soon after its `fetch` was called, ms; later ones are another run's. */
const sameMs = 1000

/**
 * Watches the requests of one run. Its own observer, as the platform's list holds 250 entries and then no more. Hosts that send
 * no `Timing-Allow-Origin` show nothing, and count for nothing.
 */
export class Connections {
  readonly #sent: { readonly url: string; readonly atMs: number }[] = []
  readonly #observer: PerformanceObserver | undefined
  #reused = 0
  #opened = 0
  #setupMs = 0

  constructor() {
    if (typeof PerformanceObserver === 'undefined') return
    this.#observer = new PerformanceObserver((list) => this.#take(list.getEntries()))
    this.#observer.observe({ type: 'resource' })
  }

  /** A request to `url` leaves now. */
  sent(url: string): void {
    if (this.#observer !== undefined) this.#sent.push({ url, atMs: performance.now() })
  }

  /** The report with what was seen, where the core knew nothing. */
  complete(report: RunReport): RunReport {
    this.#take(this.#observer?.takeRecords() ?? [])
    const known = this.#reused + this.#opened
    if (known === 0 || report.connectionReuseRate !== null) return report
    const saved = this.#opened === 0 ? 0 : (this.#reused * this.#setupMs) / this.#opened
    return {
      ...report,
      connectionReuseRate: Number((this.#reused / known).toFixed(4)),
      connectionSetupMs: Math.round(this.#setupMs),
      connectionSetupSavedMs: Math.round(saved),
    }
  }

  close(): void {
    this.#observer?.disconnect()
  }

  #take(entries: readonly PerformanceEntry[]): void {
    for (const entry of entries) {
      const index = this.#sent.findIndex(
        ({ url, atMs }) => url === entry.name && entry.startTime >= atMs - 1 && entry.startTime < atMs + sameMs,
      )
      if (index < 0) continue
      this.#sent.splice(index, 1)
      const seen = connectionFromTiming({ getEntriesByName: () => [entry] }, entry.name)
      if (seen?.reused === true) this.#reused += 1
      if (seen?.reused === false) this.#opened += 1
      this.#setupMs += seen?.setupMs ?? 0
    }
  }
}
