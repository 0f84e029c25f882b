// What a page loads: the compiled browser side, joined into a few files without bare imports, so that a page without a bundler
// can load it too; and what that weighs.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeLicences } from './licences.mjs'
import { at } from './paths.mjs'
import { Stop } from './run.mjs'

const folder = 'dist/browser'
const core = ['dist/core/aetherflow_core.mjs', 'dist/core/aetherflow_core.wasm']

/** What a page may have to load, bytes of gzip: page side, worker, glue and module. */
export const pageBudget = 150 * 1024

/** Each by itself: loaded by its address when a run asks for it, and copied as it is by bundlers. */
const parts = {
  simulator: 'dist/web/standard/simulator/index.js',
  journal: 'dist/web/browser/run/journal.js',
  cache: 'dist/web/browser/cache/cache.js',
  probe: 'dist/web/browser/probe.js',
  providers: 'dist/web/browser/providers.js',
  documents: 'dist/web/browser/documents/documents.js',
}

/** Writes dist/browser; tells its size. */
export async function bundleBrowser() {
  const { build } = await import('esbuild')
  rmSync(at(folder), { recursive: true, force: true })
  const settings = {
    absWorkingDir: at(''),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [besideCore],
  }
  const built = [
    await build({
      ...settings,
      entryPoints: { index: 'dist/web/browser/index.js', worker: 'dist/web/browser/worker/worker.js' },
      outdir: folder,
      // Page and worker have most of their files in common.
      splitting: true,
    }),
  ]
  for (const [name, entry] of Object.entries(parts)) {
    // With the cache's glue: a copy of the part lies beside nothing.
    built.push(await build({ ...settings, plugins: [], entryPoints: [entry], outfile: `${folder}/${name}.js` }))
  }
  // Anyone who calls a model through the AI SDK loads no page of ours: it stands by itself.
  const sdk = { entryPoints: ['dist/web/browser/ai-sdk.js'], outfile: `${folder}/ai-sdk.js` }
  built.push(await build({ ...settings, ...sdk }))
  writeLicences(
    `${folder}/licences.txt`,
    built.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
  )
  leaveAddressesAlone()
  return pageSizeLine()
}

/** What is loaded by an address is no module of a bundler's graph. Minifying takes away the comments that say so. */
function leaveAddressesAlone() {
  let told = 0
  for (const name of readdirSync(at(folder))) {
    const code = readFileSync(at(folder, name), 'utf8')
    const marked = code.replace(/\bimport\(([\w$]+)\)/g, 'import(/* @vite-ignore */ /* webpackIgnore: true */ $1)')
    if (marked === code) continue
    writeFileSync(at(folder, name), marked)
    told += 1
  }
  // Parts by the worker's side, cache and documents by the page's, the model runtime by the cache, the simulator by the SDK's provider.
  if (told !== 4) throw new Stop(`${told} bundled files load something by its address; four were expected`)
}

/** The glue stays a file of its own: it finds the module by its own address. */
const besideCore = {
  name: 'core stays outside',
  setup: (build) =>
    build.onResolve({ filter: /\/core\/aetherflow_\w+\.mjs$/ }, ({ path: found }) => ({
      path: `../core/${path.posix.basename(found)}`,
      external: true,
    })),
}

/** The files that a page with a worker loads, once each: what is imported on demand alone does not count. */
function loaded() {
  const found = new Set()
  const add = (file) => {
    if (found.has(file) || !file.startsWith(`${folder}/`)) return
    found.add(file)
    const code = readFileSync(at(file), 'utf8')
    for (const [, next] of code.matchAll(/\b(?:from|import)\s*["'](\.[^"']+)["']/g)) add(path.posix.join(folder, next))
  }
  for (const entry of ['index.js', 'worker.js']) add(`${folder}/${entry}`)
  return [...found]
}

/** Bytes of gzip -9: of the scripts of page and worker, and of glue and module. */
export function pageSizes() {
  const weigh = (files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(at(file)), { level: 9 }).length, 0)
  return { files: loaded(), script: weigh(loaded()), module: weigh(core) }
}

function pageSizeLine() {
  const kb = (bytes) => (bytes / 1024).toFixed(1)
  const { script, module } = pageSizes()
  return `a page loads ${kb(script)} KB of script and ${kb(module)} KB of core = ${kb(script + module)} of ${kb(pageBudget)} KB gzip`
}
