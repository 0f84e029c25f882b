// The fair floor: the same work under the conditions of a real scheduler: ids that are texts, promises, at most 64 at once.
import { layeredGraph, planOf } from '../lib/graph.mjs'

export const words = 'Map, text ids, promises, 64 at once, by hand'
export const input = (count) => planOf(layeredGraph(count))

export async function round(plan, work) {
  const start = performance.now()
  const steps = new Map()
  for (const { id, dependencies } of plan.steps) steps.set(id, { id, missing: dependencies.length, successors: [] })
  for (const { id, dependencies } of plan.steps) for (const input of dependencies) steps.get(input).successors.push(id)
  const built = performance.now()
  await run(steps, async (id) => work(id))
  return { buildMs: built - start, runMs: performance.now() - built }
}

function run(steps, perform) {
  const ready = []
  for (const step of steps.values()) if (step.missing === 0) ready.push(step)
  let [at, flying, left] = [0, 0, steps.size]
  return new Promise((resolve, reject) => {
    const pump = () => {
      while (flying < 64 && at < ready.length) {
        const step = ready[at++]
        flying++
        perform(step.id).then(() => settle(step), reject)
      }
      if (left === 0) resolve()
    }
    const settle = (step) => {
      flying--
      left--
      for (const id of step.successors) {
        const next = steps.get(id)
        if (--next.missing === 0) ready.push(next)
      }
      pump()
    }
    pump()
  })
}
