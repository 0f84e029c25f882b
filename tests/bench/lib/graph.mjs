// The input of the orchestration bench: layered random graphs, the same for every contestant.

/** Numbers in [0, 1) from a seed (mulberry32): every contestant, process and machine gets the same graph. */
export function randomFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * `count` steps in layers of about √count; each step depends on up to three different steps of the layer before.
 * Returns one array of positions a step.
 */
export function layeredGraph(count, seed = 1) {
  const random = randomFrom(seed)
  const width = Math.max(3, Math.ceil(Math.sqrt(count)))
  const dependencies = []
  for (let step = 0; step < count; ++step) {
    const layer = Math.floor(step / width)
    const chosen = new Set()
    const first = (layer - 1) * width
    while (layer > 0 && chosen.size < 3) chosen.add(first + Math.floor(random() * width))
    dependencies.push([...chosen].sort((a, b) => a - b))
  }
  return dependencies
}

export const stepId = (step) => `step-${step}`

/** The same graph as a plan: what a planner would write, with a short description. */
export function planOf(dependencies) {
  return {
    task_id: 'bench',
    description: 'Steps that do nothing',
    steps: dependencies.map((inputs, step) => ({
      id: stepId(step),
      description: `Do nothing, ${step} times over.`,
      type: 'code_generation',
      complexity: 0.5,
      estimated_tokens: 100,
      dependencies: inputs.map(stepId),
    })),
  }
}

/** UTF-8 of the plan. */
export function planBytes(dependencies) {
  return new TextEncoder().encode(JSON.stringify(planOf(dependencies)))
}
