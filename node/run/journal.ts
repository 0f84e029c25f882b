/**
 * The folder of a run that can be resumed:
 *
 *   journal.jsonl      everything that happened, see bindings/journal/journal.ts
 *   journal-1.jsonl    of an earlier run whose outputs were reused
 *   run.lock.3         who owns the run, see lock.ts
 */
import { randomBytes } from 'node:crypto'
import { copyFile, link, readFile, realpath, unlink } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { DriverOptions, RecalledOutput } from '../../bindings/driver.js'
import { AetherflowError } from '../../bindings/errors.js'
import {
  journalOutcome,
  journalPlan,
  readJournal,
  resumableRecords,
  type Journal,
  type JournalDamage,
} from '../../bindings/journal/reader.js'
import { JournalLines, type JournalHeader } from '../../bindings/journal/journal.js'
import type { FileReader } from '../../bindings/ports.js'
import { contextFiles, type ContextOptions } from './context-files.js'
import { errorCode } from '../error-code.js'
import { JournalFile, type SyncPolicy } from './journal-file.js'
import { ioError, sweepParts } from './outputs.js'
import { planBytes, wholePlan, type PlanSource } from '../../web/standard/run/plan-source.js'
import { mustFit, restOf, samePlan } from '../../web/standard/run/resume.js'
import { namesFiles, reusableOutputs } from './reuse.js'
import { packageVersion } from '../version.js'
import { RunFolder } from './run-folder.js'
import { patiently } from '../patience.js'

export interface RunJournalOptions {
  readonly folder: string
  readonly sync?: SyncPolicy | undefined
  /** Go on with the run of the folder; with a plan, a folder without a run begins one. */
  readonly resume?: boolean | undefined
  /** Go on, and when the plan has changed or steps came to nothing, begin a new run that recalls what still matches. */
  readonly reuse?: boolean | undefined
  /** With `reuse`: begin a new run in any case, since the one that is there may spend more than it is to. */
  readonly anew?: boolean | undefined
  /** Take the run from an owner on another machine, of which nobody can say whether it lives. */
  readonly takeOver?: boolean | undefined
  /** Of whoever has taken the folder already, and lets go of it afterwards; absent: it is taken, and let go of, here. */
  readonly owner?: RunFolder | undefined
  readonly plan: PlanSource | undefined
  /** Name of the plan's file, for people. */
  readonly planName?: string | undefined
  /** Where context files are read from; absent: the working folder. What a journal says of it is only compared. */
  readonly files?: string | undefined
  readonly simulated?: string | undefined
  /** Which of them may be read. */
  readonly context?: ContextOptions | undefined
}

/** A run that is ready to be driven, and owned by this process. */
export interface OpenRun {
  readonly header: JournalHeader
  /** What is to be fed of the plan. */
  readonly plan: Uint8Array | AsyncIterable<Uint8Array>
  readonly journal: DriverOptions['journal']
  readonly past: DriverOptions['past']
  readonly recalled: ReadonlyMap<string, RecalledOutput> | undefined
  /** Folder of the context files. */
  readonly files: string
  /** What of the journal was damaged and left out. */
  readonly damage: JournalDamage | undefined
  close(): Promise<void>
  /** Closes, and takes the journal back: of a run that never came to anything. */
  discard(): Promise<void>
}

export const journalName = 'journal.jsonl'

/**
 * Opens the run in `folder`, a new one or the one that is there. Fails: host.run_locked, host.journal (there is a run already, or
 * none, or not one like this), host.journal_damaged, host.plan_changed, host.io_failed.
 */
export async function openRun(options: RunJournalOptions): Promise<OpenRun> {
  const { folder } = options
  // Refused before anything is left in the folder: one that is not to be gone on with, and one without anything to begin.
  const there = await readIfThere(join(folder, journalName))
  if (there !== undefined && !goesOn(options)) throw standing(folder)
  if (there === undefined && options.plan === undefined) throw nothingThere(folder)
  const { owner } = options
  const hold = owner === undefined ? await RunFolder.take(folder, options.takeOver) : lent(owner)
  try {
    await sweepParts(folder)
    const bytes = await readIfThere(join(folder, journalName))
    if (bytes === undefined) return await begin(options, hold)
    if (!goesOn(options)) throw standing(folder)
    return await goOn(options, bytes, hold)
  } catch (error) {
    await hold.release()
    throw error
  }
}

/** The folder of a run; one that somebody else has taken is let go of by them. */
type Hold = Pick<RunFolder, 'lock' | 'release' | 'giveBack'>

const nothing = (): Promise<void> => Promise.resolve()
const lent = ({ lock }: RunFolder): Hold => ({ lock, release: nothing, giveBack: nothing })

const goesOn = ({ resume, reuse }: RunJournalOptions): boolean => resume === true || reuse === true

export function standing(folder: string): AetherflowError {
  return new AetherflowError(
    'host.journal',
    folder,
    'there is a run in this folder: add --resume to go on with it, or name another',
  )
}

export function nothingThere(folder: string): AetherflowError {
  return new AetherflowError('host.journal', folder, 'there is no run in this folder: name its plan')
}

async function begin(options: RunJournalOptions, hold: Hold, more: Partial<JournalHeader> = {}): Promise<OpenRun> {
  const { folder, plan, planName, simulated, files = '.' } = options
  if (plan === undefined) throw nothingThere(folder)
  const header: JournalHeader = {
    aetherflow: packageVersion(),
    journal: 1,
    run: randomBytes(16).toString('hex'),
    startedAt: new Date().toISOString(),
    ...(planName === undefined ? {} : { plan: planName }),
    ...(simulated === undefined ? {} : { simulated }),
    files: relative(resolve(folder), resolve(files)) || '.',
    ...more,
  }
  const lines = new JournalLines()
  const writer = await create(options, hold, lines.header(header))
  const journal = { writer, start: lines.checksum }
  return opened({ header, plan: planBytes(plan), journal, past: undefined }, options, hold)
}

function create({ folder, sync }: RunJournalOptions, { lock }: Hold, start: Uint8Array | string): Promise<JournalFile> {
  return JournalFile.create(join(folder, journalName), start, { sync, fence: () => lock.check() })
}

async function goOn(asked: RunJournalOptions, bytes: Uint8Array, hold: Hold): Promise<OpenRun> {
  const { folder } = asked
  const journal = readJournal(bytes, join(folder, journalName))
  const { header, records, dropped } = journal
  const files = await filesFolder(asked, journal)
  const options = { ...asked, files }
  mustFit(header, asked.simulated, folder)
  const known = journalPlan(records)
  const plan = options.plan === undefined ? undefined : await wholePlan(planBytes(options.plan))
  const rest = known.whole ? new Uint8Array() : restOf(plan, known.bytes, folder)
  const changed = known.whole ? plan !== undefined && !samePlan(plan, known.bytes) : rest === undefined
  const outcome = journalOutcome(journal)
  const cameToLess = outcome !== undefined && outcome !== 'ok' && outcome !== 'cancelled'
  if (changed && options.reuse !== true) throw new AetherflowError('host.plan_changed', folder)
  if (options.reuse === true && (changed || cameToLess || options.anew === true)) {
    return await beginAnew({ ...options, plan: plan ?? known.bytes }, journal, hold)
  }
  const kept = resumableRecords(journal)
  const past = { journal, records: kept }
  const common = { header, plan: rest ?? new Uint8Array(), past, damage: dropped }
  if (outcome !== undefined && kept === records.length) return opened({ ...common, journal: undefined }, options, hold)
  const end = journal.after(kept - 1)
  const start = Buffer.concat([bytes.subarray(0, end.bytes), Buffer.from(end.newline ? '' : '\n')])
  const writer = await create(options, hold, start)
  // Recalls stand before the first commands: once there are any, all of them are in the journal.
  const recalling = header.reuses !== undefined && !records.some(({ d }) => d !== undefined)
  const recalled = recalling ? await recallFrom(header.reuses, options, plan ?? known.bytes) : undefined
  return opened({ ...common, journal: { writer, start: end.checksum }, recalled }, options, hold)
}

/** A new run in place of the one that is there, which stays beside it under another name. */
async function beginAnew(options: RunJournalOptions, old: Journal, hold: Hold): Promise<OpenRun> {
  const { folder, plan } = options
  const recalled = await reusableOutputs(old, await wholePlan(planBytes(plan ?? '')), reader(options))
  const reuses = await keepAside(folder)
  const planName = options.planName ?? old.header.plan
  const fresh = await begin({ ...options, planName }, hold, { reuses })
  return { ...fresh, recalled }
}

const reader = ({ files = '.', context }: RunJournalOptions): FileReader => contextFiles(files, context)

async function recallFrom(name: string | undefined, options: RunJournalOptions, plan: Uint8Array) {
  // Only a name beside the journal: what stands in the file is no path.
  if (name === undefined || !/^journal-\d+\.jsonl$/.test(name)) return undefined
  const bytes = await readIfThere(join(options.folder, name))
  if (bytes === undefined) return undefined
  const old = readJournal(bytes, name)
  return reusableOutputs(old, plan, reader(options))
}

/** Gives the journal a second name, which it keeps when a new one takes the first. */
async function keepAside(folder: string): Promise<string> {
  const path = join(folder, journalName)
  for (let n = 1; ; ++n) {
    const name = `journal-${n}.jsonl`
    try {
      await link(path, join(folder, name))
      return name
    } catch (error) {
      const code = errorCode(error)
      if (code === 'EEXIST') continue
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP')
        throw ioError(path, error)
      await copyFile(path, join(folder, name))
      return name
    }
  }
}

/**
 * Where context files are read from. A folder of a run may come from somebody else, so its journal does not decide that: it has to
 * agree with what the user named, or with where he stands.
 */
async function filesFolder({ folder, files }: RunJournalOptions, { header, records }: Journal): Promise<string> {
  if (files !== undefined) return files
  const [here, was] = [process.cwd(), resolve(folder, header.files ?? '.')]
  if ((await samePlace(here, was)) || !(await namesFiles(journalPlan(records).bytes))) return here
  const detail = `the steps of this run read files in ${was}: if they may, say so with --files ${was} (folder), or name the plan`
  throw new AetherflowError('host.usage', '--files', detail)
}

async function samePlace(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((path) => realpath(path).catch(() => undefined)))
  return first !== undefined && first === second
}

function opened(
  run: Pick<OpenRun, 'header' | 'plan' | 'journal' | 'past'> & Partial<OpenRun>,
  options: RunJournalOptions,
  hold: Hold,
): OpenRun {
  const writer = run.journal?.writer
  return {
    recalled: undefined,
    damage: undefined,
    files: options.files ?? process.cwd(),
    ...run,
    async close() {
      await writer?.close()
      await hold.release()
    },
    async discard() {
      await writer?.close()
      await unlink(join(options.folder, journalName)).catch(() => {})
      await hold.giveBack()
    },
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await patiently(() => readFile(path))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw ioError(path, error)
  }
}

/** What a journal says of its run. `planWhole`: the end of its plan had come. */
export interface KnownRun {
  readonly header: JournalHeader
  readonly begin: unknown
  readonly planWhole: boolean
}

/** What the journal in `folder` says of its run; undefined: there is none. Fails as readJournal does. */
export async function peekRun(folder: string): Promise<KnownRun | undefined> {
  const path = join(folder, journalName)
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  const { header, records } = readJournal(bytes, path)
  const first = records[0]
  const begin = first?.e === 'begin' ? (JSON.parse(first.options) as unknown) : undefined
  return { header, begin, planWhole: records.some(({ e }) => e === 'planEnd') }
}
