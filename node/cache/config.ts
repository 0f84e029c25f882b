/** What a configuration says of the cache, in Node; and where caches lie when nobody says so. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { CacheConfig } from '../../web/standard/cache/config.js'
import type { SemanticCacheOptions } from './semantic-cache.js'

/** What a cache is opened with. */
export function cacheOptionsOf(config: CacheConfig): SemanticCacheOptions {
  const { model, maxWrongShare, ttlHours, maxMb } = config
  return {
    model,
    maxWrongShare,
    limits: {
      ...(ttlHours === undefined ? {} : { ttlMs: Math.round(ttlHours * 3600_000) }),
      ...(maxMb === undefined ? {} : { bytes: Math.round(maxMb * 2 ** 20) }),
    },
  }
}

type Environment = Readonly<Record<string, string | undefined>>

/** `$XDG_CACHE_HOME/aetherflow/…`, else below `~/.cache`. */
export function userCacheFolder(env: Environment, ...below: string[]): string {
  const told = env['XDG_CACHE_HOME'] ?? ''
  // The convention wants an absolute path, and anything else ignored.
  const root = isAbsolute(told) ? told : join(env['HOME'] ?? homedir(), '.cache')
  return join(root, 'aetherflow', ...below)
}

export const folderOf = (dir: string, env: Environment): string =>
  dir.startsWith('~/') ? join(env['HOME'] ?? homedir(), dir.slice(2)) : dir
