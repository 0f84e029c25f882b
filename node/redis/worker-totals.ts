/** Owners of runs, workers and their queues as series of /metrics. */
import type { Metrics } from '../../web/standard/telemetry/metrics.js'
import type { WorkerState } from './call-wire.js'
import type { OwnerState } from './owner.js'
import { workersAt, type MachinesState, type QueueState } from './workers.js'

export class WorkerTotals {
  readonly #addresses: readonly string[]
  #last: MachinesState = { owners: [], runs: { open: 0, waiting: 0 }, workers: [], queues: [], limits: [] }

  /** Of one server, or of several that keep different things. */
  constructor(...addresses: readonly string[]) {
    this.#addresses = [...new Set(addresses)]
  }

  /** Rejects as `workersAt`; what was read before is told then. */
  async read(): Promise<void> {
    const all = await Promise.all(this.#addresses.map((address) => workersAt(address)))
    this.#last = {
      owners: all.flatMap(({ owners }) => owners),
      runs: {
        open: all.reduce((sum, { runs }) => sum + runs.open, 0),
        waiting: all.reduce((sum, { runs }) => sum + runs.waiting, 0),
      },
      workers: all.flatMap(({ workers }) => workers),
      queues: all.flatMap(({ queues }) => queues),
      limits: all.flatMap(({ limits }) => limits),
    }
  }

  addTo(metrics: Metrics): void {
    metrics.gauge('aetherflow_workers', 'Workers that have shown themselves lately.', () => this.#last.workers.length)
    const queued = (name: string, help: string, value: (queue: QueueState) => number): void =>
      metrics.family(name, {
        ...{ help, type: 'gauge', labels: ['provider'] },
        read: () => this.#last.queues.map((queue) => [[queue.provider], value(queue)] as const),
      })
    queued('aetherflow_queue_waiting', 'Calls that wait for a worker.', ({ waiting }) => waiting)
    queued('aetherflow_queue_active', 'Calls that workers make now.', ({ active }) => active)
    const worked = (name: string, help: string, value: (worker: WorkerState) => number): void =>
      metrics.family(name, {
        ...{ help, type: 'gauge', labels: ['worker', 'host'] },
        read: () => this.#last.workers.map((worker) => [[worker.id, worker.host], value(worker)] as const),
      })
    worked('aetherflow_worker_done', 'Calls that a worker has made and had answered.', ({ done }) => done)
    worked('aetherflow_worker_failed', 'Calls of a worker that failed.', ({ failed }) => failed)
    worked('aetherflow_worker_busy', 'Calls that a worker makes now.', ({ busy }) => busy)
    metrics.gauge(
      'aetherflow_owners',
      'Owners of runs that have shown themselves lately.',
      () => this.#last.owners.length,
    )
    metrics.gauge('aetherflow_runs_open', 'Runs of all owners that have come to no end.', () => this.#last.runs.open)
    metrics.gauge(
      'aetherflow_runs_waiting',
      'Of these, runs that nobody carries out now.',
      () => this.#last.runs.waiting,
    )
    const owned = (name: string, help: string, value: (owner: OwnerState) => number): void =>
      metrics.family(name, {
        ...{ help, type: 'gauge', labels: ['owner', 'host'] },
        read: () => this.#last.owners.map((owner) => [[owner.id, owner.host], value(owner)] as const),
      })
    owned('aetherflow_owner_runs', 'Runs that an owner carries out.', ({ runs }) => runs)
    owned('aetherflow_owner_done', 'Runs that an owner has brought to their end.', ({ done }) => done)
  }
}
