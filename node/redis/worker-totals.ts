/** Workers and their queues as series of /metrics. */
import type { Metrics } from '../../web/standard/telemetry/metrics.js'
import { workersAt, type QueueState } from './workers.js'
import type { WorkerState } from './call-wire.js'

export class WorkerTotals {
  readonly #address: string
  #workers: readonly WorkerState[] = []
  #queues: readonly QueueState[] = []

  constructor(address: string) {
    this.#address = address
  }

  /** Rejects as `workersAt`; what was read before is told then. */
  async read(): Promise<void> {
    const { workers, queues } = await workersAt(this.#address)
    this.#workers = workers
    this.#queues = queues
  }

  addTo(metrics: Metrics): void {
    metrics.gauge('aetherflow_workers', 'Workers that have shown themselves lately.', () => this.#workers.length)
    const queued = (name: string, help: string, value: (queue: QueueState) => number): void =>
      metrics.family(name, {
        ...{ help, type: 'gauge', labels: ['provider'] },
        read: () => this.#queues.map((queue) => [[queue.provider], value(queue)] as const),
      })
    queued('aetherflow_queue_waiting', 'Calls that wait for a worker.', ({ waiting }) => waiting)
    queued('aetherflow_queue_active', 'Calls that workers make now.', ({ active }) => active)
    const worked = (name: string, help: string, value: (worker: WorkerState) => number): void =>
      metrics.family(name, {
        ...{ help, type: 'gauge', labels: ['worker', 'host'] },
        read: () => this.#workers.map((worker) => [[worker.id, worker.host], value(worker)] as const),
      })
    worked('aetherflow_worker_done', 'Calls that a worker has made and had answered.', ({ done }) => done)
    worked('aetherflow_worker_failed', 'Calls of a worker that failed.', ({ failed }) => failed)
    worked('aetherflow_worker_busy', 'Calls that a worker makes now.', ({ busy }) => busy)
  }
}
