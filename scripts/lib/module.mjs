// From Emscripten's output to dist/core: the glue minified, the module as it is, the types beside them; and the sizes of both.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { at, digest, readJson } from './paths.mjs'
import { Stop } from './run.mjs'

const made = 'build/wasm/bindings/aetherflow_core'
const target = 'dist/core/aetherflow_core'

/** What a page may have to load, bytes of gzip: wasm and glue together. */
export const budget = 100 * 1024

/** Brings dist/core up to date; does nothing when it is. */
export async function publishModule() {
  const types = 'bindings/aetherflow_core.d.mts'
  const inputs = [`${made}.mjs`, `${made}.wasm`, 'scripts/lib/module.mjs', ...(existsSync(at(types)) ? [types] : [])]
  const key = digest(inputs)
  const stampFile = 'build/wasm/published.json'
  if (readJson(stampFile)?.key === key && existsSync(at(`${target}.wasm`)) && existsSync(at(`${target}.mjs`))) return
  mkdirSync(at('dist/core'), { recursive: true })
  const { minify } = await import('terser')
  // Properties keep their names: the glue and the module find each other by them.
  const { code } = await minify(readFileSync(at(`${made}.mjs`), 'utf8'), { module: true, compress: { passes: 2 } })
  if (code === undefined || !code.includes('export default')) throw new Stop('the minifier lost the export of the glue')
  writeFileSync(at(`${target}.mjs`), code)
  copyFileSync(at(`${made}.wasm`), at(`${target}.wasm`))
  if (existsSync(at(types))) copyFileSync(at(types), at(`${target}.d.mts`))
  writeFileSync(at(stampFile), JSON.stringify({ key }))
}

/** Bytes of module and glue, plain and as gzip -9 would send them. */
export function moduleSizes() {
  const [wasm, glue] = [`${target}.wasm`, `${target}.mjs`].map((file) => readFileSync(at(file)))
  const zipped = (bytes) => gzipSync(bytes, { level: 9 }).length
  return { wasm: wasm.length, glue: glue.length, wasmGzip: zipped(wasm), glueGzip: zipped(glue) }
}

/** The sizes as one line for people. */
export function sizeLine() {
  const size = moduleSizes()
  const kb = (bytes) => (bytes / 1024).toFixed(1)
  return (
    `wasm ${kb(size.wasm)} KB (${kb(size.wasmGzip)} gzip) + glue ${kb(size.glue)} KB (${kb(size.glueGzip)} gzip)` +
    ` = ${kb(size.wasmGzip + size.glueGzip)} of ${kb(budget)} KB gzip`
  )
}
