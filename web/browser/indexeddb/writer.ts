/**
 * Writes to a cache's database. What comes while a transaction is in progress goes into the next one together; what nobody waits for
 * (uses, counters, vectors) joins any that is due, or one of its own a little later.
 */
import type { CacheEntry, CacheTally } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { headOf } from '../../standard/stores/memory.js'
import { given, isFull, messageOf, type Database, type Stores } from './database.js'
import { boundEmbeddings, dropOldest } from './room.js'
import {
  allStores,
  isEmbeddingRow,
  isHeadRow,
  readState,
  type EmbeddingRow,
  type HeadRow,
  type RemovedRow,
  type State,
  type TextRow,
} from './rows.js'

/** `silent`: of nobody's doing, so that this instance hears of it too. */
export type Write =
  | { readonly does: 'put'; readonly entry: CacheEntry }
  | { readonly does: 'remove'; readonly keys: readonly string[]; readonly silent?: boolean }

interface Waiting {
  readonly write: Write
  resolve(): void
  reject(error: unknown): void
}

/** What nobody waits for. */
class Held {
  readonly used = new Map<string, number>()
  readonly embeddings = new Map<string, Float32Array>()
  readonly tally = new Map<string, number>()

  get empty(): boolean {
    return this.used.size + this.embeddings.size + this.tally.size === 0
  }
}

/** Longest that something is held, ms. */
const heldMs = 250
/** Writes of one transaction. */
const mostAtOnce = 256
/** After the origin was full and making room did not help: how long nothing is removed for it, ms. */
const fullMs = 10_000
/** New vectors between two looks whether there are too many. */
const boundEvery = 256

export const today = (): number => Math.floor(Date.now() / 86_400_000)

export class CacheWriter {
  readonly #database: Database
  /** Who writes: this instance. */
  readonly #writer: string
  #queue: Waiting[] = []
  #held = new Held()
  /** Held back, and in the transaction that is in progress. */
  #going: Held | undefined
  /** Removed for want of room, and not yet told to the others. */
  #evicted = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #running: Promise<void> | undefined
  #fullUntil = -Infinity
  #embedded = 0

  constructor(database: Database, writer: string) {
    this.#database = database
    this.#writer = writer
  }

  write(write: Write): Promise<void> {
    const written = new Promise<void>((resolve, reject) => this.#queue.push({ write, resolve, reject }))
    this.#run()
    return written
  }

  used(keys: readonly string[], at: number): void {
    const { used } = this.#held
    for (const key of keys) used.set(key, Math.max(used.get(key) ?? 0, at))
    this.#hold()
  }
  keepEmbedding(key: string, vector: Float32Array): void {
    this.#held.embeddings.set(key, vector)
    this.#hold()
  }
  count(more: CacheTally): void {
    const { tally } = this.#held
    for (const [name, by] of Object.entries(more)) tally.set(name, (tally.get(name) ?? 0) + by)
    this.#hold()
  }

  /** A vector that is not yet written. */
  embedding(key: string): Float32Array | undefined {
    return this.#held.embeddings.get(key) ?? this.#going?.embeddings.get(key)
  }

  /** Resolves when all that was handed over so far is written, or has failed. */
  async flush(): Promise<void> {
    while (this.#queue.length > 0 || !this.#held.empty || this.#running !== undefined) {
      this.#run()
      await this.#running
    }
  }

  #hold(): void {
    this.#timer ??= setTimeout(() => this.#run(), heldMs)
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      if (this.#queue.length > 0) this.#run()
    })
  }

  async #work(): Promise<void> {
    // A turn: what is asked for at once is written at once.
    await Promise.resolve()
    do {
      clearTimeout(this.#timer)
      this.#timer = undefined
      const batch = this.#queue.splice(0, mostAtOnce)
      this.#going = this.#held
      this.#held = new Held()
      await this.#writeAll(batch, this.#going)
      this.#going = undefined
    } while (this.#queue.length > 0)
  }

  /** Never rejects. */
  async #writeAll(batch: readonly Waiting[], held: Held): Promise<void> {
    try {
      await this.#commit(
        batch.map(({ write }) => write),
        held,
      )
      for (const { resolve } of batch) resolve()
      await this.#bound(held)
    } catch (error) {
      if (isFull(error)) return await this.#writeWhatFits(batch, held)
      for (const { reject } of batch) reject(storeError(this.#database.name, error))
    }
  }

  /** The origin is full: the longest unused make room; what still does not fit fails with cache.full. */
  async #writeWhatFits(batch: readonly Waiting[], { used, tally }: Held): Promise<void> {
    if (performance.now() >= this.#fullUntil) {
      const needed = batch.reduce((sum, { write }) => sum + (write.does === 'put' ? write.entry.bytes : 0), 0)
      const gone = await dropOldest(this.#database, needed).catch(() => new Map<string, number>())
      for (const [key, bytes] of gone) this.#evicted.set(key, bytes)
    }
    for (const { write, resolve, reject } of batch) {
      try {
        await this.#commit([write], new Held())
        resolve()
      } catch (error) {
        if (isFull(error)) this.#fullUntil = performance.now() + fullMs
        reject(storeError(this.#database.name, error))
      }
    }
    // Small, and worth another try with the next; vectors can be made again.
    for (const [key, at] of used) this.used([key], at)
    this.count(Object.fromEntries(tally))
  }

  async #bound({ embeddings }: Held): Promise<void> {
    this.#embedded += embeddings.size
    if (this.#embedded < boundEvery) return
    this.#embedded = 0
    await boundEmbeddings(this.#database).catch(() => undefined)
  }

  async #commit(writes: readonly Write[], held: Held): Promise<void> {
    if (writes.length === 0 && held.empty) return
    const evicted = this.#evicted
    await this.#database.run(allStores, 'readwrite', async (stores) => {
      const state = await readState(stores)
      if (state === undefined)
        throw new AetherflowError('cache.store_failed', this.#database.name, 'its state is damaged')
      const keys = writes.flatMap((write) => (write.does === 'put' ? [write.entry.key] : write.keys))
      const commit = new Commit(stores, state, this.#writer, await rows(stores, [...keys, ...held.used.keys()]))
      for (const [key, bytes] of evicted) commit.evicted(key, bytes)
      for (const write of writes) {
        if (write.does === 'put') commit.put(write.entry)
        else for (const key of write.keys) commit.remove(key, write.silent === true ? '' : this.#writer)
      }
      for (const [key, at] of held.used) commit.used(key, at)
      for (const [name, by] of held.tally) add(state.tally, name, by)
      await keepEmbeddings(stores, state, held.embeddings)
      stores('state').put(state, 0)
    })
    if (evicted === this.#evicted && evicted.size > 0) this.#evicted = new Map()
  }
}

async function rows(stores: Stores, keys: readonly string[]): Promise<Map<string, HeadRow>> {
  const heads = stores('heads')
  const found = await Promise.all([...new Set(keys)].map((key) => given<unknown>(heads.get(key))))
  return new Map(found.filter(isHeadRow).map((row) => [row.key, row]))
}

/** The writes of one transaction, on the heads as they are at its time. */
class Commit {
  constructor(
    private readonly stores: Stores,
    private readonly state: State,
    private readonly writer: string,
    private readonly heads: Map<string, HeadRow>,
  ) {}

  put(entry: CacheEntry): void {
    const { key, prompt, answer, createdAt: usedAt } = entry
    const row: HeadRow = { ...headOf(entry), usedAt, write: ++this.state.write, writer: this.writer }
    this.state.bytes += row.bytes - (this.heads.get(key)?.bytes ?? 0)
    this.heads.set(key, row)
    this.stores('heads').put(row)
    this.stores('texts').put({ key, prompt, answer } satisfies TextRow)
    this.stores('removed').delete(key)
  }

  remove(key: string, writer: string): void {
    const head = this.heads.get(key)
    // A head that is damaged is not among them, and its row goes all the same.
    this.stores('heads').delete(key)
    this.stores('texts').delete(key)
    if (head === undefined && writer !== '') return
    this.state.bytes -= head?.bytes ?? 0
    this.heads.delete(key)
    this.#tell(key, writer)
  }

  /** Its rows went before, for want of room, and may be there again. */
  evicted(key: string, bytes: number): void {
    this.state.bytes -= bytes
    if (!this.heads.has(key)) this.#tell(key, '')
  }

  used(key: string, at: number): void {
    const row = this.heads.get(key)
    if (row === undefined || row.usedAt >= at) return
    const later = { ...row, usedAt: at }
    this.heads.set(key, later)
    this.stores('heads').put(later)
  }

  #tell(key: string, writer: string): void {
    this.stores('removed').put({ key, write: ++this.state.write, writer } satisfies RemovedRow)
  }
}

async function keepEmbeddings(stores: Stores, state: State, vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
  const embeddings = stores('embeddings')
  const old = await Promise.all([...vectors.keys()].map((key) => given<unknown>(embeddings.get(key))))
  for (const row of old) if (isEmbeddingRow(row)) state.vectorBytes -= row.vector.byteLength
  for (const [key, vector] of vectors) {
    state.vectorBytes += vector.byteLength
    embeddings.put({ key, vector, day: today() } satisfies EmbeddingRow)
  }
}

function add(tally: State['tally'], name: string, by: number): void {
  const pair = tally.find(([known]) => known === name)
  if (pair === undefined) tally.push([name, by])
  else pair[1] += by
}

export function storeError(name: string, error: unknown): AetherflowError {
  if (error instanceof AetherflowError) return error
  if (isFull(error)) return new AetherflowError('cache.full', name, 'the browser gives this origin no more room')
  return new AetherflowError('cache.store_failed', name, messageOf(error))
}
