import type { CreateCore } from './module.js'

/** A module from its bytes. The glue would make an address of its own, which a bundle as CommonJS does not have. */
export function opened<Module>(
  create: (options: Parameters<CreateCore>[0]) => Promise<Module>,
  base64: string,
): Promise<Module> {
  const wasmBinary = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
  return create({ wasmBinary, locateFile: (name) => name })
}
