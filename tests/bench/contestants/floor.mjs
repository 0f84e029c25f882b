// The floor: what must be done in any case, over plain arrays. Counts missing inputs, calls a function a step, nothing else.
import { layeredGraph } from '../lib/graph.mjs'

export const words = 'ready counters over arrays, by hand'
export const input = layeredGraph

export async function round(dependencies, work) {
  const count = dependencies.length
  const start = performance.now()
  const missing = new Int32Array(count)
  const from = new Int32Array(count + 1)
  for (const inputs of dependencies) for (const input of inputs) from[input + 1]++
  for (let step = 0; step < count; ++step) from[step + 1] += from[step]
  const next = from.slice()
  const successors = new Int32Array(from[count])
  for (let step = 0; step < count; ++step) {
    missing[step] = dependencies[step].length
    for (const input of dependencies[step]) successors[next[input]++] = step
  }
  const built = performance.now()
  const ready = new Int32Array(count)
  let end = 0
  for (let step = 0; step < count; ++step) if (missing[step] === 0) ready[end++] = step
  for (let at = 0; at < end; ++at) {
    work(ready[at])
    for (let edge = from[ready[at]]; edge < from[ready[at] + 1]; ++edge) {
      if (--missing[successors[edge]] === 0) ready[end++] = successors[edge]
    }
  }
  return { buildMs: built - start, runMs: performance.now() - built }
}
