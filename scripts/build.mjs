// Builds what `npm start` and the package need: the WebAssembly module and the JavaScript of bindings, web/standard and node.
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bundleBrowser } from './lib/bundle.mjs'
import { bundleCommonJs } from './lib/commonjs.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { publishGrammars } from './lib/grammars.mjs'
import { bundleLibraries } from './lib/libraries.mjs'
import { publishModules, sizeLines } from './lib/module.mjs'
import { at, digest, readJson } from './lib/paths.mjs'
import { bundlePlayground } from './lib/playground.mjs'
import { bundleProgram } from './lib/program.mjs'
import { main, mustNode, stage as plainStage } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** The generators of checked-in files; each knows `--check`. */
export const generators = ['bindings/generate.mjs', 'core/route/generate.mjs', 'core/cache/generate.mjs']

const projects = ['bindings', 'web/standard', 'web/browser', 'web/element', 'web/playground', 'node']
const compiler = 'node_modules/typescript/bin/tsc'

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
    copyFileSync(at('core/plan/plan.schema.json'), at('dist/plan.schema.json'))
    publishGrammars()
    copyFileSync(at('node/project.schema.json'), at('dist/config.schema.json'))
    const { planCard } = await import(pathToFileURL(at('dist/node/plan-card.js')).href)
    writeFileSync(at('dist/plan-card.md'), planCard)
    const { eventsSchema } = await import(pathToFileURL(at('dist/bindings/events-schema.js')).href)
    writeFileSync(at('dist/events.schema.json'), `${JSON.stringify(eventsSchema, null, 2)}\n`)
  })
  await stage('libraries', bundleLibraries)
  await stage('commonjs', bundleCommonJs)
  await stage('browser', bundleBrowser)
  await stage('playground', bundlePlayground)
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
  const sources = projects.flatMap((folder) =>
    readdirSync(at(folder), { recursive: true })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `${folder}/${file}`),
  )
  const key = digest([], sources.sort().join('\n'))
  if (readJson('build/ts/sources.json')?.key === key) return
  for (const folder of ['bindings', 'web', 'node']) rmSync(at('dist', folder), { recursive: true, force: true })
  rmSync(at('build/ts'), { recursive: true, force: true })
  mkdirSync(at('build/ts'), { recursive: true })
  writeFileSync(at('build/ts/sources.json'), JSON.stringify({ key }))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => build(await setup('start')))
}
