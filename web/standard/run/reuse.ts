/** Which outputs of an earlier run still match a plan, so that their steps need no call. */
import type { CoreRun } from '../../../bindings/core.js'
import type { RecalledOutput } from '../../../bindings/driver-options.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { StepInfo } from '../../../bindings/events.js'
import type { Journal } from '../../../bindings/journal/reader.js'
import { filesOf, type DocumentFinder, type FileReader } from '../../../bindings/ports.js'
import { Retriever } from '../../../bindings/retrievals.js'
import { restore } from '../../../bindings/journal/restore.js'
import { RunTexts } from '../../../bindings/run-texts.js'
import { contextFingerprint } from './performer.js'
import { canonical } from '../../../bindings/canonical.js'

export interface ReuseHost {
  /** Undefined: no step with context files matches. */
  readonly files: FileReader | undefined
  /** Undefined: no step that asks for documents matches. */
  readonly documents?: DocumentFinder | undefined
  digest(parts: readonly string[]): string
  /** A fresh core, disposed here. */
  core(): CoreRun
}

/**
 * Outputs of `journal` by step id, of steps that are in `plan` as they were: the same step, after steps that match too, with
 * context files of the same content and the same documents found. Who may answer matters where the plan names it; modes and configured providers do not. Rejects with what the plans are refused for.
 */
export async function reusableOutputs(
  journal: Journal,
  plan: Uint8Array,
  { files, documents, digest, core }: ReuseHost,
): Promise<Map<string, RecalledOutput>> {
  const before = core()
  const after = core()
  const retriever = new Retriever(documents, () => 0)
  try {
    const texts = pastTexts(before, journal)
    const [first] = journal.records
    if (first?.e !== 'begin') return new Map()
    const old = fingerprints(before, texts.steps, digest)
    // Under the options of then: whatever is sent otherwise now is so because of the plan.
    after.beginText(first.options, 0)
    const steps = stepsOf(after, plan)
    const now = fingerprints(after, steps, digest)
    const positions = new Map(texts.steps.map(({ id, step }) => [id, step]))
    const recalled = new Map<string, RecalledOutput>()
    for (const step of inOrder(steps)) {
      const position = positions.get(step.id)
      // What a condition, a list of files or other answers decide is decided anew.
      if (step.written !== undefined) continue
      if (position === undefined || old[position] === undefined || old[position] !== now[step.step]) continue
      const text = texts.outputs[position]
      if (text === undefined) continue
      if (!step.dependencies.every((index) => recalled.has(steps[index]?.id ?? ''))) continue
      const used = texts.files.get(position)
      const sees = step.files.length > 0 || step.documents !== undefined
      if (sees && (used === undefined || used !== (await contextNow(step, files, retriever, digest)))) continue
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
      if (command.kind === 'deliver') texts.deliver(command)
    },
  })
  return texts
}

/** Whether a step of the plan, as far as it came, reads files or documents. `core`: fresh. */
export function namesFiles(core: CoreRun, plan: Uint8Array): boolean {
  try {
    core.planBytes(plan, 0)
  } catch (error) {
    // What stands before its fault counts.
    if (!(error instanceof AetherflowError) || /^(host|run)\./.test(error.code)) throw error
  }
  return core.document<StepInfo[]>('steps').some(({ files, documents }) => files.length > 0 || documents !== undefined)
}

function stepsOf(core: CoreRun, plan: Uint8Array): StepInfo[] {
  core.planBytes(plan, 0)
  core.planEnd(0)
  return core.document('steps')
}

/** What of a step says when it runs and what it may cost, and nothing of it is sent. */
const unsent = [
  ...(['step', 'id', 'priority', 'optional', 'complexity', 'estimatedTokens', 'dependencies'] as const),
  ...(['maxTokens', 'outputFile'] as const),
] as const

/**
 * Of each step by its position: what is sent for it, with that of every step it depends on in the place of its output. The core
 * puts it together as it does for a call, files left out. A step that depends on an unknown one has none.
 */
function fingerprints(core: CoreRun, steps: readonly StepInfo[], digest: ReuseHost['digest']): string[] {
  const result: string[] = []
  for (const info of inOrder(steps)) {
    const { step } = info
    const dependencies = info.dependencies.map((index) => [index, result[index] ?? ''] as const)
    const sent = promptOf(core, step, dependencies)
    if (sent === undefined) continue
    const rest = Object.entries(info).filter(([name]) => !(unsent as readonly string[]).includes(name))
    result[step] = digest([
      sent.system,
      ...[sent.before, sent.task, sent.after],
      canonical(Object.fromEntries(rest)),
      ...dependencies.map(([, of]) => of),
    ])
  }
  return result
}

/** Undefined: the plan broke off before the step could begin. */
function promptOf(core: CoreRun, step: number, dependencies: readonly (readonly [number, string])[]) {
  try {
    return core.promptToLook(step, 0, { files: [], dependencies })
  } catch (error) {
    if (error instanceof AetherflowError && error.code === 'run.unknown_step') return undefined
    throw error
  }
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

/** As the performer makes it; undefined: it cannot be had, which the step will tell when it runs. */
async function contextNow(
  step: StepInfo,
  files: FileReader | undefined,
  retriever: Retriever,
  digest: ReuseHost['digest'],
): Promise<string | undefined> {
  if (files === undefined && step.files.length > 0) return undefined
  try {
    const paths = await filesOf(files, step.files)
    const texts = await Promise.all(paths.map(async (path) => [path, (await files?.read(path)) ?? ''] as const))
    return contextFingerprint(digest, texts, (await retriever.find(step))?.text)
  } catch (error) {
    if (error instanceof AetherflowError) return undefined
    throw error
  }
}
