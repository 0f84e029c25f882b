// `npm test`: sets up, builds, and runs every test: GoogleTest natively, the same sources as WebAssembly, Jest, a short fuzz, checks.
//   --only native|wasm|jest|fuzz|checks     one of them, with what it needs
//   --recordings DIR                        streams recorded elsewhere, for the OpenAI-compatible client to read as well
import { mkdirSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { build, compile } from './build.mjs'
import { check } from './check.mjs'
import { fuzz } from './fuzz.mjs'
import { build as buildTargets, configure } from './lib/cmake.mjs'
import { linkOutputs } from './lib/jest.mjs'
import { at } from './lib/paths.mjs'
import { googleTestResult, jestResult } from './lib/results.mjs'
import { main, run, stage, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

const total = { passed: 0, failed: 0 }

/** The word behind a flag of the command line. */
function valueOf(flag) {
  const position = process.argv.indexOf(flag)
  if (position < 0) return undefined
  const value = process.argv[position + 1]
  if (value === undefined) throw new Stop(`${flag} takes a value`)
  return value
}
let recordings

/** Runs one stage; its failure is told and counted, and resolves to false, so that what builds on it is left out. */
async function attempt(name, work) {
  try {
    await stage(name, work)
    return true
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    console.log(`${name}: FAILED\n${error.message}`)
    // A runner has counted its failures already; anything else that stops a stage is one failure.
    if (!error.counted) total.failed += 1
    return false
  }
}

/** Adds a runner's counts; when it failed, stops the stage with the runner's own output. */
function tally(result, output) {
  total.passed += result.passed
  total.failed += result.failed
  if (result.failed > 0) throw Object.assign(new Stop(output.trimEnd()), { counted: true })
  const skipped = result.skipped > 0 ? `, ${result.skipped} skipped` : ''
  return `${result.passed} passed${skipped}${skippedWords(output)}`
}

/** What GoogleTest says about its skips, so that none goes unheard. */
function skippedWords(output) {
  const reasons = [...output.matchAll(/: Skipped\n(.+)/g)].map(([, reason]) => reason.trim())
  return reasons.length > 0 ? ` (${[...new Set(reasons)].join('; ')})` : ''
}

async function googleTest(name, program, args, env = {}) {
  const report = `build/results/${name}.json`
  rmSync(at(report), { force: true })
  const { code, output } = await run(program, [...args, '--gtest_brief=1', `--gtest_output=json:${at(report)}`], {
    env,
  })
  return tally(googleTestResult(report, code), output)
}

async function native(found) {
  const built = await attempt('native build', async () => {
    await configure('native', found)
    await buildTargets('native', found, ['aetherflow_tests'])
  })
  // Without it an older binary would be run, and its good counts believed.
  if (!built) return
  // The bytes of the commands, for the Jest side to compare with those of the bound core.
  const traces = at('build/traces')
  rmSync(traces, { recursive: true, force: true })
  mkdirSync(traces, { recursive: true })
  const program = at('build/native/tests/aetherflow_tests')
  await attempt('native tests', () => googleTest('native', program, [], { AETHERFLOW_TRACE_DUMP: traces }))
}

async function wasm(found) {
  const built = await attempt('wasm test build', async () => {
    await configure('wasm', found, { AETHERFLOW_TESTS: 'ON' })
    await buildTargets('wasm', found, ['aetherflow_tests'])
  })
  const args = ['--require', at('scripts/lib/without-fetch.cjs'), at('build/wasm/tests/aetherflow_tests.cjs')]
  if (built) await attempt('wasm tests', () => googleTest('wasm', process.execPath, args))
}

async function jest() {
  await attempt('jest', async () => {
    linkOutputs()
    const report = 'build/results/jest.json'
    rmSync(at(report), { force: true })
    const args = [
      '--experimental-vm-modules',
      '--no-warnings',
      at('node_modules/jest/bin/jest.js'),
      '--ci',
      '--maxWorkers=100%',
    ]
    const { code, output, lingered } = await run(process.execPath, [...args, '--json', `--outputFile=${at(report)}`], {
      env: { NODE_OPTIONS: '', ...(recordings === undefined ? {} : { AETHERFLOW_RECORDINGS: recordings }) },
      show: false,
      timeoutMs: 40 * 60_000,
      // A test that failed may have left a server open: its failure is to be told, not waited for.
      over: /Jest did not exit one second after/,
    })
    const words = tally(jestResult(report, lingered ? 0 : code), output)
    return lingered ? `${words}; a test left something open (jest --detectOpenHandles finds it)` : words
  })
}

/** `false` among the works: not wanted. */
async function inTurn(works) {
  for (const work of works) if (work) await work()
}

await main(async () => {
  const only = valueOf('--only')
  const folder = valueOf('--recordings')
  if (folder !== undefined) recordings = resolve(folder)
  const names = ['native', 'wasm', 'jest', 'fuzz', 'checks']
  if (only !== undefined && !names.includes(only)) throw new Stop(`--only takes one of ${names.join(', ')}`)
  const wants = (name) => only === undefined || only === name

  mkdirSync(at('build/results'), { recursive: true })
  let found
  await stage('set-up', async () => void (found = await setup('test')))
  if (wants('jest') || wants('wasm')) await build(found, { tests: true, stage: attempt })
  // Most of these keep one core busy: tests, links, lint. Jest takes all cores for itself, and is not slowed by anything beside it.
  let compiled = false
  await Promise.all([
    inTurn([
      wants('native') && (() => native(found)),
      wants('wasm') && (() => wasm(found)),
      wants('fuzz') && (() => attempt('fuzz', () => fuzz(found))),
    ]),
    inTurn([
      wants('checks') && (() => attempt('checks', () => check(found))),
      wants('jest') && (async () => void (compiled = await attempt('test typescript', () => compile(['tests'])))),
    ]),
  ])
  if (compiled) await jest()
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return total.failed > 0 ? 1 : 0
})
