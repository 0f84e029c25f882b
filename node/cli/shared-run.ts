/** `--limits redis://…`, `--workers redis://…`: what a run shares with processes of other machines. */
import type { LimitAuthority } from '../../bindings/ports.js'
import type { PlanRun, RunResult } from '../index.js'
import type { RunEntry } from '../ledger/ledger.js'
import type { RunPlanOptions } from '../options.js'
import type { CacheWarning } from './run-cache.js'

export interface SharedRunFlags {
  /** Address of a server. */
  readonly limits?: string
  /** Address of the server of the workers' queues; limits are shared there too, unless they are elsewhere. */
  readonly workers?: string
}

interface Shared {
  readonly limits?: LimitAuthority
  readonly clients?: RunPlanOptions['clients']
}

interface Around {
  readonly flags: SharedRunFlags
  /** Told with the next event. */
  readonly warnings: CacheWarning[]
  /** The run in the user's ledger. */
  readonly entry: RunEntry | undefined
  warn(words: string): void
}

/** Carries a run out with what the flags name, and closes that afterwards. Fails: host.usage, and as the run. */
export async function withShared(
  { flags, warnings, warn, entry }: Around,
  start: (more: Shared) => PlanRun,
): Promise<RunResult> {
  const carried = async (more: Shared): Promise<RunResult> => {
    const running = start(more)
    return await (entry?.during(running, (error) => warn(`ledger: ${String(error)}`)) ?? running)
  }
  const onProblem = (where: string, detail: string): void =>
    void warnings.push({ code: 'host.io_failed', where, detail })
  const shared = await openShared(flags, onProblem)
  try {
    return await carried(shared.options)
  } finally {
    await shared.close()
  }
}

/** What the flags name, opened. Fails: host.usage, host.io_failed when no worker is there. */
export async function openShared(
  { workers, limits: address = workers }: SharedRunFlags,
  onProblem: (where: string, problem: string) => void,
): Promise<{ readonly options: Shared; close(): Promise<void> }> {
  if (address === undefined) return { options: {}, close: () => Promise.resolve() }
  const [{ redisPlace }, { connectRedis }, { RedisAuthority }] = await Promise.all([
    import('../redis/address.js'),
    import('../redis/link.js'),
    import('../redis/authority.js'),
  ])
  const { prefix, name } = redisPlace(address)
  const remote = workers === undefined ? undefined : await import('../redis/remote-calls.js')
  const clients = await remote?.RemoteCalls.open(workers ?? '')
  const link = await connectRedis(address)
  const limits = new RedisAuthority(link, { prefix, onProblem: (problem) => onProblem(name, problem) })
  const close = async (): Promise<void> => {
    await clients?.close()
    await limits.close()
    await link.close()
  }
  return { options: { limits, clients }, close }
}
