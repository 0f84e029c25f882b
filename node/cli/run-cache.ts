/** The cache of a run: which one it is, opened before anything else happens. */
import { resolve } from 'node:path'
import { oneLine } from '../../web/standard/format.js'
import { cacheOptionsOf, folderOf } from '../cache/config.js'
import { readConfig } from '../config.js'
import { AetherflowError, type RunPlanOptions } from '../index.js'
import { SemanticCache, type CachePlace } from '../cache/semantic-cache.js'
import { pulledModel, type CacheFlags } from './cache-flags.js'
import type { Host } from './host.js'

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
  const goesOn = begin !== undefined && flags.resume === true && flags.reuse !== true
  if (goesOn) mustAgree(flags, began, host)
  const named = flags.cache ?? (goesOn ? undefined : configured.dir) ?? began?.dir
  const extra = flags.cacheModel ?? flags.cacheShare ?? flags.tenant
  if (named === undefined || named === 'off') {
    if (extra === undefined) return undefined
    throw new AetherflowError('host.usage', '--cache', 'there is no cache: name its folder with --cache DIR')
  }
  const dir = folderOf(named, host.env)
  const usual = goesOn ? { ...configured, ...began } : { ...began, ...configured }
  const model = flags.cacheModel ?? usual.model ?? pulledModel(host.env) ?? 'lexical'
  const maxWrongShare = flags.cacheShare ?? usual.maxWrongShare
  const tenant = goesOn && began !== undefined ? began.tenant : (flags.tenant ?? usual.tenant)
  const options = { ...cacheOptionsOf(usual), dir, model, maxWrongShare }
  const cache = await SemanticCache.open({ ...options, onProblem: (problem) => warn(warningOf(problem, dir)) })
  const by = model === 'lexical' ? 'the built-in embedder (words and spellings, no meanings)' : oneLine(model)
  return {
    options: { cache, cacheModes: configured.types, tenant },
    words: `cache in ${oneLine(dir)}, compared by ${by}`,
    close: () => cache.close(),
  }
}

/** A run goes on with the cache that it began with. */
function mustAgree({ cache, tenant }: Wanted, began: Began, { env }: Host): void {
  if (began !== undefined && tenant !== undefined && tenant !== began.tenant)
    throw new AetherflowError('host.usage', '--tenant', 'the run began with another, and goes on with that')
  if (cache === undefined) return
  const asked = cache === 'off' ? undefined : resolve(folderOf(cache, env))
  if (asked === began?.dir) return
  const was = began === undefined ? 'without a cache' : `with the cache in ${began.dir}`
  throw new AetherflowError('host.usage', '--cache', `the run began ${was}, and goes on so`)
}

/** A problem is a line of text; errors in it begin with their code. */
function warningOf(problem: string, where: string): CacheWarning {
  const [, code = 'cache.store_failed', detail = problem] =
    /^((?:cache|host)\.\w+)(?: at |: )(.*)$/s.exec(problem) ?? []
  return { code, where, detail }
}
