/**
 * Answers become files: each step's whole or not at all, never by a guess, never over what changed since the run began. What is done
 * can be taken back to the byte.
 */
import { AetherflowError } from '../../bindings/errors.js'
import { checkCode } from '../check/syntax.js'
import { fileAfter } from './answer.js'
import { unifiedDiff } from './diff.js'
import type { Disk, FileState } from './disk.js'
import { Ledger, type Applied } from './ledger.js'
import { digestOf, Project, stateOf } from './project.js'

/** An answer with a target. */
export interface Placed {
  readonly step: string
  readonly target: string
  readonly edit: 'whole' | 'blocks'
  /** Digest of the file when the run began, or `absent`; undefined: nobody has looked. */
  readonly base: string | undefined
  readonly answer: string
}

export interface StepChange {
  readonly step: string
  readonly target: string
  /** `same`: it stood there already. */
  readonly outcome: 'applied' | 'same' | 'refused' | 'undone'
  /** Of a refusal. */
  readonly error?: AetherflowError
  /** Unified; '' where nothing changes. */
  readonly diff: string
}

export interface ApplyOptions {
  /** The run's folder. */
  readonly folder: string
  /** Real path of the project. */
  readonly root: string
  readonly disk: Disk
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean | undefined
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(target: string, file: FileState | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return decoder.decode(file.bytes)
  } catch {
    throw new AetherflowError('apply.refused', target, 'it is no text in UTF-8')
  }
}

/** What the ledger says of a target, as far as its file bears it out. */
async function settled(ledger: Ledger, project: Project): Promise<void> {
  for (const entry of ledger.entries) {
    const state = await project.read(entry.target).then(stateOf, () => undefined)
    // It was about to be done when its process ended, and was not.
    const later = ledger.entries.some((other) => other.n > entry.n && other.target === entry.target)
    if (state === entry.before && entry.before !== entry.after && !later) await ledger.undone(entry)
  }
}

/** Applies answers in their order; one that is refused leaves the others alone. Fails: host.io_failed. */
export async function applyAnswers(answers: readonly Placed[], options: ApplyOptions): Promise<StepChange[]> {
  const { folder, root, disk, dryRun } = options
  const project = new Project(root, disk)
  const ledger = await Ledger.open(folder, disk)
  if (dryRun !== true) await settled(ledger, project)
  /** Of a dry run: files as the steps before would leave them. */
  const thought = new Map<string, FileState>()
  const changes: StepChange[] = []
  for (const answer of answers) {
    try {
      changes.push(await applyOne(answer, { project, ledger, thought, dryRun: dryRun === true }))
    } catch (error) {
      if (!(error instanceof AetherflowError) || !error.code.startsWith('apply.')) throw error
      const { step, target } = answer
      changes.push({ step, target, outcome: 'refused', error, diff: '' })
    }
  }
  return changes
}

interface Applying {
  readonly project: Project
  readonly ledger: Ledger
  readonly thought: Map<string, FileState>
  readonly dryRun: boolean
}

async function applyOne(placed: Placed, { project, ledger, thought, dryRun }: Applying): Promise<StepChange> {
  const { step, target, edit, answer } = placed
  const present = thought.get(target) ?? (await project.read(target))
  const text = textOf(target, present)
  const own = [...ledger.entries].reverse().find((entry) => entry.target === target)
  const state = stateOf(present)
  // Done before, by this step: its blocks would not be found in what they made.
  const made = digestOf(new TextEncoder().encode(answer))
  if (own?.step === step && own.after === state && own.answer === made)
    return { step, target, outcome: 'same', diff: '' }
  const known = thought.has(target) || state === placed.base || state === own?.after
  const after = fileAfter(target, edit, text, answer)
  if ('conflict' in after) throw new AetherflowError('apply.conflict', target, after.conflict)
  if (after.text === text) return { step, target, outcome: 'same', diff: '' }
  // Blocks change only lines that stand there as the answer knew them; a whole file would take all changes away.
  if (!known && edit === 'whole') throw new AetherflowError('apply.changed', target)
  if (present !== undefined && (present.mode & 0o200) === 0)
    throw new AetherflowError('apply.refused', target, 'it is read-only')
  await mustParse(target, text, after.text)
  const file = { bytes: new TextEncoder().encode(after.text), mode: present?.mode ?? 0o644 }
  const diff = unifiedDiff(target, text, after.text)
  if (dryRun) thought.set(target, file)
  else await write(placed, { present, file }, project, ledger)
  return { step, target, outcome: 'applied', diff }
}

/** A file that parsed is never replaced by one that does not, nor is a new one made. */
async function mustParse(target: string, before: string | undefined, after: string): Promise<void> {
  const report = await checkCode(target, after)
  const [problem] = report?.syntax ?? []
  if (problem === undefined) return
  const was = before === undefined ? undefined : await checkCode(target, before)
  if (was !== undefined && was.syntax.length > 0) return
  const detail = `afterwards it would not parse: line ${problem.line}: ${problem.what}`
  throw new AetherflowError('apply.conflict', target, detail)
}

async function write(
  { step, target, answer: text }: Placed,
  { present, file }: { readonly present: FileState | undefined; readonly file: FileState },
  project: Project,
  ledger: Ledger,
): Promise<void> {
  const folders = await project.missingFolders(target)
  const [before, after] = [stateOf(present), stateOf(file)]
  const answer = digestOf(new TextEncoder().encode(text))
  const entry = await ledger.add({ step, target, answer, before, after, mode: file.mode, folders }, present)
  try {
    await project.makeFolders(folders)
    await project.replace(target, file, before)
  } catch (error) {
    // Where the new file stands already, what failed came after: it can be taken back like any other.
    if ((await project.read(target).then(stateOf, () => undefined)) !== after) {
      await project.removeFolders(folders)
      await ledger.undone(entry).catch(() => {})
    }
    throw error
  }
}

/** Takes back what was applied, the last first. `only`: of this step. What changed since is refused and stays. */
export async function undoApplied(only: string | undefined, options: ApplyOptions): Promise<StepChange[]> {
  const { folder, root, disk, dryRun } = options
  const project = new Project(root, disk)
  const ledger = await Ledger.open(folder, disk)
  const changes: StepChange[] = []
  const thought = new Map<string, string>()
  for (const entry of [...ledger.entries].reverse()) {
    if (only !== undefined && entry.step !== only) continue
    try {
      changes.push(await undoOne(entry, { project, ledger, thought, dryRun: dryRun === true }))
    } catch (error) {
      if (!(error instanceof AetherflowError) || !error.code.startsWith('apply.')) throw error
      changes.push({ step: entry.step, target: entry.target, outcome: 'refused', error, diff: '' })
    }
  }
  return changes
}

interface Undoing extends Omit<Applying, 'thought'> {
  /** States of files in a dry run. */
  readonly thought: Map<string, string>
}

async function undoOne(entry: Applied, { project, ledger, thought, dryRun }: Undoing): Promise<StepChange> {
  const { step, target, before, after } = entry
  const present = await project.read(target)
  const state = thought.get(target) ?? stateOf(present)
  const change = { step, target, outcome: 'undone', diff: '' } as const
  if (state === before && before !== after) {
    // Never done, or taken back by a process that ended before it said so.
    if (!dryRun) await forget(entry, project, ledger)
    return { ...change, outcome: 'same' }
  }
  if (state !== after) throw new AetherflowError('apply.changed', target)
  const bytes = before === 'absent' ? undefined : await ledger.before(entry)
  if (before !== 'absent' && stateOf(bytes) !== before)
    throw new AetherflowError('apply.changed', target, 'the bytes that it replaced are not in the folder of the run')
  if (dryRun) thought.set(target, before)
  else {
    if (bytes === undefined) await project.remove(target, after)
    else await project.replace(target, bytes, after)
    await forget(entry, project, ledger)
  }
  return change
}

async function forget(entry: Applied, project: Project, ledger: Ledger): Promise<void> {
  await project.removeFolders(entry.folders)
  await ledger.undone(entry)
}
