/**
 * What a cache's database holds. Every writer takes the row of the state, so that writes of all tabs have one order:
 *
 *   state       one row: the secret, the number of the last write, bytes, counters
 *   heads       an entry without its texts · number of the write that put it, who wrote it, when it was last used
 *   texts       its prompt and answer
 *   removed     keys that are gone · number of the write, who did it: others have to hear of it
 *   embeddings  vectors by key · the day of their last use
 */
import type { CacheEntryHead } from '../../../bindings/cache/ports.js'
import { given, type DatabaseSchema, type Stores } from './database.js'

export const allStores = ['state', 'heads', 'texts', 'removed', 'embeddings'] as const

export interface HeadRow extends CacheEntryHead {
  readonly usedAt: number
  readonly write: number
  readonly writer: string
}
export interface TextRow {
  readonly key: string
  readonly prompt: string
  readonly answer: string
}
export interface RemovedRow {
  readonly key: string
  readonly write: number
  readonly writer: string
}
export interface EmbeddingRow {
  readonly key: string
  readonly vector: Float32Array
  readonly day: number
}

export interface State {
  readonly secret: string
  /** Number of the last write. */
  write: number
  /** Of prompts and answers, and of vectors. */
  bytes: number
  vectorBytes: number
  /** Pairs: a counter may have any name. */
  tally: [name: string, count: number][]
}

/** Version 1 is the first; a later one says here what becomes of the rows of each before it. */
export const cacheSchema: DatabaseSchema = {
  version: 1,
  upgrade(database, _transaction, from) {
    if (from >= 1) return
    database.createObjectStore('state')
    const heads = database.createObjectStore('heads', { keyPath: 'key' })
    heads.createIndex('write', 'write')
    heads.createIndex('usedAt', 'usedAt')
    heads.createIndex('vector', 'vector')
    database.createObjectStore('texts', { keyPath: 'key' })
    database.createObjectStore('removed', { keyPath: 'key' }).createIndex('write', 'write')
    database.createObjectStore('embeddings', { keyPath: 'key' }).createIndex('day', 'day')
  },
}

/** Undefined: there is none, or it is damaged. */
export async function readState(stores: Stores): Promise<State | undefined> {
  const row: unknown = await given(stores('state').get(0))
  return isState(row) ? row : undefined
}

export const newState = (secret: string): State => ({ secret, write: 0, bytes: 0, vectorBytes: 0, tally: [] })

export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null
const hex = (value: unknown, empty = false): boolean =>
  typeof value === 'string' && (/^[0-9a-f]{32}$/.test(value) || (empty && value === ''))
const count = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0

function isState(row: unknown): row is State {
  if (!isObject(row) || !hex(row['secret'])) return false
  const { write, bytes, vectorBytes, tally } = row
  return [write, bytes, vectorBytes].every(count) && Array.isArray(tally)
}

/** Whether a row is one that this code wrote; anything may stand in a database that others can open. */
export function isHeadRow(row: unknown): row is HeadRow {
  if (!isObject(row)) return false
  const { key, scope, label, createdAt, expiresAt, bytes, space, vector, belief, usedAt, write, writer } = row
  const worth = isObject(row['worth']) ? row['worth'] : {}
  return (
    hex(key) &&
    hex(scope) &&
    hex(space, true) &&
    hex(vector, true) &&
    [label, writer].every((text) => typeof text === 'string') &&
    [createdAt, expiresAt, bytes, usedAt, write, worth['tokens'], worth['microUsd'], worth['ms']].every(count) &&
    (belief === undefined || (Array.isArray(belief) && belief.length === 2 && belief.every(Number.isFinite)))
  )
}

export function isTextRow(row: unknown): row is TextRow {
  return isObject(row) && typeof row['prompt'] === 'string' && typeof row['answer'] === 'string'
}

export function isEmbeddingRow(row: unknown): row is EmbeddingRow {
  return isObject(row) && row['vector'] instanceof Float32Array
}
