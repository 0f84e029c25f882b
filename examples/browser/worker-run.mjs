// A run inside a worker that is yours: language servers and IDE extensions have one already. `worker: false` keeps the run in
// this thread, so no second worker is started. In a project of your own the import is '@aetherflow/aetherflow'.
import { runPlan } from '../../dist/browser/index.js'

const plan = {
  task_id: 'in-a-worker',
  description: 'Two opinions and what follows from them.',
  steps: [
    { id: 'for', type: 'analysis', description: 'Name three reasons to write tests first.' },
    { id: 'against', type: 'analysis', description: 'Name three reasons not to.' },
    { id: 'rule', type: 'documentation', description: 'One rule: {{steps.for.output}} {{steps.against.output}}' },
  ],
}

const run = runPlan(plan, { worker: false, simulate: 'default' })
for await (const event of run) {
  if (event.type === 'call') postMessage(`${event.step} goes to ${event.provider}`)
  if (event.type === 'done') postMessage(`${event.step} is done`)
}
const { report, outputs } = await run
postMessage(`done: ${report.counts.done} steps, the rule has ${outputs.get('rule')?.length ?? 0} characters`)
