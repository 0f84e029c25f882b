// Not a scheduler: the share of building that any host pays for turning the plan's text into objects.
import { layeredGraph, planBytes } from '../lib/graph.mjs'

export const words = 'JSON.parse of the same plan text, nothing run'
export const input = (count) => planBytes(layeredGraph(count))
export const runs = false

export async function round(bytes) {
  const start = performance.now()
  const plan = JSON.parse(new TextDecoder().decode(bytes))
  if (!Array.isArray(plan.steps)) throw new Error('no steps')
  return { buildMs: performance.now() - start }
}
