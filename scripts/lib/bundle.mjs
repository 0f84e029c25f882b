// What a page loads: the compiled browser side, joined into a few files without bare imports, so that a page without a bundler
// can load it too; and what that weighs.
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { at } from './paths.mjs'

const folder = 'dist/browser'
const core = ['dist/core/aetherflow_core.mjs', 'dist/core/aetherflow_core.wasm']

/** What a page may have to load, bytes of gzip: page side, worker, glue and module. */
export const pageBudget = 150 * 1024

/** Writes dist/browser; tells its size. */
export async function bundleBrowser() {
  const { build } = await import('esbuild')
  rmSync(at(folder), { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: at(''),
    entryPoints: ['dist/web/browser/index.js', 'dist/web/browser/worker.js'],
    outdir: folder,
    bundle: true,
    // Page and worker have most of their files in common.
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
    plugins: [besideCore],
  })
  return pageSizeLine(metafile.outputs)
}

/** The glue stays a file of its own: it finds the module by its own address. */
const besideCore = {
  name: 'core stays outside',
  setup: (build) =>
    build.onResolve({ filter: /aetherflow_core\.mjs$/ }, () => ({
      path: '../core/aetherflow_core.mjs',
      external: true,
    })),
}

/** The files that a page with a worker loads, once each: what is imported on demand alone does not count. */
function loaded(outputs) {
  const found = new Set()
  const add = (file) => {
    if (found.has(file) || outputs[file] === undefined) return
    found.add(file)
    for (const { path: next, kind } of outputs[file].imports) if (kind === 'import-statement') add(next)
  }
  for (const entry of ['index.js', 'worker.js']) add(path.posix.join(folder, entry))
  return [...found]
}

function pageSizeLine(outputs) {
  const kb = (bytes) => (bytes / 1024).toFixed(1)
  const weigh = (files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(at(file)), { level: 9 }).length, 0)
  const [script, module] = [weigh(loaded(outputs)), weigh(core)]
  return `a page loads ${kb(script)} KB of script and ${kb(module)} KB of core = ${kb(script + module)} of ${kb(pageBudget)} KB gzip`
}
