// Run a plan and look at what came out. `simulate` plays the providers: leave it out once a key is set.
import { readFile } from 'node:fs/promises'
import { runPlan } from '@aetherflow/aetherflow'

const plan = await readFile(new URL('plans/diamond.json', import.meta.url), 'utf8')
const { outcome, outputs, report, simulated } = await runPlan(plan, { simulate: 'instant' })

console.log(`${outcome}, simulated: ${simulated}`)
for (const [id, text] of outputs) console.log(`${id}: ${text.length} characters`)
console.log(`cost of the invented answers: ${report.totals.costMicroUsd} micro-USD`)

// A failed step does not throw: the report says what happened to each.
process.exitCode = outcome === 'ok' ? 0 : 1
