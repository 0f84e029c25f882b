import type { InjectableFailure, SimulatedProvider } from './profiles.js'
import type { LimitName } from './wire/wire.js'

/** One request as the simulator saw it: the oracle of tests. Times are of the simulator's clock, ms. */
export interface LedgerEntry {
  readonly provider: SimulatedProvider
  readonly model: string
  readonly streamed: boolean
  readonly idempotencyKey: string | undefined
  readonly startedAtMs: number
  /** `undefined` while the reply is being sent. */
  readonly endedAtMs: number | undefined
  readonly status: number
  readonly inTokens: number
  /** Of those, the ones that the prompt cache held. */
  readonly cachedTokens: number
  /** Answer tokens sent so far; less than planned when the reply was cut or the client left. */
  readonly outTokens: number
  /** The client went away before the end. */
  readonly aborted: boolean
  readonly injected: InjectableFailure | undefined
  /** The limit that it was refused for. */
  readonly limit: LimitName | undefined
}

export interface Ledger {
  /** In the order of arrival. */
  readonly entries: readonly LedgerEntry[]
  inFlight(provider?: SimulatedProvider): number
  /** Most requests of a provider at once, ever. */
  peak(provider: SimulatedProvider): number
}

type Mutable = { -readonly [Member in keyof LedgerEntry]: LedgerEntry[Member] }

/** The writing side. Entries are live: the same object fills up while its reply is sent. */
export class LedgerBook implements Ledger {
  readonly entries: Mutable[] = []
  private readonly live = new Map<SimulatedProvider, number>()
  private readonly peaks = new Map<SimulatedProvider, number>()

  inFlight(provider?: SimulatedProvider): number {
    if (provider !== undefined) return this.live.get(provider) ?? 0
    return [...this.live.values()].reduce((sum, count) => sum + count, 0)
  }

  peak(provider: SimulatedProvider): number {
    return this.peaks.get(provider) ?? 0
  }

  /** A refusal is one entry that has already ended; an accepted request is in flight until `end`. */
  open(entry: Omit<LedgerEntry, 'endedAtMs' | 'outTokens' | 'aborted'>): Mutable {
    const opened: Mutable = { ...entry, endedAtMs: undefined, outTokens: 0, aborted: false }
    this.entries.push(opened)
    const live = this.inFlight(entry.provider) + 1
    this.live.set(entry.provider, live)
    this.peaks.set(entry.provider, Math.max(live, this.peak(entry.provider)))
    return opened
  }

  refuse(entry: Omit<LedgerEntry, 'endedAtMs' | 'outTokens' | 'aborted'>): void {
    this.entries.push({ ...entry, endedAtMs: entry.startedAtMs, outTokens: 0, aborted: false })
  }

  /** Harmless when called again. */
  end(entry: Mutable, atMs: number, aborted: boolean): void {
    if (entry.endedAtMs !== undefined) return
    entry.endedAtMs = atMs
    entry.aborted = aborted
    this.live.set(entry.provider, this.inFlight(entry.provider) - 1)
  }
}
