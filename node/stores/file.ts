/**
 * The cache's store in a folder, for many processes at once. Nobody waits for anybody: each writes to files of its own, and reads
 * what the others have added to theirs. Compaction alone takes turns, and only over files whose writers are done.
 */
import { randomBytes } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheEntry, CacheStore, CacheTally, StoreChanges } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import { thisProcess, type ProcessOwner } from '../run/process-owner.js'
import { Appender } from './appender.js'
import {
  chooseVictims,
  compactEntries,
  compactVectors,
  inTurn,
  liveVectorBytes,
  removeLeftovers,
} from './compaction.js'
import { EntryIndex, entryOf, putRecordOf } from './entry-index.js'
import { openPlace, storeError } from './place.js'
import { encodeRecord } from './record.js'
import { SegmentFolder } from './segments.js'
import { vectorOf, VectorIndex, vectorRecord } from './vectors.js'

export interface FileStoreOptions {
  /**
   * `put` and `remove` resolve only when the disk has it. Default false: the system has it, which outlives the process but no
   * loss of power. What a cache loses is asked again.
   */
  readonly sync?: boolean | undefined
  /** So many embeddings are kept however few entries there are; default 10,000. */
  readonly embeddings?: number | undefined
}

/** Uses and counters are written this much later, together. */
const lazyMs = 200
const keysAtOnce = 1_000

/** A store in `folder`, opened. Fails: cache.store_failed (made by a newer version, damaged), cache.full, host.io_failed. */
export async function openFileStore(folder: string, options: FileStoreOptions = {}): Promise<FileStore> {
  const store = new FileStore(folder, options)
  await store.open()
  return store
}

/** What is there once the folder is open. */
interface Parts {
  readonly secret: string
  readonly place: string
  readonly owner: ProcessOwner
  readonly entries: SegmentFolder
  readonly vectors: SegmentFolder
  readonly entryFile: Appender
  readonly vectorFile: Appender
}

export class FileStore implements CacheStore {
  readonly #folder: string
  readonly #sync: boolean
  readonly #embeddings: number
  /** Of equal times, this decides whose word is the last. */
  readonly #writer = randomBytes(6).toString('hex')
  readonly #index = new EntryIndex()
  readonly #vectors = new VectorIndex((what) => this.#index.damage(what))
  #parts: Parts | undefined
  #opening: Promise<Parts> | undefined
  #closing: Promise<void> | undefined
  /** The embeddings' places are read when the first one is asked for. */
  #vectorsKnown = false
  readonly #fresh = new Map<string, Float32Array>()
  #used = new Map<string, number>()
  /** Not yet written; the second ones are on their way. */
  #counts = new Map<string, number>()
  #countsOut = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #compacting: Promise<void> = Promise.resolve()

  constructor(folder: string, { sync = false, embeddings = 0 }: FileStoreOptions = {}) {
    this.#folder = folder
    this.#sync = sync
    this.#embeddings = embeddings
  }

  async open(): Promise<{ readonly secret: string }> {
    if (this.#closing !== undefined) throw closed(this.#folder)
    this.#opening ??= this.#open()
    try {
      return { secret: (await this.#opening).secret }
    } catch (error) {
      this.#opening = undefined
      throw storeError(this.#folder, error)
    }
  }

  async changes(): Promise<StoreChanges> {
    return this.#with(async ({ entries }) => {
      await entries.look()
      return this.#index.changes()
    })
  }

  async read(key: string): Promise<CacheEntry | undefined> {
    return this.#with(async ({ entries }) => {
      for (let tries = 0; tries < 3; ++tries) {
        const at = this.#index.entries.get(key)
        if (at === undefined) return undefined
        const found = entries.read(at)
        // Compacted since the last look: it lies elsewhere now.
        if (found === 'gone') await entries.look()
        else {
          const entry = found === 'damaged' ? undefined : entryOf(key, found)
          if (entry === undefined) this.#index.damaged(key, at)
          return entry
        }
      }
      return undefined
    })
  }

  async put(entry: CacheEntry): Promise<void> {
    await this.#with(async ({ entries, entryFile }) => {
      const stamp = this.#index.stampFor([entry.key], this.#writer)
      const { head, body } = putRecordOf(entry, stamp)
      const record = encodeRecord('put', head, body)
      const { name, offset } = await entryFile.append(record)
      const segment = entries.segments.get(name)
      const place = { offset, headBytes: head.length, bodyBytes: body.length }
      if (segment !== undefined) this.#index.ownPut({ segment, ...place }, entry, stamp)
    })
  }

  async remove(keys: readonly string[]): Promise<void> {
    await this.#with(async ({ entryFile }) => {
      for (let from = 0; from < keys.length; from += keysAtOnce) {
        const some = keys.slice(from, from + keysAtOnce)
        const stamp = this.#index.stampFor(some, this.#writer)
        await entryFile.append(encodeRecord('remove', { ...stamp, keys: some }))
        this.#index.remove(some, stamp, false)
      }
    })
  }

  used(keys: readonly string[], at: number): void {
    if (this.#closing !== undefined) return
    for (const key of keys) {
      if (!this.#index.entries.has(key)) continue
      this.#index.used(key, at)
      this.#used.set(key, Math.max(at, this.#used.get(key) ?? at))
      this.#later()
    }
  }

  async embedding(key: string): Promise<Float32Array | undefined> {
    return this.#with(async ({ vectors }) => {
      const fresh = this.#fresh.get(key)
      if (fresh !== undefined) return fresh.slice()
      for (let tries = 0; tries < 3; ++tries) {
        if (!this.#vectorsKnown || !this.#vectors.places.has(key)) await this.#lookForVectors(vectors)
        const at = this.#vectors.places.get(key)
        if (at === undefined) return undefined
        const found = vectors.read(at)
        if (found === 'gone') await vectors.look()
        else {
          at.asked = true
          const vector = found === 'damaged' ? undefined : vectorOf(key, found)
          if (vector === undefined) this.#vectors.lost(key, at)
          return vector
        }
      }
      return undefined
    })
  }

  keepEmbedding(key: string, vector: Float32Array): void {
    const parts = this.#parts
    if (parts === undefined || this.#closing !== undefined) return
    const copy = vector.slice()
    this.#fresh.set(key, copy)
    const known = (): void => {
      if (this.#fresh.get(key) === copy) this.#fresh.delete(key)
    }
    parts.vectorFile.append(vectorRecord(key, copy)).then(({ name, offset }) => {
      const segment = parts.vectors.segments.get(name)
      const place = { offset, headBytes: key.length / 2, bodyBytes: copy.byteLength }
      if (segment !== undefined) this.#vectors.add(key, { segment, ...place })
      known()
    }, known)
  }

  count(more: CacheTally): void {
    if (this.#closing !== undefined) return
    for (const [name, by] of Object.entries(more)) this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
    this.#later()
  }

  async tally(): Promise<CacheTally> {
    return this.#with(async ({ entries }) => {
      await entries.look()
      const own = new Map(this.#counts)
      for (const [name, by] of this.#countsOut) own.set(name, (own.get(name) ?? 0) + by)
      return this.#index.tally(undefined, own)
    })
  }

  async size(): Promise<number> {
    return this.#with(({ place }) => {
      let bytes = 0
      for (const name of readdirSync(place)) bytes += statSync(join(place, name), { throwIfNoEntry: false })?.size ?? 0
      return Promise.resolve(bytes)
    })
  }

  /** Also of what this instance has written. Fails: cache.full, host.io_failed; the store is as before then. */
  async compact(): Promise<void> {
    await this.#with(async (parts) => {
      await this.#writeHeldBack()
      await parts.entryFile.end()
      await parts.vectorFile.end()
      await this.#compact(parts, true)
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #open(): Promise<Parts> {
    const { place, secret } = await openPlace(this.#folder)
    const owner = await thisProcess()
    const index = this.#index
    const parts: Parts = {
      ...{ secret, place, owner },
      entries: new SegmentFolder(place, '.seg', {
        record: (segment, record) => index.record(segment, record),
        damage: (what) => index.damage(what),
        gone: (segments) => {
          index.gone(segments)
          for (const { name } of segments) parts.entryFile.abandon(name)
        },
      }),
      vectors: new SegmentFolder(place, '.vec', {
        record: (segment, record) => this.#vectors.record(segment, record),
        damage: (what) => index.damage(what),
        gone: (segments) => {
          this.#vectors.gone(segments)
          for (const { name } of segments) parts.vectorFile.abandon(name)
        },
      }),
      entryFile: this.#appender(place, '.seg', owner, () => parts.entries),
      vectorFile: this.#appender(place, '.vec', owner, () => parts.vectors),
    }
    await parts.entries.look()
    await parts.entries.findOver(owner)
    this.#parts = parts
    // Nobody waits for it; closing does.
    this.#compacting = this.#compact(parts, false).catch(() => {})
    return parts
  }

  #appender(place: string, extension: string, owner: ProcessOwner, folder: () => SegmentFolder): Appender {
    return new Appender({
      ...{ place, extension, owner, sync: this.#sync },
      begun: (name) => folder().own(name, owner),
      grown: (name, size, over) => folder().grown(name, size, over),
    })
  }

  async #close(): Promise<void> {
    const parts = await this.#opening?.catch(() => undefined)
    if (parts === undefined) return
    await this.#writeHeldBack()
    await parts.entryFile.end()
    await parts.vectorFile.end()
    await this.#compacting
    // What is not compacted today is another time.
    await this.#compact(parts, false).catch(() => {})
    parts.entries.close()
    parts.vectors.close()
  }

  /** Runs `work` on the open store; whatever the system says becomes an error of a store. */
  async #with<T>(work: (parts: Parts) => Promise<T>): Promise<T> {
    if (this.#parts === undefined || this.#closing !== undefined) throw closed(this.#folder)
    try {
      return await work(this.#parts)
    } catch (error) {
      throw storeError(this.#parts.place, error)
    }
  }

  async #lookForVectors(vectors: SegmentFolder): Promise<void> {
    await vectors.look()
    this.#vectorsKnown = true
  }

  #later(): void {
    this.#timer ??= setTimeout(() => void this.#writeHeldBack(), lazyMs)
  }

  /** Uses and counters. Never fails: what could not be written is tried again with the next. */
  #writeHeldBack(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(async () => {
      const parts = this.#parts
      if (parts === undefined) return
      await this.#writeUses(parts).catch(() => {})
      await this.#writeCounts(parts).catch(() => {})
    })
    return this.#writing
  }

  async #writeUses({ entryFile }: Parts): Promise<void> {
    const used = [...this.#used]
    this.#used = new Map()
    for (let from = 0; from < used.length; from += keysAtOnce)
      await entryFile.append(encodeRecord('used', { keys: used.slice(from, from + keysAtOnce) }))
  }

  async #writeCounts({ entries, entryFile }: Parts): Promise<void> {
    if (this.#counts.size === 0) return
    const out = (this.#countsOut = this.#counts)
    this.#counts = new Map()
    const counts = Object.fromEntries(out)
    try {
      const { name } = await entryFile.append(encodeRecord('count', counts))
      const segment = entries.segments.get(name)
      if (segment !== undefined) this.#index.count(segment, counts)
    } catch {
      for (const [name, by] of out) this.#counts.set(name, (this.#counts.get(name) ?? 0) + by)
    }
    this.#countsOut = new Map()
  }

  /** `all`: whatever it costs; otherwise only what is worth it. */
  async #compact(parts: Parts, all: boolean): Promise<void> {
    const { place, owner, entries, vectors } = parts
    const index = this.#index
    const entryVictims = (): ReturnType<typeof chooseVictims> =>
      chooseVictims(entries.segments.values(), index.liveBytes(), all)
    const vectorVictims = (): ReturnType<typeof chooseVictims> =>
      chooseVictims(vectors.segments.values(), liveVectorBytes(this.#vectors), all)
    const look = async (folder: SegmentFolder): Promise<void> => {
      await folder.look()
      await folder.findOver(owner)
    }
    await look(entries)
    const many = all || this.#vectorsKnown || vectorFiles(place) > 16
    if (many) await this.#lookForVectors(vectors).then(() => look(vectors))
    if (entryVictims().length === 0 && vectorVictims().length === 0) return
    await inTurn(place, async (fence) => {
      // Somebody else may have had the turn in between.
      await look(entries)
      if (many) await look(vectors)
      await removeLeftovers(place, '.seg', entries)
      await removeLeftovers(place, '.vec', vectors)
      const common = { place, owner, fence }
      const chosen = entryVictims()
      if (chosen.length > 0) await compactEntries({ ...common, extension: '.seg', folder: entries, index }, chosen)
      const more = vectorVictims()
      const vectorWork = { ...common, extension: '.vec', folder: vectors, index: this.#vectors }
      if (more.length > 0) await compactVectors(vectorWork, more, Math.max(index.entries.size, this.#embeddings / 2))
    })
  }
}

const vectorFiles = (place: string): number => readdirSync(place).filter((name) => name.endsWith('.vec')).length

const closed = (folder: string): AetherflowError =>
  new AetherflowError('cache.store_failed', folder, 'the store is not open')
