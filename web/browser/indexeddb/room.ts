/** What is taken out of a cache's database so that it stays within bounds. */
import { mostEmbeddings } from '../../standard/stores/memory.js'
import { given, walk, type Database } from './database.js'
import { allStores, isEmbeddingRow, isHeadRow, readState, type HeadRow } from './rows.js'

/** Removals that others are told of; one who has not looked for so many meets what is gone when it reads it. */
const mostRemoved = 10_000
/**
 * Shares of all bytes that go when the origin is full: at least, as removing one by one would do it again with every entry; at most,
 * as what is too large for the origin must not empty the cache.
 */
const [leastShare, mostShare] = [1 / 8, 1 / 2]

/**
 * Removes the longest unused entries, twice `needed` bytes of them within bounds. Only removes: of a full origin nothing is written that
 * takes room. Keys and bytes of what went, for the state and for others.
 */
export function dropOldest(database: Database, needed: number): Promise<Map<string, number>> {
  return database.run(['state', 'heads', 'texts'], 'readwrite', async (stores) => {
    const all = (await readState(stores))?.bytes ?? 0
    const target = Math.min(Math.max(2 * needed, all * leastShare), all * mostShare)
    const gone = new Map<string, number>()
    let bytes = 0
    await walk(stores('heads').index('usedAt').openCursor(), (cursor) => {
      const { key, bytes: own } = cursor.value as HeadRow
      cursor.delete()
      stores('texts').delete(key)
      gone.set(key, own)
      bytes += own
      return bytes < target
    })
    return gone
  })
}

/** Vectors of texts that nobody has asked for the longest go first; those that an entry is found by stay. */
export function boundEmbeddings(database: Database): Promise<void> {
  return database.run(['state', 'heads', 'embeddings'], 'readwrite', async (stores) => {
    const [state, heads, embeddings] = [await readState(stores), stores('heads'), stores('embeddings')]
    let over = (await given(embeddings.count())) - mostEmbeddings(await given(heads.count()))
    if (state === undefined || over <= 0) return
    const byDay = await given(embeddings.index('day').getAllKeys())
    for (const key of byDay) {
      if (over <= 0) break
      if ((await given(heads.index('vector').getKey(key))) !== undefined) continue
      const row: unknown = await given(embeddings.get(key))
      state.vectorBytes -= isEmbeddingRow(row) ? row.vector.byteLength : 0
      embeddings.delete(key)
      over -= 1
    }
    stores('state').put(state, 0)
  })
}

/** Counts again, forgets old removals and rows without their other half. */
export async function tidy(database: Database): Promise<void> {
  await boundEmbeddings(database)
  await database.run(allStores, 'readwrite', async (stores) => {
    const state = await readState(stores)
    if (state === undefined) return
    const known = new Set<IDBValidKey>()
    state.bytes = 0
    for (const row of await given<unknown[]>(stores('heads').getAll())) {
      if (!isHeadRow(row)) continue
      known.add(row.key)
      state.bytes += row.bytes
    }
    for (const key of await given(stores('texts').getAllKeys())) if (!known.has(key)) stores('texts').delete(key)
    const removed = await given(stores('removed').index('write').getAllKeys())
    for (const key of removed.slice(0, Math.max(0, removed.length - mostRemoved))) stores('removed').delete(key)
    stores('state').put(state, 0)
  })
}
