import type { CreateCore } from './module.js'

/** Node's, which decodes a module in a fraction of a millisecond; pages have none. */
interface Decoders {
  readonly Buffer?: { from(text: string, encoding: 'base64'): Uint8Array }
}

/** A module from its bytes. The glue would make an address of its own, which a bundle as CommonJS does not have. */
export function opened<Module>(
  create: (options: Parameters<CreateCore>[0]) => Promise<Module>,
  base64: string,
): Promise<Module> {
  const { Buffer } = globalThis as Decoders
  const wasmBinary = Buffer?.from(base64, 'base64') ?? bytesOf(atob(base64))
  return create({ wasmBinary, locateFile: (name) => name })
}

/** By hand: `Uint8Array.from` with a callback takes five times as long. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length)
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at)
  return bytes
}
