/** A plan that spreads, on the virtual clock: what it comes to at least, as expected, and at most. */
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { Explanation, PlanRange, RangeCase, RunReport, StepInfo } from '../../../bindings/events.js'
import type { FileReader } from '../../../bindings/ports.js'
import { untilRules, type UntilRule } from '../../../bindings/until.js'
import { anyItem, ItemFault } from './items.js'
import { itemsOf } from './item-source.js'
import { itemParts, patternParts, type Part } from './parts.js'
import { planTexts } from './plan-texts.js'
import { writtenOf, type ForEach, type Written } from './written.js'

export type Case = 'least' | 'expected' | 'most'

/** How likely a rule ends its steps, where it does not say. */
const asLikelyAsNot = 0.5

/** What a check tells of a step that spreads: how many parts it has, or between which numbers. */
export interface SpreadInfo {
  readonly step: string
  readonly least: number
  readonly most: number
}

/** Reads what the steps say. Throws plan.*, host.file_refused for a pattern that no file matches. `files` undefined: nothing is listed. */
export async function checkSpread(core: CoreRun, files: FileReader | undefined): Promise<SpreadInfo[]> {
  const found: SpreadInfo[] = []
  for (const info of core.document<StepInfo[]>('steps')) {
    const written = writtenOf(info)
    if (written === undefined || (written.forEach === undefined && written.pattern === undefined)) continue
    const { forEach } = written
    if (forEach === undefined) {
      const { parts, until } = patternParts(written)
      const spare = spareOf(until)
      found.push({ step: info.id, least: parts.filter(({ id }) => !spare.has(id)).length, most: parts.length })
      continue
    }
    const items = await knownItems(written, forEach, files)
    if (items !== undefined) partsOf(written, items)
    const counts =
      items === undefined ? { least: 0, most: forEach.maxItems } : { least: items.length, most: items.length }
    found.push({ step: info.id, ...counts })
  }
  return found
}

/** Undefined: they are known when the run has come there. */
async function knownItems(
  { info }: Written,
  forEach: ForEach,
  files: FileReader | undefined,
): Promise<readonly unknown[] | undefined> {
  if (forEach.step !== undefined || (forEach.glob !== undefined && files?.list === undefined)) return undefined
  return itemsOf(forEach, undefined, files, []).catch((error: unknown) => {
    if (!(error instanceof AetherflowError)) throw error
    throw new AetherflowError(
      error.code,
      `/steps/${info.step}/for_each`,
      [error.where, error.detail].filter((part) => part !== '').join(': '),
    )
  })
}

function partsOf(written: Written, items: readonly unknown[]): Part[] {
  try {
    return itemParts(written, items)
  } catch (error) {
    if (!(error instanceof ItemFault)) throw error
    throw new AetherflowError('plan.bad_template', `/steps/${written.info.step}/for_each`, error.message)
  }
}

/** Tells a core that has read the plan what its steps spread into, in this case. Gives the rules that end steps. */
export async function spreadOut(core: CoreRun, files: FileReader | undefined, which: Case): Promise<UntilRule[]> {
  const until = untilRules(core.document<{ metadata?: unknown }>('plan').metadata, () => {})
  const skipped: number[] = []
  for (let from = 0; ;) {
    const steps = core.document<StepInfo[]>('steps', from)
    if (steps.length === 0) break
    from += steps.length
    const parts: Part[] = []
    for (const info of steps) {
      const written = writtenOf(info)
      if (written === undefined) continue
      if (written.when.length > 0 && which === 'least') skipped.push(info.step)
      else if (written.forEach !== undefined) parts.push(...(await itemsFor(written, written.forEach, files, which)))
      else if (written.pattern !== undefined) {
        const pattern = patternParts(written)
        parts.push(...pattern.parts)
        until.push(...pattern.until)
      }
    }
    for (const text of planTexts(parts)) {
      core.planBytes(text, 0)
      core.planEnd(0)
    }
  }
  if (which !== 'least') return until
  const ids = core.document<StepInfo[]>('steps').map(({ id }) => id)
  const spare = spareOf(until)
  for (const [step, id] of ids.entries()) if (spare.has(id)) core.cancelStep(step, 0, 1)
  for (const step of skipped) core.cancelStep(step, 0, 2)
  return until
}

async function itemsFor(
  written: Written,
  forEach: ForEach,
  files: FileReader | undefined,
  which: Case,
): Promise<Part[]> {
  const known = await knownItems(written, forEach, files)
  if (known !== undefined) return partsOf(written, known)
  const { maxItems, expectedItems = maxItems } = forEach
  const count = which === 'least' ? 0 : which === 'most' ? maxItems : expectedItems
  const parts = partsOf(
    written,
    Array.from({ length: count }, () => anyItem),
  )
  // Files whose names nobody knows yet weigh nothing here.
  return parts.map(({ context, ...part }) => ({
    ...part,
    ...(context === undefined ? {} : { context: { ...context, files: [] } }),
  }))
}

const spareOf = (until: readonly UntilRule[]): Set<string> =>
  new Set(until.flatMap((rule) => ('settles' in rule ? (rule.settles ?? []) : [])))

/** Of a step: that no rule ends it. */
function neededOf(until: readonly UntilRule[]): (id: string) => number {
  const needed = new Map<string, number>()
  for (const rule of until)
    for (const id of 'settles' in rule ? (rule.settles ?? []) : [])
      needed.set(id, (needed.get(id) ?? 1) * (1 - (rule.likely ?? asLikelyAsNot)))
  return (id) => needed.get(id) ?? 1
}

/** The three cases; `expected` of costs and calls weighs steps by how likely they are needed, its time is that of all. */
export function rangeOf(cases: Readonly<Record<Case, Explanation>>, until: readonly UntilRule[]): PlanRange {
  return {
    least: caseOf(cases.least.report, () => 1),
    expected: caseOf(cases.expected.report, neededOf(until)),
    most: caseOf(cases.most.report, () => 1),
  }
}

function caseOf({ steps, makespanMs }: RunReport, needed: (id: string) => number): RangeCase {
  const carried = steps.filter(({ state }) => state === 'done')
  const sum = (of: (step: RunReport['steps'][number]) => number): number =>
    Math.round(carried.reduce((total, step) => total + of(step) * needed(step.id), 0))
  return {
    steps: sum(({ calls }) => Math.min(1, calls.length)),
    calls: sum(({ calls }) => calls.length),
    costMicroUsd: sum(({ costMicroUsd }) => costMicroUsd),
    makespanMs,
  }
}
