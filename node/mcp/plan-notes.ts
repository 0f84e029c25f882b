/** What a check tells a model beside errors and warnings: mistakes that are lawful. */
import type { StepInfo } from '../../bindings/events.js'
import { short } from './answers.js'
import type { GivenPlan } from './plan-argument.js'

/** Where the text begins that is meant, when words stand around it. */
export function proseNote({ begins }: GivenPlan): string[] {
  if (begins === undefined) return []
  return [
    `the plan seems to begin at character ${begins}: give the JSON object alone, without words or fences around it`,
  ]
}

const mostNotes = 5

/**
 * Dependencies whose output no template of the step takes: it is appended whole, and the step waits for it. Right for steps that sum
 * up, a mistake where the order alone was meant.
 */
export function dependencyNotes(plan: Uint8Array, steps: readonly StepInfo[]): string[] {
  const written = descriptions(plan)
  if (written === undefined) return []
  const notes = steps.flatMap(({ step, id, dependencies }) => {
    const text = written[step]
    if (text === undefined) return []
    const taken = new Set([...text.matchAll(/\{\{\s*steps\.([^}\s]+?)\.output/g)].map(([, name]) => name))
    // Without any template all is appended on purpose.
    if (taken.size === 0) return []
    return dependencies.flatMap((index, at) => {
      const needed = steps[index]?.id ?? ''
      if (taken.has(needed)) return []
      return [
        `note /steps/${step}/dependencies/${at}: "${short(id, 40)}" waits for "${short(needed, 40)}" and gets its whole output appended; if it does not read it, take the dependency out`,
      ]
    })
  })
  return notes.length <= mostNotes ? notes : [...notes.slice(0, mostNotes), `… ${notes.length - mostNotes} more notes`]
}

/** By the order of the plan. */
function descriptions(plan: Uint8Array): (string | undefined)[] | undefined {
  try {
    const { steps } = JSON.parse(new TextDecoder().decode(plan)) as { steps: { description?: unknown }[] }
    return steps.map(({ description }) => (typeof description === 'string' ? description : undefined))
  } catch {
    return undefined
  }
}
