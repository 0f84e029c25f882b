/** Keeps indexes in the browser: one row each, written in one transaction, so that a reader finds a whole one. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { IndexStore, KeptIndex } from '../../standard/documents/ports.js'
import { Database, givenIfReadable, isFull, messageOf, type DatabaseSchema } from '../indexeddb/database.js'

const schema: DatabaseSchema = {
  version: 1,
  upgrade(database, _transaction, from) {
    if (from < 1) database.createObjectStore('indexes', { keyPath: 'name' })
  },
}

/** Fails: host.io_failed; cache.full when the browser gives no more room. */
export class DatabaseIndexStore implements IndexStore {
  readonly #name: string
  readonly #database = new Database('aetherflow.indexes', schema)

  constructor(name: string) {
    this.#name = name
  }

  async load(): Promise<KeptIndex | undefined> {
    const row = await this.#run('readonly', (store) => givenIfReadable(store.get(this.#name)))
    const { sections, stamps, vectors } = Object(row) as Record<string, unknown>
    if (!(sections instanceof Uint8Array) || typeof stamps !== 'string') return undefined
    return { sections, stamps, vectors: vectors instanceof Uint8Array ? vectors : undefined }
  }
  async save(kept: KeptIndex): Promise<void> {
    await this.#run('readwrite', (store) => {
      store.put({ name: this.#name, ...kept })
      return Promise.resolve()
    })
  }
  close(): Promise<void> {
    this.#database.close()
    return Promise.resolve()
  }

  async #run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    try {
      return await this.#database.run(['indexes'], mode, (stores) => work(stores('indexes')))
    } catch (error) {
      if (error instanceof AetherflowError) throw error
      throw new AetherflowError(isFull(error) ? 'cache.full' : 'host.io_failed', this.#name, messageOf(error))
    }
  }
}
