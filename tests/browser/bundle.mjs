// node tests/browser/bundle.mjs vite|webpack|esbuild|ssr DIR: builds DIR/main.js, which uses the package in DIR/node_modules, into DIR/out.
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const [bundler, folder] = process.argv.slice(2)
const out = join(folder, 'out')
const page = (script) =>
  `<!doctype html><html lang="en"><title>built</title><script type="module" src="${script}"></script>`

/** As they come: no setting is for AetherFlow. */
async function vite() {
  const { build } = await import('vite')
  writeFileSync(join(folder, 'index.html'), page('./main.js'))
  await build({
    root: folder,
    base: './',
    configFile: false,
    logLevel: 'warn',
    build: { outDir: out, target: 'es2022' },
  })
}

async function webpack() {
  const { default: pack } = await import('webpack')
  await new Promise((resolve, reject) => {
    const settings = {
      mode: 'production',
      context: folder,
      entry: './main.js',
      output: { path: out, filename: 'main.js', module: true },
      experiments: { outputModule: true },
    }
    pack(settings, (error, stats) => {
      if (error || stats.hasErrors()) reject(error ?? new Error(stats.toString('errors-only')))
      else resolve(console.log(stats.toString({ preset: 'errors-warnings' })))
    })
  })
  writeFileSync(join(out, 'index.html'), page('./main.js'))
}

/** It knows no `new URL(…, import.meta.url)`: the files that are loaded by address are named, under the names that they are asked for. */
async function esbuild() {
  const { build } = await import('esbuild')
  const from = '@aetherflow/aetherflow'
  await build({
    absWorkingDir: folder,
    entryPoints: { main: './main.js', worker: `${from}/worker`, simulator: `${from}/simulator` },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    outdir: out,
  })
  mkdirSync(out, { recursive: true })
  const beside = ['core/aetherflow_core.wasm', 'browser/providers.js', 'browser/journal.js', 'browser/cache.js']
  for (const file of beside) copyFileSync(join(folder, 'node_modules', from, 'dist', file), join(out, basename(file)))
  // The cache's module and data are asked for beside the folder, where the test's server has them too.
  writeFileSync(join(out, 'index.html'), page('./main.js'))
}

/** Loads DIR/0.js, DIR/1.js, … as a server of Vite's does to render a page; tells what each exports. */
async function ssr() {
  const { createServer } = await import('vite')
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: 'error',
    server: { middlewareMode: true, ws: false },
    appType: 'custom',
  })
  const exported = []
  for (const name of readdirSync(folder).sort())
    if (name.endsWith('.js')) exported.push(Object.keys(await server.ssrLoadModule(`/${name}`)))
  await server.close()
  console.log(JSON.stringify(exported))
}

await { vite, webpack, esbuild, ssr }[bundler]()
