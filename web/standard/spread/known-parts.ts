/** What a step of a plan would spread into, before its run: for what an earlier run has answered of it. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { StepInfo } from '../../../bindings/events.js'
import type { FileReader } from '../../../bindings/ports.js'
import { itemsOf } from './item-source.js'
import { ItemFault } from './items.js'
import { itemParts, patternParts, type Part } from './parts.js'
import { planTexts } from './plan-texts.js'
import { writtenOf } from './written.js'

/** As texts of a plan. `outputs`: of steps that are known, by id. Without any: the run will tell why. */
export async function knownParts(
  step: StepInfo,
  outputs: ReadonlyMap<string, string>,
  files: FileReader | undefined,
): Promise<readonly Uint8Array[]> {
  try {
    return planTexts(await partsOf(step, outputs, files))
  } catch (error) {
    if (error instanceof ItemFault || error instanceof AetherflowError) return []
    throw error
  }
}

/** Fails as `writtenOf`. */
export const asksVerdict = (step: StepInfo): boolean =>
  writtenOf(step)?.when.some(({ what }) => what === 'verdict') === true

async function partsOf(
  step: StepInfo,
  outputs: ReadonlyMap<string, string>,
  files: FileReader | undefined,
): Promise<readonly Part[]> {
  const written = writtenOf(step)
  if (written === undefined) return []
  const { forEach, pattern } = written
  if (forEach === undefined) return pattern === undefined ? [] : patternParts(written).parts
  const answer = forEach.step === undefined ? undefined : outputs.get(forEach.step)
  return itemParts(written, await itemsOf(forEach, answer, files, []))
}
