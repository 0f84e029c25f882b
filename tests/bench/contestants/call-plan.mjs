// A whole call, step to result: the plan's text, the core, the driver, the prompt, our client, the checked answer, the report.
import { check, prompt } from '../lib/calls.mjs'
import { CoreRun, Driver, loadCore, ModelPerformer, systemClock } from '../lib/product.mjs'
import { client } from './call-client.mjs'

export const words = 'our whole step → result'

/** `description`: all of the prompt is the step's own text, which is stripped; `file`: most of it is a context file's. */
const planOf = (count, description, files) => ({
  task_id: 'bench',
  description: 'Independent calls',
  steps: Array.from({ length: count }, (_, at) => ({
    id: `step-${at}`,
    description,
    ...(files.length > 0 ? { context: { files } } : {}),
    type: 'analysis',
    complexity: 0.5,
    estimated_tokens: 100,
    dependencies: [],
  })),
})

/** As `open`, with the prompt's text in a file that the steps share, as plans about code have it. */
export const openWithFile = (options) => open({ ...options, fromFile: true })

export async function open({ url, stream, fromFile = false }) {
  const { client: own, transport } = client(url)
  const module = await loadCore()
  // Made once: a planner's work, not ours. Reading it is ours.
  const plans = new Map()
  const texts = fromFile ? ['Say what is unusual in it.', ['notes.txt']] : [prompt, []]
  const files = { read: () => Promise.resolve(prompt) }
  const bytesOf = (count) => {
    if (!plans.has(count)) plans.set(count, new TextEncoder().encode(JSON.stringify(planOf(count, ...texts))))
    return plans.get(count)
  }
  const run = async (count, concurrency) => {
    const core = new CoreRun(module)
    const performer = new ModelPerformer({ client: () => own, plain: !stream, files })
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
