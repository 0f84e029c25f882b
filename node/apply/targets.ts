/**
 * Where the answers of a run belong, and what stood there when it began: `targets.json` in its folder. Written before the first answer
 * is kept, so that nothing that changes meanwhile is taken for what the answer was made for.
 */
import { readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { StepInfo } from '../../bindings/events.js'
import { placingOf } from '../check/placing.js'
import { errorCode } from '../error-code.js'
import { ioError } from '../run/outputs.js'
import { realDisk } from './disk.js'
import { Project, stateOf } from './project.js'

export interface TargetOfStep {
  readonly step: string
  readonly target: string
  readonly edit: 'whole' | 'blocks'
  /** Digest, or `absent`; missing: it could not be looked at. */
  readonly base?: string
}

export interface TargetsFile {
  /** Real path of the project. */
  readonly root: string
  /** In an order in which they can be applied: of the plan, each after those it depends on. */
  readonly steps: readonly TargetOfStep[]
}

export const targetsName = 'targets.json'

/** Each step after those that it depends on, else as in the plan. */
function inOrder(steps: readonly StepInfo[]): StepInfo[] {
  const byPosition = new Map(steps.map((step) => [step.step, step]))
  const order = new Set<StepInfo>()
  const entered = new Set<StepInfo>()
  const waiting = [...steps].reverse()
  for (let step = waiting.at(-1); step !== undefined; step = waiting.at(-1)) {
    if (entered.has(step)) {
      waiting.pop()
      order.add(step)
      continue
    }
    entered.add(step)
    for (const index of step.dependencies) {
      const before = byPosition.get(index)
      if (before !== undefined && !entered.has(before)) waiting.push(before)
    }
  }
  return [...order]
}

/** What stands at the targets of steps now. Fails: host.io_failed, check.invalid. */
export async function targetsNow(steps: readonly StepInfo[], folder: string): Promise<TargetsFile> {
  const root = await realpath(folder).catch((error: unknown) => {
    throw ioError(folder, error)
  })
  const project = new Project(root, realDisk)
  const targets: TargetOfStep[] = []
  for (const step of inOrder(steps)) {
    const { target, edit } = placingOf(step)
    if (target === undefined) continue
    // A link, or what is no file: refused when it is applied, with words.
    const base = await project.read(target).then(stateOf, () => undefined)
    targets.push({ step: step.id, target, edit, ...(base !== undefined && { base }) })
  }
  return { root, steps: targets }
}

/** What is in the folder of a run; undefined: nothing, or nothing that can be read. */
export async function readTargets(folder: string): Promise<TargetsFile | undefined> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(join(folder, targetsName), 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw new AetherflowError('host.io_failed', join(folder, targetsName), errorCode(error))
  }
  const { root, steps } = (value ?? {}) as { root?: unknown; steps?: unknown }
  if (typeof root !== 'string' || !Array.isArray(steps)) return undefined
  return { root, steps: steps.filter(isTarget) }
}

function isTarget(value: unknown): value is TargetOfStep {
  if (typeof value !== 'object' || value === null) return false
  const { step, target, edit, base } = value as Record<string, unknown>
  const fine = typeof step === 'string' && typeof target === 'string' && (edit === 'whole' || edit === 'blocks')
  return fine && (base === undefined || typeof base === 'string')
}

/** What was looked at before stays: a run that goes on began when it began. */
export function joinedTargets(before: TargetsFile | undefined, now: TargetsFile): TargetsFile {
  const known = new Map((before?.root === now.root ? before.steps : []).map((one) => [one.step, one]))
  const steps = now.steps.map((one) => {
    const was = known.get(one.step)
    return was?.target === one.target && was.base !== undefined ? { ...one, base: was.base } : one
  })
  return { root: now.root, steps }
}
