/** Loads the core from the package's own files: once per process, shared by every run. */
import { readFile } from 'node:fs/promises'
import type { CoreModule, CreateCore } from '../bindings/module.js'
import { AetherflowError } from '../bindings/errors.js'

let loading: Promise<CoreModule> | undefined

/** Fails with host.io when the package is incomplete. A failed load may be tried again. */
export function loadCore(): Promise<CoreModule> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined
    throw error
  })
  return loading
}

async function load(): Promise<CoreModule> {
  const glue = new URL('../core/aetherflow_core.mjs', import.meta.url)
  const wasm = new URL('../core/aetherflow_core.wasm', import.meta.url)
  try {
    const { default: create } = (await import(glue.href)) as { default: CreateCore }
    // Read here instead of by the glue: it would fetch, which refuses file: addresses.
    return await create({ wasmBinary: await readFile(wasm) })
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io', wasm.pathname, `the core cannot be loaded: ${detail}`)
  }
}
