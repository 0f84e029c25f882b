/** Which outputs of an earlier run still match a plan, so that their steps need no call. */
import { CoreRun } from '../../bindings/core.js'
import type { RecalledOutput } from '../../bindings/driver.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { StepInfo } from '../../bindings/events.js'
import { journalPlan, type Journal } from '../../bindings/journal/reader.js'
import type { FileReader } from '../../bindings/ports.js'
import { restore } from '../../bindings/journal/restore.js'
import { RunTexts, sharedFrom } from '../../bindings/run-texts.js'
import { canonical } from '../../web/standard/run/resume.js'
import { digest } from '../digest.js'
import { loadCore } from '../loader.js'

/**
 * Outputs of `journal` by step id, of steps that are in `plan` as they were: the same step, after steps that match too, with
 * context files of the same content. Modes and providers do not matter. Rejects with what the plans are refused for.
 */
export async function reusableOutputs(
  journal: Journal,
  plan: Uint8Array,
  files: FileReader,
): Promise<Map<string, RecalledOutput>> {
  const module = await loadCore()
  const before = new CoreRun(module)
  const after = new CoreRun(module)
  try {
    const texts = pastTexts(before, journal)
    const old = fingerprints(texts.steps, journalPlan(journal.records).bytes)
    const steps = stepsOf(after, plan)
    const now = fingerprints(steps, plan)
    const positions = new Map(texts.steps.map(({ id, step }) => [id, step]))
    const recalled = new Map<string, RecalledOutput>()
    for (const step of inOrder(steps)) {
      const position = positions.get(step.id)
      if (position === undefined || old[position] !== now[step.step]) continue
      const text = texts.outputs[position]
      if (text === undefined) continue
      if (!step.dependencies.every((index) => recalled.has(steps[index]?.id ?? ''))) continue
      const used = texts.files.get(position)
      if (step.files.length > 0 && (used === undefined || used !== (await filesNow(step, files)))) continue
      recalled.set(step.id, { text, files: used })
    }
    return recalled
  } finally {
    before.dispose()
    after.dispose()
  }
}

function pastTexts(core: CoreRun, journal: Journal): RunTexts {
  const texts = new RunTexts()
  restore(journal, journal.records.length, {
    core,
    texts,
    emit: () => {},
    begun: () => {},
    planned: () => texts.steps.push(...core.document<StepInfo[]>('steps', texts.steps.length)),
    carryOut: (command) => {
      if (command.kind === 'deliver') texts.deliver(command.step, sharedFrom(command))
    },
  })
  return texts
}

function stepsOf(core: CoreRun, plan: Uint8Array): StepInfo[] {
  core.planBytes(plan, 0)
  core.planEnd(0)
  return core.document('steps')
}

/** Of each step by its position: what it is, what the plan says to all, and the same of everything it depends on. */
function fingerprints(steps: readonly StepInfo[], plan: Uint8Array): string[] {
  const value = JSON.parse(new TextDecoder().decode(plan)) as { description?: unknown; steps: unknown[] }
  const result: string[] = []
  for (const { step, dependencies } of inOrder(steps)) {
    const own = [canonical(value.steps[step]), canonical(value.description ?? '')]
    result[step] = digest([...own, ...dependencies.map((index) => result[index] ?? '')])
  }
  return result
}

/** Dependencies before their dependents; the core has refused every cycle. */
function inOrder(steps: readonly StepInfo[]): StepInfo[] {
  const order: StepInfo[] = []
  const missing = steps.map(({ dependencies }) => new Set(dependencies).size)
  const dependents = steps.map((): number[] => [])
  for (const { step, dependencies } of steps) for (const index of new Set(dependencies)) dependents[index]?.push(step)
  const ready = steps.filter(({ step }) => missing[step] === 0)
  for (let step = ready.pop(); step !== undefined; step = ready.pop()) {
    order.push(step)
    for (const index of dependents[step.step] ?? []) {
      const next = steps[index]
      missing[index] = (missing[index] ?? 0) - 1
      if (next !== undefined && missing[index] === 0) ready.push(next)
    }
  }
  return order
}

/** As the performer makes it; undefined: they cannot be read, which the step will tell when it runs. */
async function filesNow(step: StepInfo, files: FileReader): Promise<string | undefined> {
  try {
    const texts = await Promise.all(step.files.map(async (path) => [path, await files.read(path)]))
    return digest(texts.flat())
  } catch (error) {
    if (error instanceof AetherflowError) return undefined
    throw error
  }
}
