/** Who makes calls, and what waits for them. */
import { AetherflowError } from '../../bindings/errors.js'
import { redisPlace } from './address.js'
import { CallKeys, loadBull, queueConnection, type WorkerState } from './call-wire.js'
import { connectRedis, messageOf } from './link.js'
import { listWorkers } from './remote-calls.js'

export interface QueueState {
  readonly provider: string
  readonly waiting: number
  readonly active: number
}

/** The workers that have shown themselves within the last quarter of a minute, and their queues. Rejects with host.usage, host.io_failed. */
export async function workersAt(
  address: string,
): Promise<{ readonly workers: readonly WorkerState[]; readonly queues: readonly QueueState[] }> {
  const { prefix, address: plain } = redisPlace(address)
  const keys = new CallKeys(prefix)
  const { Queue } = await loadBull()
  const link = await connectRedis(address)
  try {
    const workers = await listWorkers(link, keys)
    const connection = await queueConnection(plain)
    const queues: QueueState[] = []
    for (const provider of [...new Set(workers.flatMap(({ providers }) => providers))].sort()) {
      const queue = new Queue(provider, { connection, prefix: keys.queues })
      queue.on('error', () => undefined)
      const { wait = 0, active = 0 } = await queue.getJobCounts('wait', 'active')
      queues.push({ provider, waiting: wait, active })
      await queue.close()
    }
    connection.disconnect()
    return { workers, queues }
  } catch (error) {
    throw error instanceof AetherflowError ? error : new AetherflowError('host.io_failed', link.name, messageOf(error))
  } finally {
    await link.close()
  }
}
