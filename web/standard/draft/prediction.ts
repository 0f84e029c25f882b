/** Predicted outputs: a step that writes a file again tells its provider the old one, of which most will come again. */
import type { StepInfo } from '../../../bindings/events.js'
import type { Purpose } from '../../../bindings/generated/wire.js'
import { draftUse, type DraftUses } from './use.js'

/**
 * The context file that has the name of the step's output, where there is exactly one and drafts are wanted. Of another kind than a
 * draft: the model itself writes every token, so nothing has to be verified; it is only sooner.
 */
export function predictionOf(
  step: StepInfo,
  purpose: Purpose,
  files: readonly (readonly [path: string, text: string])[],
  uses: DraftUses | undefined,
): string | undefined {
  const name = step.outputFile
  if (name === undefined || !(purpose === 'main' || purpose === 'hedge' || purpose === 'repair')) return undefined
  if (draftUse(step, uses) === 'off') return undefined
  const old = files.filter(([path]) => path.slice(path.lastIndexOf('/') + 1) === name)
  return old.length === 1 ? old[0]![1] : undefined
}
