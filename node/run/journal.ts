/**
 * The folder of a run that can be resumed:
 *
 *   journal.jsonl      everything that happened, see bindings/journal/journal.ts
 *   journal-1.jsonl    of an earlier run whose outputs were reused
 *   run.lock.3         who owns the run, see lock.ts
 */
import { randomBytes } from 'node:crypto'
import { copyFile, link, readFile, unlink } from 'node:fs/promises'
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
import { contextFiles } from './context-files.js'
import { errorCode } from '../error-code.js'
import { JournalFile, type SyncPolicy } from './journal-file.js'
import { ioError, sweepParts } from './outputs.js'
import { planBytes, wholePlan, type PlanSource } from '../../web/standard/run/plan-source.js'
import { RunLock } from './lock.js'
import { mustFit, restOf, samePlan } from '../../web/standard/run/resume.js'
import { reusableOutputs } from './reuse.js'
import { packageVersion } from '../version.js'
import { makeFolder } from '../make-folder.js'

export interface RunJournalOptions {
  readonly folder: string
  readonly sync?: SyncPolicy | undefined
  /** Go on with the run of the folder; with a plan, a folder without a run begins one. */
  readonly resume?: boolean | undefined
  /** Go on, and when the plan has changed or steps came to nothing, begin a new run that recalls what still matches. */
  readonly reuse?: boolean | undefined
  /** Take the run from an owner on another machine, of which nobody can say whether it lives. */
  readonly takeOver?: boolean | undefined
  readonly plan: PlanSource | undefined
  /** Name of the plan's file, for people. */
  readonly planName?: string | undefined
  /** Where context files are read from. */
  readonly files?: string | undefined
  readonly simulated?: string | undefined
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
  await makeFolder(folder).catch((error: unknown) => Promise.reject(ioError(folder, error)))
  const lock = await RunLock.acquire(folder, options.takeOver)
  try {
    await sweepParts(folder)
    const bytes = await readIfThere(join(folder, journalName))
    if (bytes === undefined) return await begin(options, lock)
    if (!goesOn(options)) throw standing(folder)
    return await goOn(options, bytes, lock)
  } catch (error) {
    await lock.release()
    throw error
  }
}

const goesOn = ({ resume, reuse }: RunJournalOptions): boolean => resume === true || reuse === true

function standing(folder: string): AetherflowError {
  return new AetherflowError('host.journal', folder, 'there is a run in this folder: use --resume, or another folder')
}

export function nothingThere(folder: string): AetherflowError {
  return new AetherflowError('host.journal', folder, 'there is no run in this folder: name its plan')
}

async function begin(options: RunJournalOptions, lock: RunLock, more: Partial<JournalHeader> = {}): Promise<OpenRun> {
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
  const writer = await create(options, lock, lines.header(header))
  const journal = { writer, start: lines.checksum }
  return opened({ header, plan: planBytes(plan), journal, past: undefined }, options, lock)
}

function create({ folder, sync }: RunJournalOptions, lock: RunLock, start: Uint8Array | string): Promise<JournalFile> {
  return JournalFile.create(join(folder, journalName), start, { sync, fence: () => lock.check() })
}

async function goOn(options: RunJournalOptions, bytes: Uint8Array, lock: RunLock): Promise<OpenRun> {
  const { folder } = options
  const journal = readJournal(bytes, join(folder, journalName))
  const { header, records, dropped } = journal
  mustFit(header, options.simulated, folder)
  const known = journalPlan(records)
  const plan = options.plan === undefined ? undefined : await wholePlan(planBytes(options.plan))
  const rest = known.whole ? new Uint8Array() : restOf(plan, known.bytes, folder)
  const changed = known.whole ? plan !== undefined && !samePlan(plan, known.bytes) : rest === undefined
  const outcome = journalOutcome(journal)
  const cameToLess = outcome !== undefined && outcome !== 'ok' && outcome !== 'cancelled'
  if (changed && options.reuse !== true) throw new AetherflowError('host.plan_changed', folder)
  if (options.reuse === true && (changed || cameToLess)) {
    return await beginAnew({ ...options, plan: plan ?? known.bytes }, journal, lock)
  }
  const kept = resumableRecords(journal)
  const past = { journal, records: kept }
  const common = { header, plan: rest ?? new Uint8Array(), past, damage: dropped }
  if (outcome !== undefined && kept === records.length) return opened({ ...common, journal: undefined }, options, lock)
  const end = journal.after(kept - 1)
  const start = Buffer.concat([bytes.subarray(0, end.bytes), Buffer.from(end.newline ? '' : '\n')])
  const writer = await create(options, lock, start)
  // Recalls stand before the first commands: once there are any, all of them are in the journal.
  const recalling = header.reuses !== undefined && !records.some(({ d }) => d !== undefined)
  const recalled = recalling ? await recallFrom(header.reuses, options, plan ?? known.bytes) : undefined
  return opened({ ...common, journal: { writer, start: end.checksum }, recalled }, options, lock)
}

/** A new run in place of the one that is there, which stays beside it under another name. */
async function beginAnew(options: RunJournalOptions, old: Journal, lock: RunLock): Promise<OpenRun> {
  const { folder, plan } = options
  const files = contextFiles(filesFolder(options, old.header))
  const recalled = await reusableOutputs(old, await wholePlan(planBytes(plan ?? '')), files)
  const reuses = await keepAside(folder)
  const planName = options.planName ?? old.header.plan
  const fresh = await begin({ ...options, planName, files: filesFolder(options, old.header) }, lock, { reuses })
  return { ...fresh, recalled }
}

async function recallFrom(name: string | undefined, options: RunJournalOptions, plan: Uint8Array) {
  // Only a name beside the journal: what stands in the file is no path.
  if (name === undefined || !/^journal-\d+\.jsonl$/.test(name)) return undefined
  const bytes = await readIfThere(join(options.folder, name))
  if (bytes === undefined) return undefined
  const old = readJournal(bytes, name)
  return reusableOutputs(old, plan, contextFiles(filesFolder(options, old.header)))
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

function filesFolder({ folder, files }: RunJournalOptions, header: JournalHeader): string {
  return files ?? resolve(folder, header.files ?? '.')
}

function opened(
  run: Pick<OpenRun, 'header' | 'plan' | 'journal' | 'past'> & Partial<OpenRun>,
  options: RunJournalOptions,
  lock: RunLock,
): OpenRun {
  const writer = run.journal?.writer
  return {
    recalled: undefined,
    damage: undefined,
    files: filesFolder(options, run.header),
    ...run,
    async close() {
      await writer?.close()
      await lock.release()
    },
    async discard() {
      await writer?.close()
      await unlink(join(options.folder, journalName)).catch(() => {})
      await lock.remove()
    },
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw ioError(path, error)
  }
}

/** What the journal in `folder` says of its run; undefined: there is none. Fails as readJournal does. */
export async function peekRun(folder: string): Promise<{ header: JournalHeader; begin: unknown } | undefined> {
  const path = join(folder, journalName)
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  const { header, records } = readJournal(bytes, path)
  const first = records[0]
  return { header, begin: first?.e === 'begin' ? (JSON.parse(first.options) as unknown) : undefined }
}
