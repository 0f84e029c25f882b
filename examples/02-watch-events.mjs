// Watch a run: iterated instead of awaited, it gives its events. They are the lines of `aetherflow run --json`.
import { readFile } from 'node:fs/promises'
import { runPlan } from '@aetherflow/aetherflow'

const plan = JSON.parse(await readFile(new URL('plans/diamond.json', import.meta.url), 'utf8'))

for await (const event of runPlan(plan, { simulate: 'instant' })) {
  switch (event.type) {
    case 'steps':
      console.log(`the plan has ${event.steps.length} steps`)
      break
    case 'call':
      console.log(`${event.step} goes to ${event.provider}`)
      break
    case 'done':
      console.log(`${event.step} is done`)
      break
    case 'finish':
      console.log(`the run ended: ${event.outcome}`)
  }
}
