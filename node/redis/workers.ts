/** Who owns runs, who makes calls, and what waits for them. */
import { AetherflowError } from '../../bindings/errors.js'
import { redisPlace } from './address.js'
import { listAlive } from './alive.js'
import { RedisAuthority, type SharedGroupState } from './authority.js'
import { CallKeys, loadBull, queueConnection, type WorkerState } from './call-wire.js'
import { connectRedis, messageOf, runScript, type RedisLink } from './link.js'
import type { OwnerState } from './owner.js'
import { lookScript } from './owner-scripts.js'
import { RunsKeys } from './run-keys.js'

export interface QueueState {
  readonly provider: string
  readonly waiting: number
  readonly active: number
}

export interface MachinesState {
  /** Those that have shown themselves within the last quarter of a minute; workers likewise. */
  readonly owners: readonly OwnerState[]
  /** Runs that have come to no end, and how many of them nobody carries out now. */
  readonly runs: { readonly open: number; readonly waiting: number }
  readonly workers: readonly WorkerState[]
  readonly queues: readonly QueueState[]
  /** Quota groups of the shared limits. */
  readonly limits: readonly SharedGroupState[]
}

/** Most runs without an owner that are counted. */
const mostCounted = 100_000

/** What processes that share the server do. Rejects with host.usage, host.io_failed. */
export async function workersAt(address: string): Promise<MachinesState> {
  const { prefix, address: plain } = redisPlace(address)
  const link = await connectRedis(address)
  try {
    const keys = new CallKeys(prefix)
    const workers = await listAlive<WorkerState>(link, keys.workers)
    const owners = await listAlive<OwnerState>(link, new RunsKeys(prefix).owners)
    const queues = workers.length === 0 ? [] : await queuesOf(plain, keys, workers)
    const limits = await new RedisAuthority(link, { prefix }).groups()
    return { owners, runs: await runsOf(link, prefix), workers, queues, limits }
  } catch (error) {
    throw error instanceof AetherflowError ? error : new AetherflowError('host.io_failed', link.name, messageOf(error))
  } finally {
    await link.close()
  }
}

async function runsOf(link: RedisLink, prefix: string): Promise<MachinesState['runs']> {
  const { open, base } = new RunsKeys(prefix)
  const [free] = (await runScript(link, lookScript, [open], [base, mostCounted])) as [string[]]
  return { open: Number(await link.send('SCARD', open)), waiting: free.length }
}

async function queuesOf(plain: string, keys: CallKeys, workers: readonly WorkerState[]): Promise<QueueState[]> {
  const { Queue } = await loadBull()
  const connection = await queueConnection(plain)
  try {
    const queues: QueueState[] = []
    for (const provider of [...new Set(workers.flatMap(({ providers }) => providers))].sort()) {
      const queue = new Queue(provider, { connection, prefix: keys.queues })
      queue.on('error', () => undefined)
      const { wait = 0, active = 0 } = await queue.getJobCounts('wait', 'active')
      queues.push({ provider, waiting: wait, active })
      await queue.close()
    }
    return queues
  } finally {
    connection.disconnect()
  }
}
