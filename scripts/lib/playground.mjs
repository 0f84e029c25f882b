// The playground as a folder of files that any static server can hand out, and the element as one module.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { writeLicences } from './licences.mjs'
import { at } from './paths.mjs'

const source = 'web/playground'
const target = 'dist/playground'
const element = 'dist/element'

const settings = {
  absWorkingDir: at(''),
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
}

/** The core's glue and the browser's entry are loaded as they are: they find their other files by their own addresses. */
const besides = (browser, core) => ({
  name: 'what lies beside',
  setup: (build) => {
    build.onResolve({ filter: /browser\/index\.js$/ }, () => ({ path: browser, external: true }))
    build.onResolve({ filter: /aetherflow_core\.mjs$/ }, () => ({ path: core, external: true }))
  },
})

/** Writes dist/element and dist/playground; tells the size of the page. */
export async function bundlePlayground() {
  const { build } = await import('esbuild')
  for (const folder of [element, target]) rmSync(at(folder), { recursive: true, force: true })
  await build({
    ...settings,
    entryPoints: ['dist/web/element/index.js'],
    outfile: `${element}/index.js`,
    plugins: [besides('../browser/index.js', '../core/aetherflow_core.mjs')],
  })
  const entries = ['main', 'layout-worker', 'travel-worker'].map((name) => `dist/web/playground/${name}.js`)
  const { metafile } = await build({
    ...settings,
    entryPoints: entries,
    outdir: target,
    metafile: true,
    plugins: [besides('./browser/index.js', './core/aetherflow_core.mjs')],
  })
  await build({ ...settings, entryPoints: [`${source}/styles/index.css`], outfile: `${target}/page.css` })
  // Loaded when somebody keeps a report.
  await build({ ...settings, entryPoints: ['dist/node/charts/run-charts.js'], outfile: `${target}/charts.js` })
  // The page of a server's runs: aetherflow serve.
  await build({ ...settings, entryPoints: [`dist/${source}/server/runs.js`], outfile: `${target}/runs.js` })
  await build({ ...settings, entryPoints: [`${source}/styles/runs.css`], outfile: `${target}/runs.css` })
  copyPage()
  writeLicences(`${target}/licences.txt`, Object.keys(metafile.inputs))
  const kb = (file) => (gzipSync(readFileSync(at(file)), { level: 9 }).length / 1024).toFixed(1)
  return `playground: ${Object.keys(metafile.outputs)
    .map((file) => `${file.split('/').at(-1)} ${kb(file)}`)
    .join(', ')}, page.css ${kb(`${target}/page.css`)} KB gzip`
}

function copyPage() {
  mkdirSync(at(target), { recursive: true })
  for (const name of ['index.html', 'runs.html']) {
    const page = readFileSync(at(source, name), 'utf8')
    writeFileSync(at(target, name), page.replace('{{policy}}', contentPolicy()))
  }
  cpSync(at(source, 'icon.svg'), at(target, 'icon.svg'))
  cpSync(at('core/plan/plan.schema.json'), at(target, 'plan.schema.json'))
  cpSync(at('examples/plans'), at(target, 'examples'), { recursive: true })
  cpSync(at('dist/browser'), at(target, 'browser'), { recursive: true })
  // The glue of cache and index is in browser/cache.js and browser/documents.js.
  const others = ['cache', 'index'].flatMap((name) => [`aetherflow_${name}.wasm`, `aetherflow_${name}.json`])
  for (const file of ['aetherflow_core.mjs', 'aetherflow_core.wasm', ...others])
    cpSync(at('dist/core', file), at(target, 'core', file))
}

/**
 * What the page may do: run its own files and workers alone, and call providers: those of the table, a relay, and whatever a visitor
 * configures, which are https hosts or servers of the same machine.
 */
function contentPolicy() {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "worker-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}
