// µs per step that does nothing: what orchestration itself costs, beside hand-written floors and a peer.
//   node tests/bench/orchestration.mjs [--quick] [1000 | 10000 | 100000 …]
import { runCase } from './lib/child.mjs'
import { installPeers } from './lib/peers.mjs'
import { figure, median, printMachine, printTable, ratio } from './lib/print.mjs'
import { keep, keepRatio } from './lib/results.mjs'

const quick = process.argv.includes('--quick')
const passes = quick ? 1 : 3
const names = ['floor', 'fair', 'json-parse', 'core-alone', 'driver', 'driver-signals']
const sizes = [
  { steps: 1_000, warm: 40 },
  { steps: 10_000, warm: 10 },
  { steps: 100_000, warm: 3 },
]
/** The peer grows quadratically: small sizes, few rounds, and an end. */
const peer = { name: 'langgraph', most: quick ? 1_000 : 10_000, timeoutMs: 60_000 }

const wordsOf = new Map()
for (const name of [...names, peer.name]) wordsOf.set(name, (await import(`./contestants/${name}.mjs`)).words)
const peers = installPeers()
await printMachine()
console.log(
  `Layered random graphs, 3 dependencies a step, 64 at once. Medians of ${passes} interleaved passes, each in a process of\n` +
    'its own. Real: every scheduler, the WebAssembly core, the promises. Simulated: the calls, which answer at once, so no\n' +
    'prompt, network or provider is in any figure. cold = the first run of a process; peak = resident memory after it.',
)
const asked = process.argv.slice(2).map(Number).filter(Number.isFinite)
for (const size of sizes) if (asked.length === 0 || asked.includes(size.steps)) await bench(size)

async function bench({ steps, warm }) {
  const results = new Map(names.map((name) => [name, []]))
  for (let pass = 0; pass < passes; ++pass) {
    for (const name of names) results.get(name).push(await runCase('contestants/case.mjs', [name, steps, warm]))
  }
  if (peers && steps <= peer.most) {
    const [rounds, timeoutMs] = steps > 1_000 ? [0, peer.timeoutMs] : [2, 0]
    // It warns of its own listeners once a node.
    const options = { timeoutMs, flags: ['--expose-gc', '--no-warnings'] }
    results.set(peer.name, [await runCase('contestants/case.mjs', [peer.name, steps, rounds], options)])
  }
  console.log(`\n${steps.toLocaleString('en')} steps`)
  const floor = summary(results.get('floor'), steps)
  const fair = summary(results.get('fair'), steps)
  const head = ['µs per step', 'build', 'run', 'report', 'all', '÷ floor', '÷ fair', 'cold', 'peak MB', 'of it input']
  const rows = [...results].map(([name, cases]) => {
    if (cases.some((result) => result.timedOut)) {
      const least = figure((peer.timeoutMs * 1000) / steps)
      return [wordsOf.get(name), '–', '–', '–', `> ${least}`, '–', '–', '–', '–', '–']
    }
    const { build, run, report, all, cold, peakMb, inputMb } = summary(cases, steps)
    const parts = [build, run, report, all].map(figure)
    return [
      wordsOf.get(name),
      ...parts,
      ratio(all, floor.all),
      ratio(all, fair.all),
      ...[cold, peakMb, inputMb].map(figure),
    ]
  })
  printTable(head, rows)
  // Each pass is a sample: its contestants ran one after the other.
  const passesOf = (name) => results.get(name).map((one) => summary([one], steps))
  const all = (name) => passesOf(name).map((pass) => pass.all)
  for (const name of ['core-alone', 'driver', 'driver-signals']) {
    const told = (what) => `${name}, ${steps} steps, ${what}`
    keepRatio('orchestration', told('all ÷ fair floor'), all(name), all('fair'))
    keepRatio(
      'orchestration',
      told('cold ÷ fair floor'),
      passesOf(name).map(({ cold }) => cold),
      all('fair'),
    )
    keep(
      'orchestration',
      told('peak memory'),
      passesOf(name).map(({ peakMb }) => peakMb),
      'MB',
    )
  }
}

/** Medians over passes and rounds, µs per step. */
function summary(cases, steps) {
  // The first half of the rounds still compiles.
  const rounds = cases.flatMap(({ warm, cold }) => (warm.length > 0 ? warm.slice(warm.length >> 1) : [cold]))
  const micros = (pick, from = rounds) => {
    const values = from.map(pick).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : (median(values) * 1000) / steps
  }
  const total = ({ buildMs, runMs = 0, reportMs = 0 }) => buildMs + runMs + reportMs
  return {
    build: micros(({ buildMs }) => buildMs),
    run: micros(({ runMs }) => runMs),
    report: micros(({ reportMs }) => reportMs),
    all: micros(total),
    cold: micros(
      total,
      cases.map(({ cold }) => cold),
    ),
    peakMb: median(cases.map(({ peakMb }) => peakMb)),
    inputMb: median(cases.map(({ inputMb }) => inputMb)),
  }
}
