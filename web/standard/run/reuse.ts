/** Which outputs of an earlier run still match a plan, so that their steps need no call. */
import type { CoreRun } from '../../../bindings/core.js'
import type { RecalledOutput } from '../../../bindings/driver-options.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { StepInfo } from '../../../bindings/events.js'
import { withTarget } from '../../../bindings/feed.js'
import { spreads } from '../../../bindings/parts-of.js'
import type { Journal } from '../../../bindings/journal/reader.js'
import { filesOf, type DocumentFinder, type FileReader } from '../../../bindings/ports.js'
import { standings } from '../../../bindings/report-rows.js'
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
 * context files of the same content and the same documents found. Who may answer matters where the plan names it; modes and configured
 * providers do not. A step that spreads does so again, and its parts are looked for by what they are asked, wherever they stood.
 * Rejects with what the plans are refused for.
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
    const past = { texts, fingerprints: fingerprints(before, texts.steps, digest), spare: spareSteps(before) }
    // Under the options of then: whatever is sent otherwise now is so because of the plan.
    after.beginText(first.options, 0)
    const steps = stepsOf(after, plan)
    const spread = steps.some(({ written }) => written !== undefined)
      ? await import('../spread/known-parts.js')
      : undefined
    const matching = new Matching(past, after, {
      parts: (step, outputs) => spread?.knownParts(step, outputs, files) ?? Promise.resolve([]),
      asksVerdict: (step) => spread?.asksVerdict(step) === true,
      fingerprints: (all, from, known) => fingerprints(after, all, digest, from, known),
      context: (step) => contextNow(step, files, retriever, digest),
    })
    await matching.more(steps)
    return matching.recalled
  } finally {
    before.dispose()
    after.dispose()
  }
}

interface Past {
  readonly texts: RunTexts
  readonly fingerprints: readonly (string | undefined)[]
  /** Positions of steps that ended because others had decided the matter. */
  readonly spare: ReadonlySet<number>
}

interface Present {
  /** Texts of a plan: what the step spreads into, as far as that is known; `outputs`: of steps that match, by id. */
  parts(step: StepInfo, outputs: ReadonlyMap<string, string>): Promise<readonly Uint8Array[]>
  /** A condition of the step looks at what an audit said. */
  asksVerdict(step: StepInfo): boolean
  fingerprints(steps: readonly StepInfo[], from: number, known: string[]): string[]
  /** Of what the step would be told besides; undefined: it cannot be had. */
  context(step: StepInfo): Promise<string | undefined>
}

class Matching {
  readonly #past: Past
  readonly #core: CoreRun
  readonly #present: Present
  readonly #steps: StepInfo[] = []
  #fingerprints: string[] = []
  readonly #positions: ReadonlyMap<string, number>
  /** Of parts of then: positions by fingerprint, those that are not matched yet. */
  readonly #parts = new Map<string, number[]>()
  /** By id, of steps whose output is what it was: they match, or their parts do. */
  readonly #outputs = new Map<string, string>()
  readonly recalled = new Map<string, RecalledOutput>()

  constructor(past: Past, core: CoreRun, present: Present) {
    this.#past = past
    this.#core = core
    this.#present = present
    const { steps, outputs } = past.texts
    this.#positions = new Map(steps.map(({ id, step }) => [id, step]))
    for (const { step, partOf } of steps) {
      const fingerprint = past.fingerprints[step]
      if (partOf === undefined || fingerprint === undefined || outputs[step] === undefined) continue
      this.#parts.set(fingerprint, [...(this.#parts.get(fingerprint) ?? []), step])
    }
  }

  async more(steps: readonly StepInfo[]): Promise<void> {
    const from = this.#steps.length
    this.#steps.push(...steps)
    this.#fingerprints = this.#present.fingerprints(this.#steps, from, this.#fingerprints)
    for (const step of inOrder(this.#steps, from)) await this.#match(step)
  }

  async #match(step: StepInfo): Promise<void> {
    if (!step.dependencies.every((index) => this.#outputs.has(this.#steps[index]?.id ?? ''))) return
    if (spreads(step)) return this.#spread(step)
    // What an audit said is known of this run's audits alone.
    if (this.#present.asksVerdict(step)) return
    const position = this.#positionOf(step)
    const text = position === undefined ? undefined : this.#past.texts.outputs[position]
    if (position === undefined || text === undefined) return
    const used = this.#past.texts.files.get(position)
    const sees = step.files.length > 0 || step.documents !== undefined
    if (sees && (used === undefined || used !== (await this.#present.context(step)))) return
    this.recalled.set(step.id, { text, files: used })
    this.#outputs.set(step.id, text)
  }

  #positionOf({ step, id, partOf }: StepInfo): number | undefined {
    const fingerprint = this.#fingerprints[step]
    if (fingerprint === undefined) return undefined
    if (partOf !== undefined) return this.#parts.get(fingerprint)?.shift()
    const position = this.#positions.get(id)
    return position !== undefined && this.#past.fingerprints[position] === fingerprint ? position : undefined
  }

  async #spread(step: StepInfo): Promise<void> {
    const from = this.#steps.length
    for (const text of await this.#present.parts(step, this.#outputs)) {
      this.#core.planBytes(text, 0)
      this.#core.planEnd(0)
    }
    const parts = this.#core.document<StepInfo[]>('steps', from).map(withTarget)
    await this.more(parts)
    const position = this.#positions.get(step.id)
    const text = position === undefined ? undefined : this.#past.texts.outputs[position]
    if (position === undefined || text === undefined) return
    const before = this.#past.texts.steps.filter(({ partOf }) => partOf === position)
    if (this.#past.fingerprints[position] !== this.#fingerprints[step.step] || before.length !== parts.length) return
    const asBefore = ({ id }: StepInfo, at: number): boolean =>
      this.#outputs.has(id) || (before[at]?.id === id && this.#past.spare.has(before[at].step))
    if (parts.every(asBefore)) this.#outputs.set(step.id, text)
  }
}

function spareSteps(core: CoreRun): Set<number> {
  return new Set(
    standings(core).flatMap(({ state, reason }, at) => (state === 'skipped' && reason === 'settled' ? [at] : [])),
  )
}

function pastTexts(core: CoreRun, journal: Journal): RunTexts {
  const texts = new RunTexts()
  restore(journal, journal.records.length, {
    core,
    texts,
    emit: () => {},
    begun: () => {},
    planned: () => texts.steps.push(...core.document<StepInfo[]>('steps', texts.steps.length).map(withTarget)),
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
  return core.document<StepInfo[]>('steps').map(withTarget)
}

/** What of a step says when it runs and what it may cost, and nothing of it is sent. */
const unsent = [
  ...(['step', 'id', 'priority', 'optional', 'complexity', 'estimatedTokens', 'dependencies'] as const),
  ...(['maxTokens', 'outputFile', 'partOf'] as const),
] as const

/**
 * Of each step by its position: what is sent for it, with that of every step it depends on in the place of its output. The core
 * puts it together as it does for a call, files left out. A step that depends on an unknown one has none. `from`: the first that is not
 * `known` yet.
 */
function fingerprints(
  core: CoreRun,
  steps: readonly StepInfo[],
  digest: ReuseHost['digest'],
  from = 0,
  known: readonly string[] = [],
): string[] {
  const result = [...known]
  for (const info of inOrder(steps, from)) {
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

/** Those from `from` on, dependencies before their dependents; the core has refused every cycle. */
function inOrder(steps: readonly StepInfo[], from = 0): StepInfo[] {
  const order: StepInfo[] = []
  const rest = from === 0 ? steps : steps.slice(from)
  const open = rest.map(({ dependencies }) => new Set(dependencies.filter((index) => index >= from)))
  const missing = open.map(({ size }) => size)
  const dependents = rest.map((): number[] => [])
  for (const [at, indices] of open.entries()) for (const index of indices) dependents[index - from]?.push(at)
  const ready = rest.filter((_, at) => missing[at] === 0)
  for (let step = ready[0]; step !== undefined; step = ready[order.length]) {
    order.push(step)
    for (const at of dependents[step.step - from] ?? []) {
      const next = rest[at]
      missing[at] = (missing[at] ?? 0) - 1
      if (next !== undefined && missing[at] === 0) ready.push(next)
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
