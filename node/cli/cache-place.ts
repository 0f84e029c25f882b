/** Which cache a command means: its flags over the configuration over what is usual. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheStore } from '../../bindings/cache/ports.js'
import { oneLine } from '../../web/standard/format.js'
import type { CacheConfig } from '../../web/standard/cache/config.js'
import { cacheOptionsOf } from '../cache/config.js'
import { expandHome, modelsFolder, userCacheFolder } from '../folders.js'
import { readConfig } from '../config.js'
import { isRedisAddress } from '../redis/address.js'
import { SemanticCache, type SemanticCacheOptions } from '../cache/semantic-cache.js'
import type { CacheFlags } from './cache-flags.js'
import type { Host } from './host.js'

/** Where answers lie when neither flag nor configuration says so. */
export const usualFolder = (env: Host['env']): string => userCacheFolder(env, 'answers')

/** The configuration with the flags over it; `dir` is always there. */
export async function cacheConfig(flags: CacheFlags, host: Host): Promise<CacheConfig & { dir: string }> {
  const { cache: configured = {} } = await readConfig(flags.config)
  const { cache, cacheModel, cacheShare, tenant } = flags
  return {
    ...configured,
    ...(cacheModel === undefined ? {} : { model: cacheModel }),
    ...(cacheShare === undefined ? {} : { maxWrongShare: cacheShare }),
    ...(tenant === undefined ? {} : { tenant }),
    dir: expandHome(cache ?? configured.dir ?? usualFolder(host.env), host.env),
  }
}

/** The model that was pulled, the usual one first; undefined: none was. */
export function pulledModel(env: Host['env']): string | undefined {
  const usual = 'all-MiniLM-L6-v2'
  try {
    const there = readdirSync(modelsFolder(env), { withFileTypes: true })
    // One that is still on its way lacks one or the other.
    const whole = (name: string): boolean => {
      const files = readdirSync(join(modelsFolder(env), name), { recursive: true, encoding: 'utf8' })
      return files.includes('tokenizer.json') && files.some((file) => file.endsWith('.onnx'))
    }
    const names = there.filter((entry) => entry.isDirectory() && whole(entry.name)).map(({ name }) => name)
    return names.includes(usual) ? usual : names.sort()[0]
  } catch {
    return undefined
  }
}

/** To look at: anyone who opens with limits of his own evicts what exceeds them. */
const noLimits = {
  bytes: Number.MAX_SAFE_INTEGER,
  entries: 2 ** 32 - 1,
  entryBytes: Number.MAX_SAFE_INTEGER,
} as const

/** The cache in a folder that is there, to be looked at; undefined if there is none, and none is made. */
export async function openToLook(
  config: CacheConfig & { dir: string },
  host: Host,
  more: SemanticCacheOptions = {},
): Promise<SemanticCache | undefined> {
  if (!isRedisAddress(config.dir) && !existsSync(config.dir)) return undefined
  const { model: _model, judge: _judge, limits, ...rest } = cacheOptionsOf(config)
  const onProblem = (problem: string): void => void host.stderr.write(`warning cache: ${oneLine(problem)}\n`)
  const options = { ...rest, onProblem, ...more, limits: { ...limits, ...noLimits } }
  return SemanticCache.open({ ...options, ...(await placeOf(config.dir)) })
}

/** Where answers are kept: a folder, or a server that is connected to. Fails: host.usage. */
export async function placeOf(place: string | undefined): Promise<{ dir?: string | undefined; store?: CacheStore }> {
  if (place === undefined || !isRedisAddress(place)) return { dir: place }
  const { redisCacheStore } = await import('../redis/answer-cache.js')
  return { store: await redisCacheStore(place) }
}
