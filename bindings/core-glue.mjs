// Loads the run's module, which is WebAssembly alone: its memory grows by itself, and it asks nothing of its host.

/**
 * As the glue that Emscripten makes for the other modules. Rejects when the module cannot be fetched.
 * @param {{ wasmBinary?: ArrayBuffer | Uint8Array, locateFile?: (name: string) => string }} options
 */
export default async function create({ wasmBinary, locateFile } = {}) {
  const url = locateFile?.('aetherflow_core.wasm') ?? new URL('aetherflow_core.wasm', import.meta.url)
  const { instance } = await (wasmBinary ? WebAssembly.instantiate(wasmBinary, imports) : fetched(url))
  const { memory, _initialize, ...functions } = instance.exports
  _initialize()
  const bytes = view(Uint8Array, memory)
  const numbers = view(Float64Array, memory)
  const module = {
    get HEAPU8() {
      return bytes()
    },
    get HEAPF64() {
      return numbers()
    },
  }
  for (const name in functions) if (name.startsWith('session_')) module[`_${name}`] = functions[name]
  return module
}

const imports = {
  env: { emscripten_notify_memory_growth() {} },
  wasi_snapshot_preview1: {
    proc_exit() {
      throw new WebAssembly.RuntimeError('Aborted')
    },
  },
}

async function fetched(url) {
  const response = await fetch(url, { credentials: 'same-origin' })
  if (!response.ok) throw new Error(`${url}: ${response.status}`)
  // Servers that send the module as anything else are common: it is compiled when all of it is there.
  return response.headers.get('content-type')?.startsWith('application/wasm')
    ? WebAssembly.instantiateStreaming(response, imports)
    : WebAssembly.instantiate(await response.arrayBuffer(), imports)
}

/** The memory as it is: it has another buffer when it has grown. */
function view(Kind, memory) {
  let held
  return () => (held?.buffer === memory.buffer ? held : (held = new Kind(memory.buffer)))
}
