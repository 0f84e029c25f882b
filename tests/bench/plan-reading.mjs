// MB/s and the time to the first known step, for a plan of about 10 MB that arrives in pieces of 16 KiB.
//   node tests/bench/plan-reading.mjs [--quick]
import { installPeers } from './lib/peers.mjs'
import { figure, median, printMachine, printTable, ratio } from './lib/print.mjs'
import { keep, keepRatio } from './lib/results.mjs'
import { wordyPlan } from './lib/wordy-plan.mjs'

const rounds = process.argv.includes('--quick') ? 3 : 9
const pieceBytes = 16 * 1024
const { bytes, steps } = wordyPlan(10e6)
const chunks = []
for (let from = 0; from < bytes.length; from += pieceBytes) chunks.push(bytes.subarray(from, from + pieceBytes))

const names = ['json-parse', 'core', ...(installPeers() ? ['clarinet', 'streamparser'] : [])]
const readers = await Promise.all(names.map((name) => import(`./readers/${name}.mjs`)))

await printMachine()
console.log(
  `${figure(bytes.length / 1e6)} MB, ${steps.toLocaleString('en')} steps, pieces of 16 KiB, ${rounds} interleaved rounds in one process, medians.\n` +
    'Real: every reader. Made up: the plan. The pieces lie in memory, so "first step" is computing time without any waiting\n' +
    'for a network; a reader of the whole text would have to wait for the last byte besides.',
)
const results = readers.map(() => [])
// One round more than is counted: the first compiles.
for (let round = 0; round <= rounds; ++round) {
  for (const [at, { read, words }] of readers.entries()) {
    let firstMs
    const start = performance.now()
    const found = read(chunks, () => (firstMs = performance.now() - start))
    const allMs = performance.now() - start
    if (found !== steps) throw new Error(`${words}: ${found} of ${steps} steps`)
    if (round > 0) results[at].push({ firstMs, allMs })
  }
}
const all = results.map((times) => median(times.map(({ allMs }) => allMs)))
printTable(
  ['', 'MB/s', 'ms', '× JSON.parse', 'first step, ms'],
  readers.map(({ words }, at) => [
    words,
    figure(bytes.length / 1e3 / all[at]),
    figure(all[at]),
    ratio(all[at], all[0]),
    figure(median(results[at].map(({ firstMs }) => firstMs))),
  ]),
)
for (const [at, name] of names.entries()) {
  const times = (of) => results[of].map(({ allMs }) => allMs)
  if (at > 0) keepRatio('plan-reading', `${name}, all ÷ JSON.parse`, times(at), times(0))
  keep(
    'plan-reading',
    `${name}, first step`,
    results[at].map(({ firstMs }) => firstMs),
    'ms',
  )
}
