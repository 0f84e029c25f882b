/**
 * The journals of runs, in one database: of each run a row about it, and its lines in groups as they were written.
 *
 *   runs    name → the header, bytes, groups, when it was last written
 *   lines   [name, number of the group] → text; of a journal that was set aside the name is the run's, a NUL and its own
 */
import { AetherflowError } from '../../../bindings/errors.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'
import { Database, given, isFull, messageOf, type DatabaseSchema, type Stores } from '../indexeddb/database.js'

const schema: DatabaseSchema = {
  version: 1,
  upgrade(database, _transaction, from) {
    if (from >= 1) return
    database.createObjectStore('runs', { keyPath: 'name' })
    database.createObjectStore('lines', { keyPath: ['name', 'group'] })
  },
}

export interface RunRow {
  readonly name: string
  readonly header: JournalHeader
  readonly updatedAt: string
  readonly bytes: number
  readonly groups: number
}
export interface LinesRow {
  readonly name: string
  readonly group: number
  readonly text: string
}

export const journalStores = ['runs', 'lines'] as const

export const journalDatabase = (): Database => new Database('aetherflow.runs', schema)

/** All groups of a run. */
export const linesOf = (name: string): IDBKeyRange => IDBKeyRange.bound([name], [name, []])

/** Where the lines of a journal are that was set aside: it has no row, so that no list shows it. */
export const asideName = (name: string, aside: string): string => `${name}\u0000${aside}`

/** Removes a run with all that was set aside of it; false if there is none. */
export function removeRun(database: Database, name: string): Promise<boolean> {
  return database.run(journalStores, 'readwrite', async (stores) => {
    const there = (await readRow(stores, name)) !== undefined
    stores('runs').delete(name)
    stores('lines').delete(linesOf(name))
    stores('lines').delete(IDBKeyRange.bound([asideName(name, '')], [`${name}\u0001`], false, true))
    return there
  })
}

export async function readRow(stores: Stores, name: string): Promise<RunRow | undefined> {
  return (await given<unknown>(stores('runs').get(name))) as RunRow | undefined
}

/** The whole text in place of whatever there is. */
export function replaceLines(stores: Stores, name: string, header: JournalHeader, text: string): RunRow {
  const bytes = new TextEncoder().encode(text).length
  const row: RunRow = { name, header, updatedAt: new Date().toISOString(), bytes, groups: 1 }
  stores('lines').delete(linesOf(name))
  stores('lines').put({ name, group: 0, text } satisfies LinesRow)
  stores('runs').put(row)
  return row
}

/** Whatever the platform says, as an error of a journal. */
export function journalError(name: string, error: unknown): AetherflowError {
  if (error instanceof AetherflowError)
    return error.code === 'cache.store_failed' ? new AetherflowError('host.journal', name, error.detail) : error
  const why = isFull(error) ? 'the browser gives this origin no more room' : messageOf(error)
  return new AetherflowError('host.io_failed', name, why)
}
