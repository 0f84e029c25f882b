// What several answers to one question take beside one answer, per pattern:
//   node tests/bench/patterns.mjs
// At most: every step of the plan against the simulator's profile `default`, on the virtual clock (simulated: speeds are inventions, prices
// the table's). At least: as explained. What answers are worth is not measured here.
import { at } from '../../scripts/lib/paths.mjs'
import { printMachine } from './lib/print.mjs'

const { explainPlan, patternOf, readPattern } = await import(at('dist/node/index.js'))
const { patternKinds } = await import(at('dist/web/standard/patterns/index.js'))
const { playRun } = await import(at('dist/node/bench/played-run.js'))
const { simulatorProfiles } = await import(at('dist/web/standard/simulator/index.js'))
const profile = simulatorProfiles.default
const topic = 'Should a small team split its program into services?'

printMachine()
console.log(
  'pattern     calls         tokens ×   money ×   time ×    (simulated: default; beside the first answer alone)',
)
for (const kind of patternKinds) {
  const plan = patternOf(kind, { topic })
  // Without its rules: simulated answers to one question are equal, and would settle it.
  const { until: _until, ...metadata } = plan.metadata
  const run = await playRun({ plan: JSON.stringify({ ...plan, metadata }), profile, seed: 1 })
  const { cost, single } = readPattern(plan.metadata.pattern, run)
  const { range } = await explainPlan(plan, { simulate: 'default', config: {} })
  const times = (of) => (cost[of] / single[of]).toFixed(1).padStart(8)
  const calls = range.least.calls === cost.calls ? `${cost.calls}` : `${range.least.calls} to ${cost.calls}`
  console.log(`${kind.padEnd(10)}  ${calls.padEnd(8)}  ${times('tokens')}  ${times('costMicroUsd')}  ${times('ms')}`)
}
