/** One database of IndexedDB: opened with every way that goes wrong, opened again when it was lost, read and written by promises. */
import { AetherflowError } from '../../../bindings/errors.js'
import { afterAwake, unanswered, within } from '../patience.js'

export interface DatabaseSchema {
  readonly version: number
  /** Brings a database of version `from` up to date; 0: a new one. */
  upgrade(database: IDBDatabase, transaction: IDBTransaction, from: number): void
}

/** How long others may take to let go of an older version, ms. */
const blockedMs = 5_000
/** How long an opening may take, ms: it may stand behind another tab's deletion or upgrade, which waits for ever itself. */
const openMs = 10_000
/** How long a transaction may take, ms: those of other tabs go first. */
const transactionMs = 30_000
/** As long when the one before got no answer in its time, ms: a store that hangs costs each step of a run no more than this. */
const impatientMs = 1_000

/** Databases with an opening that was given up and still is in the browser's queue, where another would only wait behind it. */
const stuck = new Map<string, number>()

export type Stores = (name: string) => IDBObjectStore

export class Database {
  readonly name: string
  readonly #schema: DatabaseSchema
  readonly #onOpen: (connection: IDBDatabase) => Promise<void>
  #connection: Promise<IDBDatabase> | undefined
  /** What `#connection` came to. */
  #opened: IDBDatabase | undefined
  #closed = false
  /** The last transaction got no answer. */
  #hangs = false

  /** `onOpen`: after each opening, before anything else; the database may have been deleted since the one before. */
  constructor(name: string, schema: DatabaseSchema, onOpen?: (connection: IDBDatabase) => Promise<void>) {
    this.name = name
    this.#schema = schema
    this.#onOpen = onOpen ?? (() => Promise.resolve())
  }

  /** Fails: host.io_failed where the platform refuses or does not answer; cache.store_failed when a newer version made it, or others hold an older one. */
  async open(): Promise<void> {
    await this.#open()
  }

  /** As `transact`, on a connection that is there. Fails also as `open` does. */
  async run<T>(names: readonly string[], mode: IDBTransactionMode, work: (stores: Stores) => Promise<T>): Promise<T> {
    const connection = await this.#open()
    try {
      return await this.#transact(connection, names, mode, work)
    } catch (error) {
      // Lost, or given up for a newer version: the next opening tells which.
      if (nameOf(error) !== 'InvalidStateError') throw error
      this.#forget(connection)
      return await this.#transact(await this.#open(), names, mode, work)
    }
  }

  async #transact<T>(
    connection: IDBDatabase,
    names: readonly string[],
    mode: IDBTransactionMode,
    work: (stores: Stores) => Promise<T>,
  ): Promise<T> {
    try {
      const result = await transact(connection, names, mode, work, this.#hangs ? impatientMs : transactionMs)
      this.#hangs = false
      return result
    } catch (error) {
      this.#hangs = nameOf(error) === 'TimeoutError'
      throw error
    }
  }

  close(): void {
    this.#closed = true
    void this.#connection?.then((connection) => connection.close()).catch(() => undefined)
    this.#connection = undefined
  }

  #open(): Promise<IDBDatabase> {
    if (this.#closed) return Promise.reject(new AetherflowError('cache.store_failed', this.name, 'it is closed'))
    if (this.#connection !== undefined) return this.#connection
    const opening = this.#connect()
    this.#connection = opening
    opening.catch(() => {
      if (this.#connection === opening) this.#connection = undefined
    })
    return opening
  }

  async #connect(): Promise<IDBDatabase> {
    const connection = await connect(this.name, this.#schema)
    // Another tab wants to change or delete it: running transactions end, later ones open it again.
    connection.onversionchange = () => this.#forget(connection)
    connection.onclose = () => this.#forget(connection)
    try {
      await this.#onOpen(connection)
      return (this.#opened = connection)
    } catch (error) {
      connection.close()
      throw error
    }
  }

  #forget(connection: IDBDatabase): void {
    connection.close()
    if (this.#opened !== connection) return
    this.#opened = undefined
    this.#connection = undefined
  }
}

/**
 * Work in one transaction, all of it or nothing: resolves when it is complete, rejects with what the platform says (a
 * DOMException; TimeoutError when it did not end within `ms`) or with what `work` threw. `work` waits for nothing but requests of its
 * stores.
 */
export async function transact<T>(
  connection: IDBDatabase,
  names: readonly string[],
  mode: IDBTransactionMode,
  work: (stores: Stores) => Promise<T>,
  ms = transactionMs,
): Promise<T> {
  // Relaxed: complete once the system has it, which outlives this process but no loss of power.
  const transaction = connection.transaction([...names], mode, { durability: 'relaxed' })
  const complete = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new DOMException('', 'AbortError'))
  })
  complete.catch(() => undefined)
  const late = (): DOMException => {
    abort(transaction)
    return unanswered('IndexedDB', ms)
  }
  return within(ms, carriedOut(transaction, complete, work), late)
}

async function carriedOut<T>(
  transaction: IDBTransaction,
  complete: Promise<void>,
  work: (stores: Stores) => Promise<T>,
): Promise<T> {
  try {
    const result = await work((name) => transaction.objectStore(name))
    await complete
    return result
  } catch (error) {
    abort(transaction)
    // Requests of a transaction that fails as a whole say AbortError; why, says the transaction.
    if (nameOf(error) === 'AbortError') await complete
    throw error
  }
}

function connect(name: string, schema: DatabaseSchema): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    let over = false
    let unblocked: (() => void) | undefined
    const ms = stuck.has(name) ? impatientMs : openMs
    const stop = afterAwake(ms, () => {
      refuse(unanswered('IndexedDB', ms))
      count(name, 1)
      settled = () => count(name, -1)
    })
    // Of an opening that was given up: when the browser has come to it all the same.
    let settled = (): void => undefined
    const end = (): void => {
      unblocked?.()
      stop()
      settled()
    }
    const refuse = (error: unknown): void => {
      over = true
      end()
      reject(openError(name, error))
    }
    try {
      const opening = requestOf(name, schema)
      opening.onblocked = () => {
        const error = new DOMException('another tab holds an older version of it open: close or reload it', 'blocked')
        unblocked ??= afterAwake(blockedMs, () => refuse(error))
      }
      opening.onerror = () => refuse(opening.error)
      opening.onsuccess = () => {
        end()
        // Nobody waits any more, and a connection that nobody closes would block everyone.
        if (over) opening.result.close()
        else resolve(opening.result)
      }
    } catch (error) {
      // Not there at all, or forbidden: private windows of some browsers, frames of other origins.
      refuse(error)
    }
  })
}

function requestOf(name: string, { version, upgrade }: DatabaseSchema): IDBOpenDBRequest {
  const opening = indexedDB.open(name, version)
  opening.onupgradeneeded = ({ oldVersion }) => {
    if (opening.transaction !== null) upgrade(opening.result, opening.transaction, oldVersion)
  }
  return opening
}

function count(name: string, more: 1 | -1): void {
  const open = (stuck.get(name) ?? 0) + more
  if (open > 0) stuck.set(name, open)
  else stuck.delete(name)
}

function openError(name: string, error: unknown): AetherflowError {
  if (nameOf(error) === 'VersionError')
    return new AetherflowError('cache.store_failed', name, 'a newer version of AetherFlow made it: reload the page')
  if (nameOf(error) === 'blocked') return new AetherflowError('cache.store_failed', name, messageOf(error))
  if (nameOf(error) === 'TimeoutError') {
    const why = 'another tab may hold it: close or reload the other tabs of this site'
    return new AetherflowError('host.io_failed', name, `${messageOf(error)}; ${why}`)
  }
  return new AetherflowError('host.io_failed', name, `the browser refuses IndexedDB: ${messageOf(error)}`)
}

function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort()
  } catch {
    // It has ended already.
  }
}

/** What a request gives. */
export function given<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new DOMException('', 'UnknownError'))
  })
}

/** As `given`; null when the row is there and cannot be read: its bytes are damaged, or a file of the browser's is missing. */
export function givenIfReadable(request: IDBRequest<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = (event) => {
      const error = request.error
      if (!unreadable.includes(nameOf(error))) return reject(error ?? new DOMException('', 'UnknownError'))
      // The others of this transaction are not concerned.
      event.preventDefault()
      event.stopPropagation()
      resolve(null)
    }
  })
}
const unreadable = ['DataError', 'NotReadableError', 'UnknownError', 'DataCloneError']

/** Walks along a cursor until `see` gives false. */
export function walk(request: IDBRequest<IDBCursorWithValue | null>, see: (at: IDBCursorWithValue) => boolean) {
  return new Promise<void>((resolve, reject) => {
    request.onsuccess = () => {
      const cursor = request.result
      if (cursor === null || !see(cursor)) resolve()
      else cursor.continue()
    }
    request.onerror = () => reject(request.error ?? new DOMException('', 'UnknownError'))
  })
}

export const nameOf = (error: unknown): string => String((error as { name?: unknown } | null | undefined)?.name ?? '')
export const messageOf = (error: unknown): string =>
  String((error as { message?: unknown } | null | undefined)?.message || nameOf(error) || error)
/** The origin may store no more. */
export const isFull = (error: unknown): boolean => nameOf(error) === 'QuotaExceededError'
