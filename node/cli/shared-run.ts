/** `--limits redis://…`: what a run shares with processes of other machines. */
import type { RunPlanOptions } from '../options.js'
import type { CacheWarning } from './run-cache.js'

export interface SharedRunFlags {
  /** Address of a server. */
  readonly limits?: string
}

/** Does the work with what the flags name, and closes that afterwards. Fails: host.usage. */
export async function withShared<T>(
  { limits: address }: SharedRunFlags,
  warnings: CacheWarning[],
  work: (more: Pick<RunPlanOptions, 'limits'>) => PromiseLike<T>,
): Promise<T> {
  if (address === undefined) return work({})
  const [{ redisPlace }, { connectRedis }, { RedisAuthority }] = await Promise.all([
    import('../redis/address.js'),
    import('../redis/link.js'),
    import('../redis/authority.js'),
  ])
  const { prefix, name } = redisPlace(address)
  const link = await connectRedis(address)
  const onProblem = (detail: string): void => void warnings.push({ code: 'host.io_failed', where: name, detail })
  const limits = new RedisAuthority(link, { prefix, onProblem })
  try {
    return await work({ limits })
  } finally {
    await limits.close()
    await link.close()
  }
}
