/** Runs that outlive their tab: opened by name, gone on with, listed, deleted. A part by itself, see load-part.ts. */
import type { DriverOptions } from '../../../bindings/driver.js'
import { AetherflowError } from '../../../bindings/errors.js'
import {
  journalOutcome,
  journalPlan,
  readJournal,
  resumableRecords,
  type Journal,
  type JournalDamage,
} from '../../../bindings/journal/reader.js'
import { JournalLines, journalVersion, type JournalHeader } from '../../../bindings/journal/journal.js'
import { wholePlan } from '../../standard/run/plan-source.js'
import { mustFit, restOf, samePlan } from '../../standard/run/resume.js'
import { given, type Database } from '../indexeddb/database.js'
import {
  journalDatabase,
  journalError,
  journalStores,
  linesOf,
  readRow,
  replaceLines,
  type LinesRow,
  type RunRow,
} from './journal-database.js'
import { lockedRuns, lockRun } from './journal-lock.js'
import { JournalInDatabase } from './journal-writer.js'
import type { KeptRun } from '../options.js'

export interface StartOptions {
  readonly plan: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly simulated: string | undefined
  readonly planName: string | undefined
  /** Version of AetherFlow. */
  readonly version: string
}

/** What the driver is given. */
export interface StartedRun {
  readonly header: JournalHeader
  /** What is to be fed of the plan. */
  readonly plan: Uint8Array | AsyncIterable<Uint8Array>
  readonly journal: DriverOptions['journal']
  readonly past: DriverOptions['past']
  /** The lines that are there already, its header's at least. */
  readonly before: string
}

/** A run by its name, owned by who opened it until `close`. */
export class RunPlace {
  readonly name: string
  /** What is there of the run; undefined: it is to begin. */
  readonly known: Journal | undefined
  /** Its options document. */
  readonly begin: unknown
  readonly #bytes: Uint8Array
  readonly #database: Database
  readonly #release: () => void
  #row: RunRow | undefined
  #journal: JournalInDatabase | undefined

  private constructor(name: string, database: Database, there: Kept | undefined, release: () => void) {
    this.name = name
    this.#database = database
    this.#release = release
    this.#row = there?.row
    this.#bytes = there?.bytes ?? new Uint8Array()
    this.known = there === undefined ? undefined : readJournal(there.bytes, name)
    const first = this.known?.records[0]
    this.begin = first?.e === 'begin' ? (JSON.parse(first.options) as unknown) : undefined
  }

  /**
   * Takes the run over, with what there is of it. Fails: host.run_locked, host.journal (there is one already and `resume` is not
   * asked for), host.journal_damaged, host.io_failed.
   */
  static async open(name: string, resume: boolean): Promise<RunPlace> {
    const release = await lockRun(name)
    const database = journalDatabase()
    try {
      const there = await readKept(database, name)
      if (there !== undefined && !resume) {
        const detail = 'there is a run of this name: resume it, delete it, or take another name'
        throw new AetherflowError('host.journal', name, detail)
      }
      return new RunPlace(name, database, there, release)
    } catch (error) {
      database.close()
      release()
      throw journalError(name, error)
    }
  }

  get damage(): JournalDamage | undefined {
    return this.known?.dropped
  }

  /** Fails: host.journal (the run is not one like this), host.plan_changed, host.io_failed. */
  async start(options: StartOptions): Promise<StartedRun> {
    try {
      return this.known === undefined ? await this.#begin(options) : await this.#goOn(this.known, options)
    } catch (error) {
      throw journalError(this.name, error)
    }
  }

  async #begin({ plan, simulated, planName, version }: StartOptions): Promise<StartedRun> {
    if (plan === undefined)
      throw new AetherflowError('host.journal', this.name, 'there is no run of this name: give its plan')
    const header: JournalHeader = {
      aetherflow: version,
      journal: journalVersion,
      run: [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join(''),
      startedAt: new Date().toISOString(),
      ...(planName === undefined ? {} : { plan: planName }),
      ...(simulated === undefined ? {} : { simulated }),
    }
    const lines = new JournalLines()
    const before = lines.header(header)
    const writer = await this.#write(header, before)
    return { header, plan, journal: { writer, start: lines.checksum }, past: undefined, before }
  }

  async #goOn(journal: Journal, options: StartOptions): Promise<StartedRun> {
    const { header, records } = journal
    mustFit(header, options.simulated, this.name)
    const known = journalPlan(records)
    const plan = options.plan === undefined ? undefined : await wholePlan(options.plan)
    const rest = known.whole ? new Uint8Array() : restOf(plan, known.bytes, this.name)
    const changed = known.whole && plan !== undefined && !samePlan(plan, known.bytes)
    if (changed || rest === undefined) throw new AetherflowError('host.plan_changed', this.name)
    const kept = resumableRecords(journal)
    const end = journal.after(kept - 1)
    const start = end.checksum
    const before = new TextDecoder().decode(this.#bytes.subarray(0, end.bytes)) + (end.newline ? '' : '\n')
    const common = { header, plan: rest, past: { journal, records: kept }, before }
    if (journalOutcome(journal) !== undefined && kept === records.length) return { ...common, journal: undefined }
    if (end.bytes === this.#bytes.length && end.newline && this.#row !== undefined) {
      this.#journal = new JournalInDatabase(this.#database, this.#row)
      return { ...common, journal: { writer: this.#journal, start } }
    }
    return { ...common, journal: { writer: await this.#write(header, before), start } }
  }

  /** In place of what there is: all of it or nothing. */
  async #write(header: JournalHeader, text: string): Promise<JournalInDatabase> {
    this.#row = await this.#database.run(journalStores, 'readwrite', (stores) =>
      Promise.resolve(replaceLines(stores, this.name, header, text)),
    )
    this.#journal = new JournalInDatabase(this.#database, this.#row)
    return this.#journal
  }

  async close(): Promise<void> {
    await this.#journal?.close()
    this.#database.close()
    this.#release()
  }

  /** Closes, and takes the journal back: of a run that never came to anything. */
  async discard(): Promise<void> {
    await this.#journal?.close()
    await remove(this.#database, this.name).catch(() => undefined)
    await this.close()
  }
}

interface Kept {
  readonly row: RunRow
  readonly bytes: Uint8Array
}

async function readKept(database: Database, name: string): Promise<Kept | undefined> {
  return await database.run(journalStores, 'readonly', async (stores) => {
    const lines = given<LinesRow[]>(stores('lines').getAll(linesOf(name)))
    const [row, rows] = await Promise.all([readRow(stores, name), lines])
    if (row === undefined) return undefined
    return { row, bytes: new TextEncoder().encode(rows.map(({ text }) => text).join('')) }
  })
}

function remove(database: Database, name: string): Promise<boolean> {
  return database.run(journalStores, 'readwrite', async (stores) => {
    const there = (await readRow(stores, name)) !== undefined
    stores('runs').delete(name)
    stores('lines').delete(linesOf(name))
    return there
  })
}

async function withDatabase<T>(name: string, work: (database: Database) => Promise<T>): Promise<T> {
  const database = journalDatabase()
  try {
    return await work(database)
  } catch (error) {
    throw journalError(name, error)
  } finally {
    database.close()
  }
}

/** See `listRuns` of the entry. */
export async function listRuns(): Promise<KeptRun[]> {
  const running = await lockedRuns()
  const runs = await withDatabase('', (database) =>
    database.run(journalStores, 'readonly', async (stores) => {
      const rows = await given<RunRow[]>(stores('runs').getAll())
      const ends = rows.map(({ name, groups }) => given<LinesRow | undefined>(stores('lines').get([name, groups - 1])))
      const last = await Promise.all(ends)
      return rows.map((row, at) => ({ row, text: last[at]?.text ?? '' }))
    }),
  )
  const found = runs.map(({ row: { name, header, updatedAt, bytes }, text }) => {
    const { run, startedAt, plan, simulated } = header
    const outcome = /"e":"end","outcome":"(\w+)"[^\n]*\n$/.exec(text)?.[1] as KeptRun['outcome']
    return { name, run, startedAt, updatedAt, bytes, plan, simulated, outcome, running: running.has(name) }
  })
  return found.sort((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1))
}

/** See `deleteRun` of the entry. */
export async function deleteRun(name: string): Promise<boolean> {
  const release = await lockRun(name)
  try {
    return await withDatabase(name, (database) => remove(database, name))
  } finally {
    release()
  }
}

/** See `readRun` of the entry. */
export async function readRun(name: string): Promise<Uint8Array | undefined> {
  return (await withDatabase(name, (database) => readKept(database, name)))?.bytes
}
