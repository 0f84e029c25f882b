/**
 * Loads the modules: once per process, shared by every run and cache. Every part is a script that is imported by a name written
 * out, so that a bundler for Node takes it along; nothing is looked for beside a file that may have been moved.
 */
import type { CacheData, CacheModule } from '../bindings/cache/module.js'
import { AetherflowError } from '../bindings/errors.js'
import type { IndexData, IndexModule } from '../bindings/index/module.js'
import type { CoreModule, LimitsModule } from '../bindings/module.js'

/** Runs `load` once; a failed load may be tried again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}

/** Fails with host.io_failed and the name of the part. */
async function part<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const absent = (error as { code?: unknown } | null)?.code === 'ERR_MODULE_NOT_FOUND'
    const way = absent ? '; in the folder of the sources `npm run build` makes it' : ''
    throw new AetherflowError('host.io_failed', name, `a part of the package cannot be loaded: ${detail}${way}`)
  }
}

/** Fails with host.io_failed when the package is incomplete. */
export const loadCore: () => Promise<CoreModule> = once(() =>
  part('aetherflow_core', async () => (await import('../bindings/embedded.js')).openCore()),
)

/** The limits that runs share, loaded with the first run that shares. Fails with host.io_failed when the package is incomplete. */
export const loadLimits: () => Promise<LimitsModule> = once(() =>
  part('aetherflow_limits', async () => (await import('../bindings/authority-embedded.js')).openLimits()),
)

/** What a cache needs, loaded when the first is opened. Fails with host.io_failed when the package is incomplete. */
export const loadCache: () => Promise<{ module: CacheModule; data: CacheData }> = once(() =>
  part('aetherflow_cache', async () => (await import('../bindings/cache/embedded.js')).openCacheParts()),
)

/** What an index of documents needs, loaded when the first is opened. Fails with host.io_failed when the package is incomplete. */
export const loadIndex: () => Promise<{ module: IndexModule; data: IndexData }> = once(() =>
  part('aetherflow_index', async () => (await import('../bindings/index/embedded.js')).openIndexParts()),
)
