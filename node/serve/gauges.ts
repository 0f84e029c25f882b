/** What `/metrics` tells besides what it counts: how things stand at the moment of the scrape. */
import type { BreakerState } from '../../bindings/generated/wire.js'
import type { Family, Metrics } from '../../web/standard/telemetry/metrics.js'
import type { Accounts } from './accounts.js'
import type { ServedRuns } from './served-runs.js'

/** How a quota group stands. */
interface Group {
  readonly name: string
  readonly inFlight: number
  readonly waiting: number
  readonly breaker: BreakerState
}

export interface Measured {
  readonly accounts: Accounts
  /** As they were read last. */
  groups(): readonly Group[]
  readonly runs: ServedRuns | undefined
}

/** Limits that can say how their groups stand: those of this process at once, shared ones by asking their server. */
export class Groups {
  readonly #limits: { groups?(): readonly Group[] | Promise<readonly Group[]> }
  #read: readonly Group[] = []

  constructor(limits: object) {
    this.#limits = limits
  }

  /** Rejects as the limits do; what was read before is told then. */
  async read(): Promise<void> {
    this.#read = (await this.#limits.groups?.()) ?? []
  }

  last(): readonly Group[] {
    return this.#read
  }
}

const breakerValues: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 0.5, open: 1 }

export function addGauges(metrics: Metrics, { accounts, groups: last, runs }: Measured): void {
  metrics.gauge('aetherflow_requests_in_flight', 'Requests and runs that were let in and are not over.', () =>
    accounts.all.reduce((sum, { inFlight }) => sum + inFlight, 0),
  )
  metrics.gauge('aetherflow_runs_in_flight', 'Runs of plans in progress.', () => runs?.underWay ?? 0)
  const groups = (
    help: string,
    value: (group: Group) => number,
    join: (one: number, other: number) => number,
  ): Family => ({
    ...{ help, type: 'gauge', labels: ['group'] },
    read: () => {
      // Of one name with several keys there are several.
      const values = new Map<string, number>()
      for (const group of last()) values.set(group.name, join(values.get(group.name) ?? 0, value(group)))
      return [...values].map(([name, sum]) => [[name], sum] as const)
    },
  })
  const plus = (one: number, other: number): number => one + other
  metrics.family(
    'aetherflow_calls_in_flight',
    groups('Calls at a quota group that have not ended.', ({ inFlight }) => inFlight, plus),
  )
  metrics.family(
    'aetherflow_waiting',
    groups('Requests and runs that wait for room in a quota group.', ({ waiting }) => waiting, plus),
  )
  metrics.family(
    'aetherflow_breaker_open',
    groups('Circuit breaker: 0 closed, 0.5 tries one call, 1 open.', ({ breaker }) => breakerValues[breaker], Math.max),
  )
}
