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
  // The glue throws where its own address is no address, and rejects for the rest.
  const load = Promise.resolve(url === '' ? {} : { locateFile: () => url })
    .then(createCore)
    .catch((error: unknown) => {
      loads.delete(url)
      // By its shape: errors of another realm are no instances of ours.
      const detail = (error as Partial<Error> | undefined)?.message ?? String(error)
      throw new AetherflowError(
        'host.io_failed',
        url || 'aetherflow_core.wasm',
        `the core cannot be loaded: ${detail}${elsewhere()}`,
      )
    })
  loads.set(url, load)
  return load
}

/** Pages and their workers have a location; what stands at the edge of a network has none. */
function elsewhere(): string {
  if (typeof location !== 'undefined') return ''
  return '; this is neither a page nor Node, Deno or Bun, and such places compile no module from bytes: run the plan in one of those, and ask it from here'
}
