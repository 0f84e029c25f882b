// Five independent files in build mode, each half a minute of work at its provider: what running them side by side comes to.
//   node tests/bench/mission.mjs [--quick]      --quick: twenty times as fast
import { figure, printMachine, printTable } from './lib/print.mjs'
import { projectFile, runPlan, simulatorProfiles } from './lib/product.mjs'

const quick = process.argv.includes('--quick')
const targetMs = 40_000
const profile = { ...simulatorProfiles.mission, ...(quick ? { timeScale: 0.05 } : {}) }
const plan = projectFile('examples/plans/mission.json')
/** Simulated time of real time: the profile may run faster than the clock. */
const simulated = (ms) => ms / profile.timeScale

await printMachine()
console.log(
  `Profile "mission", time × ${profile.timeScale}. Real: the plan, the core, the driver, the clients, HTTP over a loopback socket, the\n` +
    'clock. Simulated: the providers, and so every duration below; none says anything about a provider.',
)
if (quick)
  console.log(
    'Faster than the clock: what is real, the start of the process above all, weighs twenty times as much below.',
  )
const started = performance.now()
const { outcome, report } = await runPlan(plan, { mode: 'build', config: {}, simulate: profile })
const wallMs = performance.now() - started
if (outcome !== 'ok') throw new Error(`the run came to ${outcome}`)

const seconds = (ms) => `${figure(simulated(ms) / 1000)} s`
const calls = report.steps.flatMap((step) => step.calls.map((call) => ({ id: step.id, ...call })))
const longest = Math.max(...calls.map(({ responseMs }) => responseMs ?? 0))
printTable(
  ['step', 'provider', 'queued', 'first token', 'response', 'tokens out'],
  calls.map(({ id, provider, queueMs, firstTokenMs, responseMs, tokens }) => [
    id,
    provider,
    ...[queueMs, firstTokenMs, responseMs].map((ms) => (ms === null ? '–' : seconds(ms))),
    String(tokens.output),
  ]),
)
const met = simulated(report.makespanMs) <= targetMs
console.log(`work        ${seconds(report.sumOfStepsMs)} (sum of the steps)`)
console.log(`makespan    ${seconds(report.makespanMs)}; target ≤ ${targetMs / 1000} s: ${met ? 'met' : 'MISSED'}`)
console.log(`speed-up    ${figure(report.sumOfStepsMs / report.makespanMs)}× of ${calls.length}`)
console.log(`our share   ${figure(report.makespanMs - longest)} ms real: makespan less the longest call`)
console.log(`all in      ${figure(wallMs / 1000)} s real: with loading the core, starting and stopping the simulator`)
