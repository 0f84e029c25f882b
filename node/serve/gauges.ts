/** What `/metrics` tells besides what it counts: how things stand at the moment of the scrape. */
import type { Authority } from '../../bindings/authority.js'
import type { BreakerState } from '../../bindings/generated/wire.js'
import type { Family, Metrics } from '../../web/standard/telemetry/metrics.js'
import type { Accounts } from './accounts.js'
import type { Runs } from './runs.js'

export interface Measured {
  readonly accounts: Accounts
  readonly authority: Authority
  readonly runs: Runs | undefined
}

const breakerValues: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 0.5, open: 1 }

export function addGauges(metrics: Metrics, { accounts, authority, runs }: Measured): void {
  metrics.gauge('aetherflow_requests_in_flight', 'Requests and runs that were let in and are not over.', () =>
    accounts.all.reduce((sum, { inFlight }) => sum + inFlight, 0),
  )
  metrics.gauge('aetherflow_runs_in_flight', 'Runs of plans in progress.', () => runs?.underWay ?? 0)
  const groups = (
    help: string,
    value: (group: ReturnType<Authority['groups']>[number]) => number,
    join: (one: number, other: number) => number,
  ): Family => ({
    ...{ help, type: 'gauge', labels: ['group'] },
    read: () => {
      // Of one name with several keys there are several.
      const values = new Map<string, number>()
      for (const group of authority.groups()) values.set(group.name, join(values.get(group.name) ?? 0, value(group)))
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
