/** Loads the modules from the package's own files: once per process, shared by every run and cache. */
import { readFile } from 'node:fs/promises'
import type { CacheData, CacheModule, CreateCache } from '../bindings/cache/module.js'
import { AetherflowError } from '../bindings/errors.js'
import type { CoreModule, CreateCore } from '../bindings/module.js'

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

async function load<T>(name: string): Promise<T> {
  const glue = new URL(`../core/${name}.mjs`, import.meta.url)
  const wasm = new URL(`../core/${name}.wasm`, import.meta.url)
  try {
    const { default: create } = (await import(glue.href)) as { default: CreateCore | CreateCache }
    // Read here instead of by the glue: it would fetch, which refuses file: addresses.
    return (await create({ wasmBinary: await readFile(wasm) })) as T
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', wasm.pathname, `the core cannot be loaded: ${detail}`)
  }
}

async function loadData(): Promise<CacheData> {
  const file = new URL('../core/aetherflow_cache.json', import.meta.url)
  try {
    return JSON.parse(await readFile(file, 'utf8')) as CacheData
  } catch (error) {
    throw new AetherflowError('host.io_failed', file.pathname, error instanceof Error ? error.message : String(error))
  }
}

/** Fails with host.io_failed when the package is incomplete. */
export const loadCore = once(() => load<CoreModule>('aetherflow_core'))

/** What a cache needs, loaded when the first is opened. Fails with host.io_failed when the package is incomplete. */
export const loadCache = once(async () => {
  const [module, data] = await Promise.all([load<CacheModule>('aetherflow_cache'), loadData()])
  return { module, data }
})
