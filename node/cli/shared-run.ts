/** `--limits redis://…`, `--workers redis://…`, `--runs redis://…`: what processes share with those of other machines. */
import type { LimitAuthority } from '../../bindings/ports.js'
import { AetherflowError, type PlanRun, type RunResult } from '../index.js'
import type { RunEntry } from '../ledger/ledger.js'
import type { RunPlanOptions } from '../options.js'
import type { ServeOptions } from '../serve/serve.js'
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

type OnProblem = (where: string, problem: string) => void

/** What the flags name, opened. Fails: host.usage, host.io_failed when no worker is there. */
export async function openShared(
  { workers, limits: address = workers }: SharedRunFlags,
  onProblem: OnProblem,
): Promise<{ readonly options: Shared; close(): Promise<void> }> {
  if (address === undefined) return { options: {}, close: () => Promise.resolve() }
  const remote = workers === undefined ? undefined : await import('../redis/remote-calls.js')
  const clients = await remote?.RemoteCalls.open(workers ?? '')
  const { limits, close: closeLimits } = await openLimits(address, onProblem)
  const close = async (): Promise<void> => {
    await clients?.close()
    await closeLimits()
  }
  return { options: { limits, clients }, close }
}

async function openLimits(address: string, onProblem: OnProblem) {
  const [{ redisPlace }, { connectRedis }, { RedisAuthority }] = await Promise.all([
    import('../redis/address.js'),
    import('../redis/link.js'),
    import('../redis/authority.js'),
  ])
  const { prefix, name } = redisPlace(address)
  const link = await connectRedis(address)
  const limits = new RedisAuthority(link, { prefix, onProblem: (problem) => onProblem(name, problem) })
  const close = async (): Promise<void> => {
    await limits.close()
    await link.close()
  }
  return { limits, close }
}

export interface SharedServeFlags extends SharedRunFlags {
  /** Address of the server that keeps runs; limits are shared there too, unless they are elsewhere. */
  readonly runs?: string
  /** Seconds after its last sign of life until another takes a server's runs. */
  readonly lease?: number
}

type SharedServe = Shared & Pick<ServeOptions, 'book' | 'runs' | 'series'>

/** As `openShared`, for `aetherflow serve`: runs, limits and budgets of keys, what /metrics tells of them. */
export async function openSharedServe(
  { runs, lease, ...flags }: SharedServeFlags,
  onProblem: OnProblem,
): Promise<{ readonly options: SharedServe; close(): Promise<void> }> {
  if (lease === 0) throw new AetherflowError('host.usage', '--lease', 'at least a second')
  if (runs === undefined && lease !== undefined)
    throw new AetherflowError('host.usage', '--lease', 'only runs of several servers have one: --runs redis://…')
  const limits = flags.limits ?? flags.workers ?? runs
  const shared = await openShared({ ...flags, ...(limits === undefined ? {} : { limits }) }, onProblem)
  if (limits === undefined) return shared
  const { redisPlace, connectRedis, RedisBook, SharedRuns, WorkerTotals } = await import('../redis/index.js')
  const bookLink = await connectRedis(limits)
  const book = new RedisBook(bookLink, { prefix: redisPlace(limits).prefix })
  const runsLink = runs === undefined ? undefined : await connectRedis(runs, { timeoutMs: 5000 })
  const leased = lease === undefined ? {} : { leaseMs: lease * 1000, lookMs: Math.min(2000, lease * 250) }
  const kept = runsLink && new SharedRuns(runsLink, { prefix: redisPlace(runs ?? '').prefix, ...leased })
  const places = [flags.workers, runs].filter((place) => place !== undefined)
  const series = places.length === 0 ? [] : [new WorkerTotals(...places)]
  const close = async (): Promise<void> => {
    await runsLink?.close()
    await book.close()
    await bookLink.close()
    await shared.close()
  }
  return { options: { ...shared.options, book, runs: kept, series }, close }
}
