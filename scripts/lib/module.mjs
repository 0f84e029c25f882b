// From Emscripten's output to dist/core: the glue minified, the module's functions in an order that gzip likes, the types beside them; and the sizes of both.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { orderFunctions } from './function-order.mjs'
import { at, digest, readJson } from './paths.mjs'
import { Stop } from './run.mjs'

/** The modules, and what a page may have to load of each, bytes of gzip: wasm and glue together. */
export const modules = {
  aetherflow_core: 108 * 1024,
  aetherflow_cache: 55 * 1024,
  aetherflow_index: 60 * 1024,
  aetherflow_limits: 25 * 1024,
}

/** Brings dist/core up to date; does nothing when it is. */
export async function publishModules() {
  for (const name of Object.keys(modules)) await publishModule(name)
  publishCacheData()
  publishIndexData()
}

/** What the cache's module is told by its host: words by language, fits by the checksum of the embedder's file. */
function publishCacheData() {
  const fit = (file) => readFileSync(at(`core/cache/models/${file}.txt`), 'utf8').trim()
  const { lexical, files, unknown } = readJson('core/cache/models/index.json')
  const models = Object.fromEntries(Object.entries(files).map(([checksum, file]) => [checksum, fit(file)]))
  const words = readJson('core/cache/words.generated.json')
  const data = { words, lexical: fit(lexical), models, unknown: fit(unknown) }
  writeFileSync(at('dist/core/aetherflow_cache.json'), JSON.stringify(data))
  publishScript('dist/core/aetherflow_cache.data', JSON.stringify(data), 'object')
}

/** A value as a script, for hosts whose bundlers know scripts alone. `literal`: JavaScript. */
function publishScript(target, literal, type) {
  writeFileSync(at(`${target}.js`), `export default ${literal}\n`)
  writeFileSync(at(`${target}.d.ts`), `declare const value: ${type}\nexport default value\n`)
}

/** What the index's module is told: the stop words of both languages, which the cache's lists begin with. */
function publishIndexData() {
  const words = Object.entries(readJson('core/cache/words.generated.json'))
  const stops = Object.fromEntries(words.map(([language, lists]) => [language, lists.split('\n')[0]]))
  writeFileSync(at('dist/core/aetherflow_index.json'), JSON.stringify({ stops }))
  publishScript('dist/core/aetherflow_index.data', JSON.stringify({ stops }), 'object')
}

/** Brings one module in dist/core up to date. */
export async function publishModule(name) {
  const made = `build/wasm/bindings/${name}`
  const target = `dist/core/${name}`
  const glue = name === 'aetherflow_core' ? 'bindings/core-glue.mjs' : `${made}.mjs`
  const key = digest([glue, `${made}.wasm`, 'scripts/lib/module.mjs', 'scripts/lib/function-order.mjs'])
  const stampFile = `build/wasm/published-${name}.json`
  if (readJson(stampFile)?.key === key && existsSync(at(`${target}.wasm`)) && existsSync(at(`${target}.bytes.js`)))
    return
  mkdirSync(at('dist/core'), { recursive: true })
  const { minify } = await import('terser')
  // Properties keep their names: the glue and the module find each other by them.
  const { code } = await minify(readFileSync(at(glue), 'utf8'), { module: true, compress: { passes: 2 } })
  if (code === undefined || !code.includes('export default')) throw new Stop('the minifier lost the export of the glue')
  writeFileSync(at(`${target}.mjs`), code)
  const module = Buffer.from(orderFunctions(new Uint8Array(readFileSync(at(`${made}.wasm`)))))
  if (!WebAssembly.validate(module))
    throw new Stop(`${made}.wasm is no WebAssembly any more with its functions reordered`)
  writeFileSync(at(`${target}.wasm`), module)
  publishScript(`${target}.bytes`, JSON.stringify(module.toString('base64')), 'string')
  writeFileSync(at(stampFile), JSON.stringify({ key }))
}

/** Bytes of module and glue, plain and as gzip -9 would send them. */
export function moduleSizes(name = 'aetherflow_core') {
  const [wasm, glue] = ['wasm', 'mjs'].map((kind) => readFileSync(at(`dist/core/${name}.${kind}`)))
  const zipped = (bytes) => gzipSync(bytes, { level: 9 }).length
  return { wasm: wasm.length, glue: glue.length, wasmGzip: zipped(wasm), glueGzip: zipped(glue) }
}

/** The sizes for people, a line a module. */
export function sizeLines() {
  const kb = (bytes) => (bytes / 1024).toFixed(1)
  return Object.entries(modules).map(([name, budget]) => {
    const size = moduleSizes(name)
    return (
      `${name} ${kb(size.wasm)} KB (${kb(size.wasmGzip)} gzip) + glue ${kb(size.glue)} KB (${kb(size.glueGzip)} gzip)` +
      ` = ${kb(size.wasmGzip + size.glueGzip)} of ${kb(budget)} KB gzip`
    )
  })
}
