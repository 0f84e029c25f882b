// The core through WebAssembly with the thinnest host: no driver, no promises, every call answered in the same turn.
import { layeredGraph, planBytes } from '../lib/graph.mjs'
import { CoreRun, decodeCommands, loadCore } from '../lib/product.mjs'

export const words = 'AetherFlow core alone (WebAssembly, answered in place)'
export const input = (count) => planBytes(layeredGraph(count))
export const begin = { mode: 'build', available: ['groq'], concurrency: { groq: 64 } }

const usage = { input: 10, cached: 0, output: 1, reasoning: 0 }
const answer = { finish: 'stop', verdict: 'passed', estimated: false }

export async function round(bytes, work) {
  const module = await loadCore()
  const start = performance.now()
  const core = new CoreRun(module)
  core.begin(begin, 0)
  core.planBytes(bytes, 0)
  core.planEnd(0)
  const built = performance.now()
  for (;;) {
    const commands = decodeCommands(core.drain())
    if (commands.length === 0) break
    for (const command of commands) {
      if (command.kind !== 'call') continue
      work(command.step)
      core.succeeded(command.call, usage, answer, 0)
    }
  }
  const ran = performance.now()
  core.documentText('report')
  for (let from = 0; core.callRows(from, 512).length > 0; from += 512);
  for (let from = 0; core.stepRows(from, 512).length > 0; from += 512);
  const reported = performance.now()
  core.dispose()
  return { buildMs: built - start, runMs: ran - built, reportMs: reported - ran }
}
