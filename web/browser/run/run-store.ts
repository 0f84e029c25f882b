/** Runs in IndexedDB, owned by Web Locks. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { JournalEnd } from '../../../bindings/journal/reader.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'
import { KeptJournal, textUpTo, type OwnedRun, type RunStore } from '../../standard/run/run-store.js'
import { given, type Database } from '../indexeddb/database.js'
import {
  asideName,
  journalDatabase,
  journalError,
  journalStores,
  linesOf,
  readRow,
  removeRun,
  replaceLines,
  type LinesRow,
  type RunRow,
} from './journal-database.js'
import { lockRun } from './journal-lock.js'
import { JournalInDatabase } from './journal-writer.js'

interface Read {
  readonly row: RunRow
  readonly kept: KeptJournal
}

export class IndexedDbRunStore implements RunStore {
  readonly name: string
  readonly #database = journalDatabase()
  #read: Read | undefined

  constructor(name: string) {
    this.name = name
  }

  async peek(): Promise<KeptJournal | undefined> {
    return (await this.#latest())?.kept
  }

  async open(): Promise<OwnedRun> {
    const release = await lockRun(this.name)
    try {
      return new OwnedRow(this.name, this.#database, await this.#latest(), release)
    } catch (error) {
      release()
      throw error
    }
  }

  /** Lets go of the database. Runs that were opened do so themselves. */
  close(): void {
    this.#database.close()
  }

  async #latest(): Promise<Read | undefined> {
    const { name } = this
    try {
      this.#read = await this.#database.run(journalStores, 'readonly', async (stores) => {
        const row = await readRow(stores, name)
        if (row === undefined) return undefined
        const before = this.#read
        if (before !== undefined && sameRow(before.row, row)) return before
        return { row, kept: new KeptJournal(await bytesOf(stores('lines'), linesOf(name)), name) }
      })
      return this.#read
    } catch (error) {
      throw journalError(name, error)
    }
  }
}

const sameRow = (one: RunRow, other: RunRow): boolean =>
  one.groups === other.groups && one.bytes === other.bytes && one.header.run === other.header.run

async function bytesOf(lines: IDBObjectStore, range: IDBKeyRange): Promise<Uint8Array> {
  const rows = await given<LinesRow[]>(lines.getAll(range))
  return new TextEncoder().encode(rows.map(({ text }) => text).join(''))
}

class OwnedRow implements OwnedRun {
  readonly kept: KeptJournal | undefined
  readonly #name: string
  readonly #database: Database
  readonly #release: () => void
  readonly #row: RunRow | undefined
  #writer: JournalInDatabase | undefined
  #over = false

  constructor(name: string, database: Database, read: Read | undefined, release: () => void) {
    this.#name = name
    this.#database = database
    this.#row = read?.row
    this.kept = read?.kept
    this.#release = release
  }

  begin(header: JournalHeader, firstLine: string): Promise<JournalInDatabase> {
    return this.#replace(header, firstLine)
  }

  async resume(end: JournalEnd): Promise<JournalInDatabase> {
    const { kept } = this
    const row = this.#row
    if (kept === undefined || row === undefined)
      throw new AetherflowError('host.journal', this.#name, 'there is no run to resume')
    // The lock is the fence: nobody else writes, so what is there may stay as it is.
    if (end.bytes === kept.bytes.length && end.newline)
      return (this.#writer = new JournalInDatabase(this.#database, row))
    return await this.#replace(row.header, textUpTo(kept, end))
  }

  async #replace(header: JournalHeader, text: string): Promise<JournalInDatabase> {
    try {
      const row = await this.#database.run(journalStores, 'readwrite', (stores) =>
        Promise.resolve(replaceLines(stores, this.#name, header, text)),
      )
      return (this.#writer = new JournalInDatabase(this.#database, row))
    } catch (error) {
      throw journalError(this.#name, error)
    }
  }

  async setAside(): Promise<string> {
    const text = new TextDecoder().decode(this.kept?.bytes)
    try {
      return await this.#database.run(journalStores, 'readwrite', async (stores) => {
        for (let n = 1; ; ++n) {
          const key = asideName(this.#name, `journal-${n}`)
          if ((await given<number>(stores('lines').count(linesOf(key)))) > 0) continue
          stores('lines').put({ name: key, group: 0, text } satisfies LinesRow)
          return `journal-${n}`
        }
      })
    } catch (error) {
      throw journalError(this.#name, error)
    }
  }

  async aside(name: string): Promise<KeptJournal | undefined> {
    const range = linesOf(asideName(this.#name, name))
    const bytes = await this.#database.run(journalStores, 'readonly', (stores) => bytesOf(stores('lines'), range))
    return bytes.length === 0 ? undefined : new KeptJournal(bytes, `${this.#name}: ${name}`)
  }

  async close(): Promise<void> {
    await this.#writer?.close()
    if (this.#over) return
    this.#over = true
    this.#release()
  }

  async discard(): Promise<void> {
    await this.#writer?.close()
    if (!this.#over) await removeRun(this.#database, this.#name).catch(() => undefined)
    await this.close()
  }
}

/** The journal of a run; undefined if there is none. */
export async function readKept(database: Database, name: string): Promise<Uint8Array | undefined> {
  return await database.run(journalStores, 'readonly', async (stores) => {
    const row = await readRow(stores, name)
    return row === undefined ? undefined : await bytesOf(stores('lines'), linesOf(name))
  })
}
