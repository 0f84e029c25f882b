/** Runs that outlive their tab: listed, deleted, read; and their store. A part by itself, see load-part.ts. */
import { given, type Database } from '../indexeddb/database.js'
import type { KeptRun } from '../options.js'
import {
  journalDatabase,
  journalError,
  journalStores,
  removeRun,
  type LinesRow,
  type RunRow,
} from './journal-database.js'
import { lockedRuns, lockRun } from './journal-lock.js'
import { readKept } from './run-store.js'

export { reusableOutputs } from '../../standard/run/reuse.js'
export { IndexedDbRunStore } from './run-store.js'

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
    return await withDatabase(name, (database) => removeRun(database, name))
  } finally {
    release()
  }
}

/** See `readRun` of the entry. */
export async function readRun(name: string): Promise<Uint8Array | undefined> {
  return await withDatabase(name, (database) => readKept(database, name))
}
