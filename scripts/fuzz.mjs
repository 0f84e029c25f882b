// Runs the libFuzzer target of the plan reader.
//   node scripts/fuzz.mjs [seconds]     a long search; without seconds, the short run of `npm test`: a fixed number of inputs
// A crash leaves its input in build/fuzz/findings/.
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, configure } from './lib/cmake.mjs'
import { at } from './lib/paths.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setup } from './setup.mjs'

const shortRuns = 30_000

/** Builds the target and runs it; stops on a finding. Skipped aloud where no Clang with libFuzzer was found. */
export async function fuzz(found, seconds) {
  if (found.fuzzer === undefined) return 'skipped: no Clang with libFuzzer on this system'
  await configure('fuzz', found)
  await build('fuzz', found, ['plan_reader_fuzz'])
  mkdirSync(at('build/fuzz/findings'), { recursive: true })
  mkdirSync(at('build/fuzz/corpus'), { recursive: true })
  const bound = seconds === undefined ? [`-runs=${shortRuns}`, '-seed=1'] : [`-max_total_time=${seconds}`]
  const { code, output } = await run(at('build/fuzz/tests/plan_reader_fuzz'), [
    ...bound,
    '-max_len=4096',
    '-timeout=10',
    `-artifact_prefix=${at('build/fuzz/findings')}/`,
    at('build/fuzz/corpus'),
    // Seeds come after the folder that libFuzzer may write to.
    at('examples/plans'),
  ])
  if (code !== 0) throw new Stop(output.split('\n').slice(-40).join('\n'))
  const done = /Done (\d+) runs in (\d+) second/.exec(output)
  if (done === null || Number(done[1]) === 0) throw new Stop(`the fuzzer ran nothing\n${output}`)
  return `${done[1]} inputs, no finding`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(await fuzz(await setup('test'), process.argv[2])))
}
