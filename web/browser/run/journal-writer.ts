/** A journal in IndexedDB: a transaction a group of lines. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { JournalWriter } from '../../../bindings/journal/journal.js'
import { JournalQueue } from '../../standard/run/journal-queue.js'
import type { Database } from '../indexeddb/database.js'
import { journalError, journalStores, readRow, type LinesRow, type RunRow } from './journal-database.js'

const utf8 = new TextEncoder()

/**
 * A line counts as kept once its transaction is complete, with relaxed durability: the browser has handed it to the system, so that
 * it outlives the tab and the browser, but perhaps no loss of power.
 */
export class JournalInDatabase extends JournalQueue implements JournalWriter {
  readonly #database: Database
  #row: RunRow

  /** `row`: of the run as it is in the database; nobody else writes to it. */
  constructor(database: Database, row: RunRow) {
    super({
      turn: () => Promise.resolve(),
      keep: async (lines) => {
        if (lines !== '') await this.#write(lines)
        return true
      },
      failure: (cause) => journalError(row.name, cause),
    })
    this.#database = database
    this.#row = row
  }

  async #write(text: string): Promise<void> {
    const { name, groups, bytes } = this.#row
    const row = {
      ...this.#row,
      groups: groups + 1,
      bytes: bytes + utf8.encode(text).length,
      updatedAt: new Date().toISOString(),
    }
    await this.#database.run(journalStores, 'readwrite', async (stores) => {
      // A person may clear what a site keeps at any time; lines without their beginning are worth nothing.
      if ((await readRow(stores, name))?.groups !== groups)
        throw new AetherflowError('host.io_failed', name, 'the journal was deleted while the run went on')
      stores('lines').add({ name, group: groups, text } satisfies LinesRow)
      stores('runs').put(row)
    })
    this.#row = row
  }
}
