/** The cache of a run: which one it is, opened before anything else happens. */
import { resolve } from 'node:path'
import { oneLine } from '../../web/standard/format.js'
import { cacheOptionsOf } from '../cache/config.js'
import { expandHome } from '../folders.js'
import { readConfig } from '../config.js'
import { AetherflowError, type RunPlanOptions } from '../index.js'
import type { AnswerCache } from '../../bindings/cache/ports.js'
import type { CachePlace } from '../cache/place.js'
import { SemanticCache, type SemanticCacheOptions } from '../cache/semantic-cache.js'
import { isRedisAddress, placeWords, redisPlace } from '../redis/address.js'
import type { CacheFlags } from './cache-flags.js'
import { pulledModel } from './cache-place.js'
import type { Host } from './host.js'
import { profileOfFlag } from './profile-flag.js'

export type CacheWarning = { readonly code: string; readonly where: string; readonly detail: string }

/** An open cache as `runPlan` takes it. */
export interface RunCache {
  readonly options: Pick<RunPlanOptions, 'cache' | 'cacheModes' | 'tenant'>
  /** For people: where it is, and what compares. */
  readonly words: string
  close(): Promise<void>
}

/** What a run that goes on began with. */
type Began = (CachePlace & { readonly tenant?: string }) | undefined

interface Wanted extends CacheFlags {
  readonly resume?: true
  readonly reuse?: true
  /** What plays the providers, of the judge too: the flag, or the name of the profile that a run began with. */
  readonly simulate?: string | true
  readonly simulated?: string | undefined
}

/**
 * Undefined: the run has none, which is so unless a flag or the configuration names a folder. `begin`: of the run that goes on.
 * Fails: cache.*, host.io_failed, host.usage.
 */
export async function openRunCache(
  flags: Wanted,
  begin: unknown,
  host: Host,
  warn: (warning: CacheWarning) => void,
): Promise<RunCache | undefined> {
  const { cache: configured = {} } = await readConfig(flags.config)
  const began = (begin as { cacheAt?: Began } | undefined)?.cacheAt
  const continuesRun = begin !== undefined && flags.resume === true && flags.reuse !== true
  const named = flags.cache ?? configured.dir
  const dir = named === undefined || named === 'off' ? undefined : expandHome(named, host.env)
  const model = flags.cacheModel ?? configured.model ?? pulledModel(host.env) ?? 'lexical'
  const maxWrongShare = flags.cacheShare ?? configured.maxWrongShare
  const tenant = flags.tenant ?? configured.tenant
  if (continuesRun) mustAgree(flags, began, { dir, model, maxWrongShare, tenant })
  const extra = flags.cacheModel ?? flags.cacheShare ?? flags.tenant
  if (dir === undefined || (continuesRun && began === undefined)) {
    if (extra === undefined) return undefined
    throw new AetherflowError('host.usage', '--cache', 'there is no cache: name its folder with --cache DIR')
  }
  const simulate = flags.simulate === undefined ? flags.simulated : profileOfFlag(flags.simulate)
  const judgeWith = { configFile: flags.config, simulate }
  const options = { ...cacheOptionsOf(configured), judgeWith, dir, model, maxWrongShare }
  const where = placeWords(dir)
  const onProblem = (problem: string): void => warn(warningOf(problem, where))
  const cache = await openCache({ ...options, onProblem })
  const by = model === 'lexical' ? 'the built-in embedder (words and spellings, no meanings)' : oneLine(model)
  return {
    options: { cache, cacheModes: configured.types, tenant },
    words: `cache in ${oneLine(where)}, compared by ${by}`,
    close: () => cache.close(),
  }
}

/** In a folder, or on a server, which nobody waits for when it is away. */
async function openCache(options: SemanticCacheOptions & { readonly dir: string }): Promise<OpenCache> {
  if (!isRedisAddress(options.dir)) return SemanticCache.open(options)
  const { RedisAnswerCache } = await import('../redis/answer-cache.js')
  const { dir, ...more } = options
  return RedisAnswerCache.open(dir, more)
}

type OpenCache = AnswerCache & { close(): Promise<void> }

interface Place {
  readonly dir: string | undefined
  readonly model: string
  readonly maxWrongShare: number | undefined
  readonly tenant: string | undefined
}

/**
 * A run continues with the cache that it began with, but not because its journal says so, which somebody else may have written: flags
 * and configuration have to name the same. Fails: host.usage with the flags that would.
 */
function mustAgree({ cache, tenant }: Wanted, began: Began, here: Place): void {
  if (began === undefined) {
    if (cache === undefined || cache === 'off') return
    throw new AetherflowError('host.usage', '--cache', 'the run began without a cache, and goes on so')
  }
  const dir = here.dir === undefined ? undefined : placeName(here.dir)
  if (cache !== undefined && dir !== began.dir)
    throw new AetherflowError('host.usage', '--cache', `the run began with the cache in ${began.dir}, and goes on so`)
  if (tenant !== undefined && tenant !== began.tenant)
    throw new AetherflowError('host.usage', '--tenant', 'the run began with another, and keeps it')
  const flags = [
    dir === began.dir ? '' : `--cache ${began.dir}`,
    here.model === (began.model ?? here.model) ? '' : `--cache-model ${began.model}`,
    here.maxWrongShare === began.maxWrongShare ? '' : `--cache-share ${began.maxWrongShare ?? 0.01}`,
    here.tenant === began.tenant ? '' : `--tenant ${began.tenant ?? ''}`,
  ].filter((flag) => flag !== '')
  if (flags.length === 0) return
  const detail = `the run began with another cache than is named here: if you know that one, add ${flags.join(' ')}`
  throw new AetherflowError('host.usage', '--cache', detail)
}

/** As a run remembers it. */
const placeName = (dir: string): string => (isRedisAddress(dir) ? redisPlace(dir).name : resolve(dir))

/** A problem is a line of text; errors in it begin with their code. */
function warningOf(problem: string, where: string): CacheWarning {
  const [, code = 'cache.store_failed', detail = problem] =
    /^((?:cache|host)\.\w+)(?: at |: )(.*)$/s.exec(problem) ?? []
  return { code, where, detail }
}
