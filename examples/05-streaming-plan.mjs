// A plan may still be on its way, as from a planner model: its first steps start before its last byte is there.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runPlan } from '@aetherflow/aetherflow'

const text = await readFile(new URL('plans/five-files.json', import.meta.url), 'utf8')
const folder = fileURLToPath(new URL('plans', import.meta.url))
let started = () => {}
const firstStart = new Promise((resolve) => (started = resolve))

async function* planner() {
  const half = Math.floor(text.length / 2)
  yield text.slice(0, half)
  // Nothing more comes until a step has started: that it comes at all shows the early start.
  const step = await firstStart
  console.log(`${step} started after ${half} of ${text.length} characters`)
  yield text.slice(half)
}

const { outcome, outputs } = await runPlan(planner(), {
  simulate: 'instant',
  folder,
  onEvent: (event) => {
    if (event.type === 'call') started(event.step)
  },
})
console.log(`${outcome}: ${outputs.size} outputs`)
