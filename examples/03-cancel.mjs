// Cancel a run as soon as its first step is done. What is done stays done; the rest is cancelled, not failed.
import { readFile } from 'node:fs/promises'
import { runPlan } from '@aetherflow/aetherflow'

const plan = await readFile(new URL('plans/diamond.json', import.meta.url), 'utf8')
const controller = new AbortController()

const { outcome, outputs, report } = await runPlan(plan, {
  simulate: 'default',
  signal: controller.signal,
  onEvent: (event) => {
    if (event.type === 'done') controller.abort()
  },
})

console.log(outcome)
for (const { id, state } of report.steps) console.log(`${id}: ${state}`)
console.log(`kept: ${[...outputs.keys()].join(', ')}`)
