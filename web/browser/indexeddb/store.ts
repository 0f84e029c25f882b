/** The cache's store in the browser: one database for each cache, open in any number of tabs and workers at once. */
import type { CacheEntry, CacheStore, CacheTally, StoreChanges } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { headOf } from '../../standard/stores/memory.js'
import { Database, given, transact, type DatabaseSchema } from './database.js'
import { Reads } from './reads.js'
import { tidy } from './room.js'
import {
  allStores,
  cacheSchema,
  isEmbeddingRow,
  isHeadRow,
  isTextRow,
  newSecret,
  newState,
  readState,
  type HeadRow,
  type RemovedRow,
  type State,
} from './rows.js'
import { CacheWriter, storeError, today } from './writer.js'

/** Name of the database of a cache. */
export const cacheDatabase = (name: string): string => `aetherflow.cache.${name}`

/** Writes between two times that old removals are forgotten. */
const tidyEvery = 5_000

export class IndexedDbStore implements CacheStore {
  readonly #database: Database
  /** Who writes, among all that have the database open. */
  readonly #self = newSecret()
  readonly #writer: CacheWriter
  readonly #entries: Reads
  readonly #embeddings: Reads
  #secret: string | undefined
  #state: 'new' | 'open' | 'closed' = 'new'
  /** Number of the last write that has been looked at; −1: none. */
  #seen = -1
  #puts = 0
  #damage: string[] = []

  /** `schema`: of another version, for tests. */
  constructor(name: string, schema: DatabaseSchema = cacheSchema) {
    this.#database = new Database(cacheDatabase(name), schema, (connection) => this.#begin(connection))
    this.#writer = new CacheWriter(this.#database, this.#self)
    this.#entries = new Reads(this.#database, ['heads', 'texts'])
    this.#embeddings = new Reads(this.#database, ['embeddings'])
  }

  /** Fails: host.io_failed where the browser refuses IndexedDB; cache.store_failed when a newer version made it, or another tab is in the way. */
  async open(): Promise<{ readonly secret: string }> {
    if (this.#state === 'closed') throw this.#closed()
    await this.#tried(this.#database.open())
    this.#state = 'open'
    return { secret: this.#secret ?? '' }
  }

  /** A database without a state is new, or has been deleted while this one had it open: then it goes on as it was. */
  async #begin(connection: IDBDatabase): Promise<void> {
    const state = await transact(connection, allStores, 'readwrite', async (stores) => {
      const known = await readState(stores)
      if (known !== undefined) return known
      const fresh = newState(this.#secret ?? newSecret())
      // Keys are made with the secret: without it, entries can never be found again.
      if ((await given(stores('heads').count())) > 0)
        this.#damage.push('the cache had lost its secret, and was emptied')
      for (const name of allStores) stores(name).clear()
      stores('state').put(fresh, 0)
      return fresh
    })
    this.#secret ??= state.secret
    if (this.#secret !== state.secret)
      throw new AetherflowError(
        'cache.store_failed',
        this.#database.name,
        'it was deleted and recreated: open it again',
      )
    if (state.write < this.#seen) this.#seen = -1
  }

  async changes(): Promise<StoreChanges> {
    this.#mustBeOpen()
    const { put, removed } = await this.#tried(this.#news())
    const damaged = put.filter((row) => !isHeadRow(row)).map(({ key }) => key)
    if (damaged.length > 0) await this.#drop(damaged)
    const damage = this.#damage.splice(0).join('; ')
    const whole = put.filter((row) => isHeadRow(row)).sort((a, b) => a.usedAt - b.usedAt || a.write - b.write)
    return { put: whole.map(headOf), removed, ...(damage === '' ? {} : { damage }) }
  }

  /** Mostly one read of one row; the rest only when somebody has written. */
  async #news(): Promise<{ put: HeadRow[]; removed: string[] }> {
    const none = { put: [], removed: [] }
    const state = await this.#database.run(['state'], 'readonly', (stores) => readState(stores))
    if (state?.write === this.#seen) return none
    const seen = this.#seen
    return await this.#database.run(['state', 'heads', 'removed'], 'readonly', async (stores) => {
      const now = await readState(stores)
      const since = IDBKeyRange.lowerBound(Math.max(0, seen), true)
      const first = seen < 0
      const heads = first ? stores('heads').getAll() : stores('heads').index('write').getAll(since)
      const removed = first ? Promise.resolve([]) : given<RemovedRow[]>(stores('removed').index('write').getAll(since))
      // Both are asked for before either is waited for: a request that ends unheard is never heard.
      const [rows, gone] = await Promise.all([given<HeadRow[]>(heads), removed])
      this.#seen = Math.max(this.#seen, now?.write ?? 0)
      const others = <Row extends { readonly writer: string }>(row: Row): boolean => row.writer !== this.#self
      return { put: rows.filter(others), removed: gone.filter(others).map(({ key }) => key) }
    })
  }

  async read(key: string): Promise<CacheEntry | undefined> {
    this.#mustBeOpen()
    const [head, text] = await this.#tried(this.#entries.get(key))
    if (head === undefined && text === undefined) return undefined
    if (isHeadRow(head) && isTextRow(text)) return { ...headOf(head), prompt: text.prompt, answer: text.answer }
    await this.#drop([key])
    return undefined
  }

  async put(entry: CacheEntry): Promise<void> {
    this.#mustBeOpen()
    await this.#writer.write({ does: 'put', entry })
    if (++this.#puts % tidyEvery === 0) await this.compact().catch(() => undefined)
  }

  async remove(keys: readonly string[]): Promise<void> {
    this.#mustBeOpen()
    if (keys.length > 0) await this.#writer.write({ does: 'remove', keys })
  }

  used(keys: readonly string[], at: number): void {
    if (this.#state === 'open') this.#writer.used(keys, at)
  }

  async embedding(key: string): Promise<Float32Array | undefined> {
    this.#mustBeOpen()
    const held = this.#writer.embedding(key)
    if (held !== undefined) return held.slice()
    const [row] = await this.#tried(this.#embeddings.get(key))
    if (!isEmbeddingRow(row)) return undefined
    if (row.day < today()) this.#writer.keepEmbedding(key, row.vector.slice())
    return row.vector
  }

  keepEmbedding(key: string, vector: Float32Array): void {
    if (this.#state === 'open') this.#writer.keepEmbedding(key, vector.slice())
  }

  count(more: CacheTally): void {
    if (this.#state === 'open') this.#writer.count(more)
  }

  async tally(): Promise<CacheTally> {
    return Object.fromEntries((await this.#current()).tally)
  }

  /** Of texts and vectors; what the browser needs besides is not counted. */
  async size(): Promise<number> {
    const { bytes, vectorBytes } = await this.#current()
    return bytes + vectorBytes
  }

  async compact(): Promise<void> {
    this.#mustBeOpen()
    await this.#writer.flush()
    await this.#tried(tidy(this.#database))
  }

  /** Writes what is held back, and stays open. */
  async flush(): Promise<void> {
    await this.#writer.flush()
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const open = this.#state === 'open'
    this.#state = 'closed'
    if (open) await this.#writer.flush()
    this.#database.close()
  }

  async #current(): Promise<State> {
    this.#mustBeOpen()
    await this.#writer.flush()
    const state = await this.#tried(this.#database.run(['state'], 'readonly', (stores) => readState(stores)))
    return state ?? newState('')
  }

  /** Rows that are no entry go, and this and all others hear of it. */
  async #drop(keys: readonly string[]): Promise<void> {
    this.#damage.push(`${keys.length} damaged ${keys.length === 1 ? 'entry was' : 'entries were'} dropped`)
    const known = keys.filter((key) => typeof key === 'string')
    await this.#writer.write({ does: 'remove', keys: known, silent: true }).catch(() => undefined)
  }

  async #tried<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw storeError(this.#database.name, error)
    }
  }

  #mustBeOpen(): void {
    if (this.#state !== 'open') throw this.#closed()
  }
  #closed(): AetherflowError {
    return new AetherflowError('cache.store_failed', this.#database.name, 'the store is not open')
  }
}
