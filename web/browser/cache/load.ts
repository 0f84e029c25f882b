/** Where the cache's files are, which a page loads with its first cache. Apart from load-part.ts: only pages name them. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { CacheAssets } from './options.js'

export function cacheAddresses({ cache, cacheModule, cacheData }: CacheAssets = {}) {
  // Bundlers look for exactly these expressions.
  return {
    cache: cache ?? new URL('./cache.js', import.meta.url),
    module: cacheModule ?? new URL('../core/aetherflow_cache.wasm', import.meta.url),
    data: cacheData ?? new URL('../core/aetherflow_cache.json', import.meta.url),
  }
}

/** Fails: host.io_failed. */
export async function loadCache(assets?: CacheAssets): Promise<typeof import('./cache.js')> {
  const { href } = new URL(cacheAddresses(assets).cache, globalThis.location?.href)
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as typeof import('./cache.js')
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', href, `the cache cannot be loaded: ${detail}`)
  }
}
