/** Loads the core in this thread: once for each address, shared by every run. */
import { AetherflowError } from '../../bindings/errors.js'
import { createCore } from '../../bindings/glue.js'
import type { CoreModule } from '../../bindings/module.js'

const loads = new Map<string, Promise<CoreModule>>()

/**
 * `url`: where the module lies, instead of beside the glue. Compiled while it comes, or from its bytes where the server gives it
 * another type than application/wasm. Fails: host.io_failed. A failed load may be tried again.
 */
export function loadCore(url = ''): Promise<CoreModule> {
  const known = loads.get(url)
  if (known !== undefined) return known
  const load = createCore(url === '' ? {} : { locateFile: () => url }).catch((error: unknown) => {
    loads.delete(url)
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', url || 'aetherflow_core.wasm', `the core cannot be loaded: ${detail}`)
  })
  loads.set(url, load)
  return load
}
