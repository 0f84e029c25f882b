/** Steps that spread into others, and their parts, as the plan tells of both. */
import type { StepInfo } from './events.js'

export const spreads = ({ written }: Pick<StepInfo, 'written'>): boolean =>
  written?.['for_each'] !== undefined || written?.['pattern'] !== undefined

/** Positions of parts by that of the step which they are part of. */
export function partsByStep(steps: readonly Pick<StepInfo, 'step' | 'partOf'>[]): Map<number, number[]> {
  const parts = new Map<number, number[]>()
  for (const { step, partOf } of steps) {
    if (partOf === undefined) continue
    const known = parts.get(partOf)
    if (known === undefined) parts.set(partOf, [step])
    else known.push(step)
  }
  return parts
}
