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
export type Order = RunOrder

export type Told =
  | { readonly type: 'ended'; readonly outcome: string }
  | { readonly type: 'refused' }
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

process.on('message', (order: Order) => {
  run(order).catch((error: unknown) => tell({ type: 'ended', outcome: String(error) }))
})
