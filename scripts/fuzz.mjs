// Runs the libFuzzer targets: the plan reader, the document index.
//   node scripts/fuzz.mjs [seconds]     a long search; without seconds, the short run of `npm test`: a fixed number of inputs
// A crash leaves its input in build/fuzz/findings/TARGET/.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

/** Each with inputs to begin with, and how many the short run tries. */
const targets = [
  { name: 'plan_reader_fuzz', seeds: 'examples/plans', runs: 15_000 },
  { name: 'index_fuzz', seeds: 'tests/traces', runs: 500 },
]

/** Builds the targets and runs them; stops on a finding. Skipped, and said, where no Clang with libFuzzer was found. */
export async function fuzz(found, seconds) {
  if (found.fuzzer === undefined) return 'skipped: no Clang with libFuzzer on this system'
  await configure('fuzz', found)
  await build(
    'fuzz',
    found,
    targets.map(({ name }) => name),
  )
  const lines = []
  for (const target of targets) lines.push(await fuzzTarget(target, seconds))
  return lines.join('; ')
}

async function fuzzTarget({ name, seeds, runs }, seconds) {
  const [findings, corpus] = ['findings', 'corpus'].map((folder) => at('build/fuzz', folder, name))
  for (const folder of [findings, corpus]) mkdirSync(folder, { recursive: true })
  const bound = seconds === undefined ? [`-runs=${runs}`, '-seed=1'] : [`-max_total_time=${seconds}`]
  const { code, output } = await run(at('build/fuzz/tests', name), [
    ...bound,
    '-max_len=4096',
    '-timeout=10',
    `-artifact_prefix=${findings}/`,
    corpus,
    // Seeds come after the folder that libFuzzer may write to.
    at(seeds),
  ])
  if (code !== 0) throw new Stop(output.split('\n').slice(-40).join('\n'))
  const done = /Done (\d+) runs in (\d+) second/.exec(output)
  if (done === null || Number(done[1]) === 0) throw new Stop(`${name} ran nothing\n${output}`)
  return `${name} ${done[1]} inputs, no finding`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await fuzz(await setup('test'), process.argv[2])))
}
