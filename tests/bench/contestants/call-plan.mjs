// A whole call, step to result: the plan's text, the core, the driver, the prompt, our client, the checked answer, the report.
import { check, prompt } from '../lib/calls.mjs'
import { CoreRun, Driver, loadCore, ModelPerformer, systemClock } from '../lib/product.mjs'
import { client } from './call-client.mjs'

export const words = 'our whole step → result'

const planOf = (count) => ({
  task_id: 'bench',
  description: 'Independent calls',
  steps: Array.from({ length: count }, (_, at) => ({
    id: `step-${at}`,
    description: prompt,
    type: 'analysis',
    complexity: 0.5,
    estimated_tokens: 100,
    dependencies: [],
  })),
})

export async function open({ url, stream }) {
  const { client: own, transport } = client(url)
  const module = await loadCore()
  // Made once: a planner's work, not ours. Reading it is ours.
  const plans = new Map()
  const bytesOf = (count) => {
    if (!plans.has(count)) plans.set(count, new TextEncoder().encode(JSON.stringify(planOf(count))))
    return plans.get(count)
  }
  const run = async (count, concurrency) => {
    const core = new CoreRun(module)
    const performer = new ModelPerformer({ client: () => own, plain: !stream })
    const begin = { mode: 'build', available: ['groq'], concurrency: { groq: concurrency } }
    const driver = new Driver(core, { clock: systemClock, performer, begin })
    const { outcome, outputs } = await driver.run(bytesOf(count))
    core.dispose()
    if (outcome !== 'ok' || outputs.size !== count)
      throw new Error(`the run came to ${outcome}, ${outputs.size} outputs`)
    for (const text of outputs.values()) check(text)
  }
  return { run, stats: () => transport.stats(), close: () => transport.close() }
}
