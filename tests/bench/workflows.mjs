// The 44 real workflow graphs of WfCommons on the virtual clock: makespan beside what no schedule can beat.
//   node tests/bench/workflows.mjs [CAPACITY …]      default: 4 16 64; the table of single graphs is for the second
import { figure, median, printMachine, printTable } from './lib/print.mjs'
import { CoreRun, Driver, loadCore, sharedFile } from './lib/product.mjs'
import { VirtualClock } from './lib/virtual-clock.mjs'
import { bounds, listSchedule, planOfWorkflow } from './lib/workflow.mjs'

const data = sharedFile('data/workflows/wfinstances-dag.json')
if (data === undefined) {
  console.log(
    'SKIPPED: no ../shared/data/workflows/wfinstances-dag.json; set AETHERFLOW_SHARED to the folder that holds data/',
  )
  process.exit(0)
}
const asked = process.argv.slice(2).filter((word) => /^[1-9]\d*$/.test(word))
const capacities = (asked.length > 0 ? asked : [4, 16, 64]).map(Number)
const detailed = capacities[Math.min(1, capacities.length - 1)]
const workflows = Object.entries(JSON.parse(data)).map(([name, { tasks }]) => ({ name, tasks }))
const module = await loadCore()

await printMachine()
console.log(
  'Real: the graphs and run times of 44 recorded workflows (WfCommons), the core, the driver. Simulated: the clock, and the\n' +
    'calls, which last as long as the recorded task did; estimates are exact to 10 ms. Bound: the longer of the critical path\n' +
    'and total ÷ capacity; no schedule beats it, and often none can reach it. File order: the same dispatch, first come first served.',
)
const started = performance.now()
for (const capacity of capacities) await bench(capacity)
console.log(`\n${figure((performance.now() - started) / 1000)} s real for ${capacities.length * workflows.length} runs`)

async function bench(capacity) {
  const results = []
  for (const { name, tasks } of workflows) {
    const { criticalMs, totalMs } = bounds(tasks)
    const boundMs = Math.max(criticalMs, Math.ceil(totalMs / capacity))
    const makespanMs = await makespan(tasks, capacity)
    if (makespanMs < boundMs) throw new Error(`${name}: ${makespanMs} ms is below the bound of ${boundMs} ms`)
    results.push({ name, tasks, criticalMs, totalMs, boundMs, makespanMs, fileMs: listSchedule(tasks, capacity) })
  }
  console.log(`\n${capacity} at once`)
  if (capacity === detailed) printRows(results, capacity)
  const over = results.map(({ makespanMs, boundMs }) => makespanMs / boundMs)
  const file = results.map(({ fileMs, boundMs }) => fileMs / boundMs)
  const atBound = over.filter((value) => value < 1.0005).length
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  const words = (values) =>
    `mean ${mean(values).toFixed(3)}, median ${median(values).toFixed(3)}, worst ${Math.max(...values).toFixed(3)} × the bound`
  console.log(`AetherFlow  ${words(over)}; ${atBound} of ${over.length} within 0.05 % of it`)
  console.log(`file order  ${words(file)}`)
}

function printRows(results, capacity) {
  const seconds = (ms) => (ms / 1000).toFixed(1)
  printTable(
    ['s', 'tasks', 'critical path', `total ÷ ${capacity}`, 'makespan', '÷ bound', 'file order ÷ bound'],
    results.map(({ name, tasks, criticalMs, totalMs, boundMs, makespanMs, fileMs }) => [
      name,
      String(tasks.length),
      ...[criticalMs, totalMs / capacity, makespanMs].map(seconds),
      (makespanMs / boundMs).toFixed(3),
      (fileMs / boundMs).toFixed(3),
    ]),
  )
}

/** Runs one workflow through core and driver; ms of virtual time. */
async function makespan(tasks, capacity) {
  const { bytes, begin, durations } = planOfWorkflow(tasks, capacity)
  const clock = new VirtualClock()
  const reply = { text: 'x', usage: { input: 1, cached: 0, output: 1, reasoning: 0 }, finish: 'stop' }
  const performer = {
    perform: ({ step }) => new Promise((resolve) => clock.after(durations[step.step], () => resolve(reply))),
  }
  const core = new CoreRun(module)
  const driver = new Driver(core, { clock, performer, begin })
  const { outcome, report } = await clock.passUntil(driver.run(bytes))
  core.dispose()
  if (outcome !== 'ok' || report.counts.done !== tasks.length) throw new Error(`${outcome}, ${report.counts.done} done`)
  return report.makespanMs
}
