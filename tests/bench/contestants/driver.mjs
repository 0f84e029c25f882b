// The product's own path: plan text, WebAssembly, driver, a performer that answers at once. Prompts and providers are left out.
import { layeredGraph, planBytes } from '../lib/graph.mjs'
import { CoreRun, Driver, loadCore, systemClock } from '../lib/product.mjs'
import { begin } from './core-alone.mjs'

export const words = 'AetherFlow (plan text → WebAssembly → driver)'
export const input = (count) => planBytes(layeredGraph(count))

const reply = { text: 'x', usage: { input: 10, cached: 0, output: 1, reasoning: 0 }, finish: 'stop' }

/** `tell`: signals that the performer gives before it answers. */
export async function round(bytes, work, tell = () => {}) {
  const core = new CoreRun(await loadCore())
  const start = performance.now()
  let [built, ran] = [0, 0]
  const performer = {
    perform(ticket, progress) {
      built ||= performance.now()
      tell(progress)
      work(ticket.step.id)
      return Promise.resolve(reply)
    },
  }
  const onEvent = ({ type }) => {
    if (type === 'finish') ran = performance.now()
  }
  const driver = new Driver(core, { clock: systemClock, performer, begin, onEvent })
  const { outcome } = await driver.run(bytes)
  const end = performance.now()
  core.dispose()
  if (outcome !== 'ok') throw new Error(`the run came to ${outcome}`)
  return { buildMs: built - start, runMs: ran - built, reportMs: end - ran }
}
