/** A journal in IndexedDB. Lines gather while a transaction is under way, and the next one takes them all. */
import { AetherflowError } from '../../bindings/errors.js'
import type { JournalWriter } from '../../bindings/journal.js'
import type { Database } from './indexeddb-database.js'
import { journalError, journalStores, readRow, type LinesRow, type RunRow } from './journal-database.js'

/** Lines that nobody waits for are written this much later, ms. */
const lazyMs = 50

interface Waiter {
  readonly upTo: number
  resolve(): void
  reject(error: unknown): void
}

const utf8 = new TextEncoder()

/**
 * A line counts as kept once its transaction is complete, with relaxed durability: the browser has handed it to the system, so that
 * it outlives the tab and the browser, but perhaps no loss of power.
 */
export class JournalInDatabase implements JournalWriter {
  readonly #database: Database
  #row: RunRow
  #pending: string[] = []
  #waiters: Waiter[] = []
  /** Appends so far, and how many of them are kept. */
  #appended = 0
  #kept = 0
  #running: Promise<void> | undefined
  #lazy: ReturnType<typeof setTimeout> | undefined
  #failure: { readonly error: AetherflowError } | undefined
  readonly #listeners: ((error: unknown) => void)[] = []

  /** `row`: of the run as it stands in the database; nobody else writes to it. */
  constructor(database: Database, row: RunRow) {
    this.#database = database
    this.#row = row
  }

  append(lines: string): void {
    if (this.#failure !== undefined) return
    this.#pending.push(lines)
    this.#appended += 1
    this.#lazy ??= setTimeout(() => this.#run(), lazyMs)
  }

  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#kept === this.#appended) return Promise.resolve()
    const kept = new Promise<void>((resolve, reject) => this.#waiters.push({ upTo: this.#appended, resolve, reject }))
    this.#run()
    return kept
  }

  onFailure(listener: (error: unknown) => void): void {
    if (this.#failure !== undefined) listener(this.#failure.error)
    else this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    await this.flush().catch(() => undefined)
    await this.#running
    clearTimeout(this.#lazy)
  }

  #run(): void {
    if (this.#failure !== undefined) return
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      if (this.#waiters.length > 0) this.#run()
    })
  }

  async #work(): Promise<void> {
    try {
      // A turn: the ends of several calls often come together, and then share a transaction.
      await Promise.resolve()
      while (this.#kept < this.#appended) await this.#group()
    } catch (error) {
      this.#fail(journalError(this.#row.name, error))
    }
  }

  async #group(): Promise<void> {
    clearTimeout(this.#lazy)
    this.#lazy = undefined
    const text = this.#pending.join('')
    this.#pending = []
    const upTo = this.#appended
    await this.#write(text)
    this.#kept = upTo
    const done = this.#waiters.filter((waiter) => waiter.upTo <= upTo)
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > upTo)
    for (const { resolve } of done) resolve()
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
        throw new AetherflowError('host.io', name, 'the journal was deleted while the run went on')
      stores('lines').add({ name, group: groups, text } satisfies LinesRow)
      stores('runs').put(row)
    })
    this.#row = row
  }

  /** For good: lines are missing from here on. */
  #fail(error: AetherflowError): void {
    this.#failure = { error }
    this.#pending = []
    clearTimeout(this.#lazy)
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
    for (const listener of this.#listeners) listener(error)
  }
}
