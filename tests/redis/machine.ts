/** A process that stands for a machine: it does what it is told by its parent, and tells what comes of it. */
import type { Config, PlanSource } from '../../node/index.js'

export interface RunOrder {
  readonly kind: 'run'
  /** Of the server, and of the keys on it. */
  readonly address: string
  readonly prefix: string
  readonly leaseMs: number
  readonly plan: PlanSource
  readonly config: Config
  readonly journal?: string
}
/** Makes calls, until it is killed. */
export interface WorkerOrder {
  readonly kind: 'worker'
  readonly address: string
  readonly config: Config
  readonly lockMs: number
  readonly stalledMs: number
}

/** Owns a run on the server whose calls workers make. */
export interface OwnerOrder {
  readonly kind: 'owner'
  readonly address: string
  readonly prefix: string
  readonly plan: PlanSource
  readonly config: Config
  readonly leaseMs: number
}

/** Owns whatever runs have no owner; makes the calls itself. */
export interface OwnersOrder {
  readonly kind: 'owners'
  readonly address: string
  readonly prefix: string
  readonly config: Config
  readonly leaseMs: number
  readonly lookMs: number
  /** Workers make the calls. */
  readonly workers?: true
  /** Dies of this event. */
  readonly diesAt?: { readonly type: 'call' | 'done'; readonly step: string }
}

/** A server whose runs are those of all servers with the prefix. */
export interface ServerOrder {
  readonly kind: 'server'
  readonly address: string
  readonly prefix: string
  readonly config: Config
  readonly token: string
  readonly leaseMs: number
  readonly lookMs: number
}

/** Blocks its event loop once, for so long. */
export interface BlockOrder {
  readonly kind: 'block'
  readonly ms: number
}
export type Order = RunOrder | WorkerOrder | OwnerOrder | OwnersOrder | ServerOrder | BlockOrder

export type Told =
  | { readonly type: 'ended'; readonly outcome: string }
  | { readonly type: 'refused' }
  | { readonly type: 'ready' }
  | { readonly type: 'url'; readonly url: string }
  | { readonly type: 'blocked' }
  | { readonly type: 'problem'; readonly words: string }

const tell = (told: Told): void => void process.send?.(told)

async function run(order: RunOrder): Promise<void> {
  const { runPlan } = await import('../../node/index.js')
  const { connectRedis, RedisAuthority } = await import('../../node/redis/index.js')
  const link = await connectRedis(order.address, { timeoutMs: 10_000 })
  const { prefix, leaseMs, plan, config, journal } = order
  const limits = new RedisAuthority(link, { prefix, leaseMs, onProblem: (words) => tell({ type: 'problem', words }) })
  const { outcome } = await runPlan(plan, {
    ...{ config, limits, journal, stream: false },
    onEvent: (event) => {
      if (event.type === 'callEnd' && event.outcome === 'refused') tell({ type: 'refused' })
    },
  })
  await limits.close()
  await link.close()
  tell({ type: 'ended', outcome })
}

async function worker({ address, config, lockMs, stalledMs }: WorkerOrder): Promise<void> {
  const { startWorker } = await import('../../node/redis/index.js')
  const { clientsOf } = await import('./answering.js')
  const providers = clientsOf(config)
  await startWorker({ address, providers, lockMs, stalledMs })
  tell({ type: 'ready' })
}

async function owner({ address, prefix, plan, config, leaseMs }: OwnerOrder): Promise<void> {
  const { runPlan } = await import('../../node/index.js')
  const { connectRedis, RedisRunStore, RemoteCalls } = await import('../../node/redis/index.js')
  const link = await connectRedis(address)
  const clients = await RemoteCalls.open(address)
  const journal = new RedisRunStore(link, 'run', { prefix, leaseMs })
  const { outcome } = await runPlan(plan, { config, clients, journal, resume: true, limits: 'own' })
  tell({ type: 'ended', outcome })
}

async function owners({ address, prefix, config, leaseMs, lookMs, workers, diesAt }: OwnersOrder): Promise<void> {
  const { connectRedis, RemoteCalls, RunOwner } = await import('../../node/redis/index.js')
  const link = await connectRedis(address)
  const clients = workers && (await RemoteCalls.open(address))
  new RunOwner(link, {
    ...{ how: { config, clients, limits: 'own' }, prefix, leaseMs, lookMs },
    onEvent: (_, event) => {
      if (event.type === diesAt?.type && event.step === diesAt.step) process.kill(process.pid, 'SIGKILL')
    },
  })
  tell({ type: 'ready' })
}

async function server({ address, prefix, config, token, leaseMs, lookMs }: ServerOrder): Promise<void> {
  const { connectRedis, RedisBook, SharedRuns } = await import('../../node/redis/index.js')
  const { serve } = await import('../../node/serve/serve.js')
  const link = await connectRedis(address)
  const shared = { book: new RedisBook(link, { prefix }), runs: new SharedRuns(link, { prefix, leaseMs, lookMs }) }
  const { url } = await serve({ ...shared, port: 0, keys: [{ name: 'test', token }], config })
  tell({ type: 'url', url })
}

const kinds = {
  run,
  worker,
  owner,
  owners,
  server,
  block: ({ ms }: BlockOrder): Promise<void> => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    tell({ type: 'blocked' })
    return Promise.resolve()
  },
}

process.on('message', (order: Order) => {
  const work = kinds[order.kind] as (order: Order) => Promise<void>
  work(order).catch((error: unknown) => tell({ type: 'ended', outcome: String(error) }))
})
