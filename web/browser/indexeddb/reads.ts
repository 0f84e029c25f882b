/** Rows by their key, of several stores at one moment. What is asked for at once is read in one transaction. */
import { givenIfReadable, type Database } from './database.js'

interface Waiting {
  readonly key: string
  resolve(rows: readonly unknown[]): void
  reject(error: unknown): void
}

export class Reads {
  readonly #database: Database
  readonly #names: readonly string[]
  #waiting: Waiting[] = []

  constructor(database: Database, names: readonly string[]) {
    this.#database = database
    this.#names = names
  }

  /** A row of each store; undefined if there is none, null: it cannot be read. Rejects as Database.run does. */
  get(key: string): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject })
      if (this.#waiting.length === 1) queueMicrotask(() => void this.#read())
    })
  }

  async #read(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    try {
      const rows = await this.#database.run(this.#names, 'readonly', (stores) =>
        Promise.all(
          waiting.map(({ key }) => Promise.all(this.#names.map((name) => givenIfReadable(stores(name).get(key))))),
        ),
      )
      waiting.forEach(({ resolve }, at) => resolve(rows[at] ?? []))
    } catch (error) {
      for (const { reject } of waiting) reject(error)
    }
  }
}
