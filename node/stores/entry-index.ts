/**
 * What the files of a cache say together: for each key the last word of all processes. Words are ordered by time, then writer, so
 * every process comes to the same, in whatever order it reads. Texts stay on disk.
 */
import type { CacheEntry, CacheEntryHead, CacheTally, StoreChanges } from '../../bindings/cache/ports.js'
import { headOf } from '../../web/standard/stores/memory.js'
import { bytesOf, jsonOf, type FoundRecord } from './record.js'
import type { Location, Segment } from './segments.js'

/** When a word was said: ms since 1970, and who said it. */
export interface Stamp {
  readonly at: number
  readonly by: string
}

/** Head of a `put` record; its body is prompt and answer. */
interface PutHead extends Stamp {
  readonly entry: CacheEntryHead
  readonly promptBytes: number
}

export interface Kept extends Stamp, Location {
  usedAt: number
  readonly createdAt: number
}

/** Of equal stamps the later read counts: the same word, copied by a compaction. */
const isOlder = (one: Stamp, other: Stamp): boolean => one.at < other.at || (one.at === other.at && one.by < other.by)

/** Steps of stamps within one ms; whole numbers of them are exact for the next centuries. */
const stampStep = 1 / 1024
/** Kinds of damage that are told in words; the rest is counted. */
const mostDamageTold = 5

export class EntryIndex {
  readonly entries = new Map<string, Kept>()
  readonly removed = new Map<string, Stamp>()
  readonly #used = new Map<string, number>()
  readonly #tallies = new Map<Segment, Map<string, number>>()
  /** Equal texts of many heads are held once. */
  readonly #texts = new Map<string, string>()
  #put = new Map<string, CacheEntryHead>()
  #gone = new Set<string>()
  #damage: string[] = []
  /** Before the first look: keys that the caller can know of, for it has put them. */
  #known: Set<string> | undefined = new Set()
  #lastStamp = 0

  /** Later than all that is known of the key, and than all that this process has said. */
  stampFor(keys: readonly string[], by: string): Stamp {
    let at = this.#lastStamp
    for (const key of keys) at = Math.max(at, this.entries.get(key)?.at ?? 0, this.removed.get(key)?.at ?? 0)
    const now = Date.now()
    this.#lastStamp = now > at ? now : at + stampStep
    return { at: this.#lastStamp, by }
  }

  /** A record from a file. False: its kind or its form is not known here. */
  record(segment: Segment, record: FoundRecord): boolean {
    const head = jsonOf(record.head)
    if (typeof head !== 'object' || head === null) return false
    try {
      this.#take(segment, record, head)
      return true
    } catch {
      return false
    }
  }

  /** An own entry that has been written. */
  ownPut(location: Location, entry: CacheEntryHead, stamp: Stamp): void {
    if (!this.#keep(location, entry, stamp)) return
    this.#known?.add(entry.key)
    this.#put.delete(entry.key)
    this.#gone.delete(entry.key)
  }

  /** `told`: others did it, so it is news. */
  remove(keys: readonly string[], stamp: Stamp, told: boolean): void {
    for (const key of keys) {
      const kept = this.entries.get(key)
      const before = this.removed.get(key)
      if ((kept !== undefined && isOlder(stamp, kept)) || (before !== undefined && isOlder(stamp, before))) continue
      this.removed.set(key, { at: stamp.at, by: stamp.by })
      if (kept !== undefined) this.#drop(key, told)
    }
  }

  used(key: string, at: number): void {
    if (at > (this.#used.get(key) ?? -Infinity)) this.#used.set(key, at)
    const kept = this.entries.get(key)
    if (kept !== undefined && at > kept.usedAt) kept.usedAt = at
  }

  count(segment: Segment, more: CacheTally): void {
    let tally = this.#tallies.get(segment)
    if (tally === undefined) this.#tallies.set(segment, (tally = new Map()))
    for (const [name, by] of Object.entries(more)) tally.set(name, (tally.get(name) ?? 0) + by)
  }

  /** Sums over the files, or some of them. */
  tally(of: Iterable<Segment> = this.#tallies.keys(), more: Iterable<[string, number]> = []): CacheTally {
    const sum = new Map(more)
    for (const segment of of)
      for (const [name, by] of this.#tallies.get(segment) ?? []) sum.set(name, (sum.get(name) ?? 0) + by)
    return Object.fromEntries(sum)
  }

  gone(segments: ReadonlySet<Segment>): void {
    for (const segment of segments) this.#tallies.delete(segment)
    for (const [key, { segment }] of this.entries) if (segments.has(segment)) this.#drop(key, true)
  }

  /** The record of an entry turned out to be unreadable. */
  damaged(key: string, { segment }: Location): void {
    segment.damaged = true
    this.damage(`an entry of ${segment.name} is unreadable`)
    // By now another may be in its place.
    if (this.entries.get(key)?.segment === segment) this.#drop(key, true)
  }

  damage(what: string): void {
    this.#damage.push(what)
  }

  changes(): StoreChanges {
    const put = [...this.#put.values()].map((head) => ({ head, kept: this.entries.get(head.key) }))
    // Equal uses stay in the order in which they were written.
    put.sort(
      ({ kept: one }, { kept: other }) =>
        (one?.usedAt ?? 0) - (other?.usedAt ?? 0) || (one?.at ?? 0) - (other?.at ?? 0),
    )
    const removed = [...this.#gone]
    this.#known = undefined
    const told = this.#damage
    this.#put = new Map()
    this.#gone = new Set()
    this.#damage = []
    const heads = put.map(({ head }) => head)
    if (told.length === 0) return { put: heads, removed }
    const rest = told.length - mostDamageTold
    const damage = told.slice(0, mostDamageTold).join('; ') + (rest > 0 ? `; and ${rest} more` : '')
    return { put: heads, removed, damage }
  }

  /** Bytes of records that are the last word on a key, by segment. */
  liveBytes(): Map<Segment, number> {
    const live = new Map<Segment, number>()
    for (const kept of this.entries.values()) live.set(kept.segment, (live.get(kept.segment) ?? 0) + bytesOf(kept))
    return live
  }

  #take(segment: Segment, { kind, offset, headBytes, bodyBytes }: FoundRecord, head: object): void {
    if (kind === 'put') this.#foundPut({ segment, offset, headBytes, bodyBytes }, head as PutHead)
    else if (kind === 'remove') this.remove((head as { keys: string[] }).keys, head as Stamp, true)
    else if (kind === 'count') this.count(segment, head as CacheTally)
    else if (kind === 'used') for (const [key, at] of (head as { keys: [string, number][] }).keys) this.used(key, at)
  }

  #foundPut(location: Location, head: PutHead): void {
    const entry = { ...headOf(head.entry), scope: this.#once(head.entry.scope), label: this.#once(head.entry.label) }
    const before = this.entries.get(entry.key)
    if (!this.#keep(location, entry, head)) return
    // The same word in another file is no news.
    if (before !== undefined && before.at === head.at && before.by === head.by) return
    this.#put.set(entry.key, entry)
    this.#gone.delete(entry.key)
  }

  #keep({ segment, offset, headBytes, bodyBytes }: Location, entry: CacheEntryHead, { at, by }: Stamp): boolean {
    const { key, createdAt } = entry
    const stamp = { at, by }
    const known = this.entries.get(key) ?? this.removed.get(key)
    if (known !== undefined && isOlder(stamp, known)) return false
    const usedAt = Math.max(createdAt, this.#used.get(key) ?? createdAt)
    // Written out: a hundred thousand of one shape.
    this.entries.set(key, { segment, offset, headBytes, bodyBytes, at, by: this.#once(by), createdAt, usedAt })
    this.removed.delete(key)
    return true
  }

  #drop(key: string, told: boolean): void {
    this.entries.delete(key)
    this.#put.delete(key)
    if (told && this.#known?.has(key) !== false) this.#gone.add(key)
  }

  #once(text: string): string {
    const known = this.#texts.get(text)
    if (known !== undefined) return known
    if (this.#texts.size < 10_000) this.#texts.set(text, text)
    return text
  }
}

export function putRecordOf(entry: CacheEntry, { at, by }: Stamp): { readonly head: Buffer; readonly body: Buffer } {
  const prompt = Buffer.from(entry.prompt, 'utf8')
  const head: PutHead = { at, by, promptBytes: prompt.length, entry: headOf(entry) }
  const body = Buffer.concat([prompt, Buffer.from(entry.answer, 'utf8')])
  return { head: Buffer.from(JSON.stringify(head), 'utf8'), body }
}

/** The entry of a record; undefined when it is not the one of that key. */
export function entryOf(key: string, { head, body }: { head: Buffer; body: Buffer }): CacheEntry | undefined {
  const { entry, promptBytes } = (jsonOf(head) ?? {}) as Partial<PutHead>
  if (entry?.key !== key || promptBytes === undefined) return undefined
  const prompt = body.toString('utf8', 0, promptBytes)
  return { ...headOf(entry), prompt, answer: body.toString('utf8', promptBytes) }
}
