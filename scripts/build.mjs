// Builds the package: the WebAssembly modules and the JavaScript of bindings, web and node; or of it what a first `npm start` runs.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rememberBuilt } from './lib/built.mjs'
import { bundleBrowser } from './lib/bundle.mjs'
import { bundleCommonJs } from './lib/commonjs.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { publishGrammars } from './lib/grammars.mjs'
import { bundleLibraries } from './lib/libraries.mjs'
import { publishModule, publishModules, sizeLines } from './lib/module.mjs'
import { at, digest, readJson } from './lib/paths.mjs'
import { bundlePlayground } from './lib/playground.mjs'
import { bundleProgram } from './lib/program.mjs'
import { main, mustNode, stage as plainStage } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** The generators of checked-in files; each knows `--check`. */
export const generators = ['bindings/generate.mjs', 'core/route/generate.mjs', 'core/cache/generate.mjs']

const projects = ['bindings', 'web/standard', 'web/browser', 'web/element', 'web/playground', 'node']
const compiler = 'node_modules/typescript/bin/tsc'
const sourcesStamp = 'build/ts/sources.json'

/**
 * Brings dist/ up to date with what `found` (see setup) offers. `tests` adds the GoogleTest binary to the configuration;
 * `stage` frames each part: the default stops at the first that fails.
 */
export async function build(found, { tests = false, stage = plainStage } = {}) {
  await stage('generated files', async () => {
    for (const generator of generators) await mustNode([at(generator), '--check'])
  })
  await stage('wasm', async () => {
    await configure('wasm', found, { AETHERFLOW_TESTS: tests || hasTests() ? 'ON' : 'OFF' })
    await buildTargets('wasm', found, [
      'aetherflow_wasm',
      'aetherflow_cache_wasm',
      'aetherflow_index_wasm',
      'aetherflow_limits_wasm',
    ])
    await publishModules()
    return sizeLines().join('\n                   ')
  })
  await stage('typescript', async () => {
    forgetRemovedSources()
    await compile(projects)
    await publishTexts()
  })
  await stage('libraries', bundleLibraries)
  await stage('commonjs', bundleCommonJs)
  await stage('browser', bundleBrowser)
  await stage('playground', bundlePlayground)
}

/** Whether everything has been built here before: `npm start` keeps that up to date then. */
export const wasBuilt = () => existsSync(at(sourcesStamp))

/**
 * What a first `npm start` needs, in a fraction of the time: the module of runs, the command line and the library for Node. Types are not
 * checked; the other modules and the pages are left to `build`, which begins again.
 */
export async function buildFirst(found, { stage = plainStage } = {}) {
  await stage('wasm', async () => {
    await configure('wasm', found, { AETHERFLOW_TESTS: hasTests() ? 'ON' : 'OFF' })
    await buildTargets('wasm', found, ['aetherflow_wasm'])
    await publishModule('aetherflow_core')
  })
  await stage('javascript', async () => {
    await transpile(['bindings', 'web/standard', 'node'])
    await bundleProgram()
    await publishTexts()
    await bundleLibraries()
  })
}

/** What the package holds beside its code. */
async function publishTexts() {
  copyFileSync(at('core/plan/plan.schema.json'), at('dist/plan.schema.json'))
  publishGrammars()
  copyFileSync(at('node/project.schema.json'), at('dist/config.schema.json'))
  const { planCard } = await import(pathToFileURL(at('dist/node/plan-card.js')).href)
  writeFileSync(at('dist/plan-card.md'), planCard)
  const { eventsSchema } = await import(pathToFileURL(at('dist/bindings/events-schema.js')).href)
  writeFileSync(at('dist/events.schema.json'), `${JSON.stringify(eventsSchema, null, 2)}\n`)
}

/** Compiles TypeScript projects, with those that they refer to. */
export async function compile(folders) {
  await mustNode([at(compiler), '-b', ...folders])
  // The compiler has written the command line in many files again.
  await bundleProgram()
}

/** A tree that was configured with tests stays so: `npm start` after `npm test` must not configure again. */
const hasTests = () => existsSync(at('build/wasm/tests/CMakeFiles/aetherflow_tests.dir'))

/** tsc never deletes: the output of a source that was renamed would stay in dist/ and be published. */
function forgetRemovedSources() {
  const key = digest([], projects.flatMap(sourcesOf).sort().join('\n'))
  if (readJson(sourcesStamp)?.key === key) return
  for (const folder of ['bindings', 'web', 'node']) rmSync(at('dist', folder), { recursive: true, force: true })
  rmSync(at('build/ts'), { recursive: true, force: true })
  mkdirSync(at('build/ts'), { recursive: true })
  writeFileSync(at(sourcesStamp), JSON.stringify({ key }))
}

/** The TypeScript files below a folder. */
const sourcesOf = (folder) =>
  readdirSync(at(folder), { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file}`)

/** Writes the JavaScript of folders to dist/ without a look at types. */
async function transpile(folders) {
  const { build } = await import('esbuild')
  await build({
    absWorkingDir: at(''),
    entryPoints: folders.flatMap(sourcesOf).filter((file) => !file.endsWith('.d.ts')),
    outdir: 'dist',
    outbase: '.',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => {
    await build(await setup('start'))
    rememberBuilt()
  })
}
