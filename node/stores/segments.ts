/** The files of one kind in a cache's folder, as one process sees them: which there are, what is new in them, and reading from them. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../error-code.js'
import { ownerState, type ProcessOwner } from '../run/process-owner.js'
import type { SegmentHead } from './appender.js'
import { bytesOf, decodeRecord, jsonOf, scanRecords, type FoundRecord, type Place, type Scan } from './record.js'

/** A file of a process elsewhere that has not grown for so long is over: see the appender. */
const staleMs = 86_400_000
/** Files held open for reading. */
const mostOpen = 8
/**
 * A folder is not listed again while its time stays the same and was that already this long before the last list, ms: clocks of file
 * systems tick coarsely, and a file may come within the same tick after the list was made.
 */
const tickMs = 2_000
/** Records between two turns of the event loop. */
const recordsAtOnce = 2_000

export interface Segment {
  readonly name: string
  readonly path: string
  /** Of this instance: what is in it is known without reading. */
  readonly own: boolean
  owner: ProcessOwner | undefined
  replaces: readonly string[]
  /** It will not grow any more. */
  over: boolean
  /** Something in it is unreadable. */
  damaged: boolean
  /** Bytes of it when last looked at. */
  size: number
  changedAt: number
  /** Read so far. */
  readonly scan: Scan
}

/** A record, and where. */
export interface Location extends Place {
  readonly segment: Segment
}

export interface SegmentListener {
  /** Of a segment, in its order. False: its content is damaged. */
  record(segment: Segment, record: FoundRecord): boolean
  /** It has gone; what is of it and has not come again from another is gone too. */
  gone(segments: ReadonlySet<Segment>): void
  /** For people. */
  damage(what: string): void
}

export class SegmentFolder {
  readonly segments = new Map<string, Segment>()
  /** Files that another one replaces and that are still there. */
  readonly leftovers = new Set<string>()
  readonly #place: string
  readonly #extension: string
  readonly #listener: SegmentListener
  readonly #open = new Map<Segment, number>()
  /** The folder's time, since when it is known (performance.now), and whether it says that nothing has come or gone since the last list. */
  #folder = { changedAt: NaN, since: 0, settled: false }
  #looking: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(place: string, extension: string, listener: SegmentListener) {
    this.#place = place
    this.#extension = extension
    this.#listener = listener
  }

  /** A file that this process has begun, and how far it has got. */
  own(name: string, owner: ProcessOwner): void {
    this.segments.set(name, { ...this.#segment(name, true), owner })
  }
  grown(name: string, size: number, over: boolean): void {
    const segment = this.segments.get(name)
    if (segment === undefined) return
    segment.size = segment.scan.end = size
    segment.over ||= over
  }

  /** Reads all that was there when it was called, and notices what has gone. Fails as the system does. */
  look(): Promise<void> {
    if (this.#looking === undefined) {
      this.#looking = this.#look().finally(() => (this.#looking = undefined))
      return this.#looking
    }
    // The one in progress may have listed the folder too early; one more serves all that have come meanwhile.
    this.#next ??= this.#looking
      .catch(() => {})
      .then(() => {
        this.#next = undefined
        return this.look()
      })
    return this.#next
  }

  /** A record's head and body; 'gone' when its file is not there any more, 'damaged' when it is not what was written. */
  read(at: Location): { head: Buffer; body: Buffer; record: Buffer } | 'gone' | 'damaged' {
    const file = this.#fileOf(at.segment)
    if (file === undefined) return 'gone'
    const record = Buffer.allocUnsafe(bytesOf(at))
    for (let held = 0; held < record.length;) {
      const more = readSync(file, record, held, record.length - held, at.offset + held)
      if (more === 0) return 'damaged'
      held += more
    }
    const parts = decodeRecord(record, at)
    return parts === undefined ? 'damaged' : { ...parts, record }
  }

  /** Marks what will not grow any more: of processes that are dead, or were never heard of again. Tells of what they left torn. */
  async findOver(own: ProcessOwner): Promise<void> {
    for (const segment of this.segments.values()) {
      if (segment.over || segment.own) continue
      const state = segment.owner === undefined ? 'elsewhere' : await ownerState(segment.owner, own)
      if (state === 'lives') continue
      if (state === 'elsewhere' && Math.abs(Date.now() - segment.changedAt) < staleMs) continue
      // It may have written something between the last look and its end.
      await this.look()
      segment.over = true
      this.#tellTorn(segment)
    }
  }

  close(): void {
    for (const file of this.#open.values()) closeSync(file)
    this.#open.clear()
  }

  #segment(name: string, own: boolean): Segment {
    const path = join(this.#place, name + this.#extension)
    const scan = { end: 0, torn: 0, skipped: 0 }
    return { name, path, own, owner: undefined, replaces: [], over: false, damaged: false, size: 0, changedAt: 0, scan }
  }

  #names(): string[] {
    const { length } = this.#extension
    let all: string[] = []
    try {
      all = readdirSync(this.#place)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
    const names = all.filter((name) => name.endsWith(this.#extension) && !name.startsWith('.'))
    return names.map((name) => name.slice(0, -length)).sort()
  }

  async #look(): Promise<void> {
    const changedAt = statSync(this.#place, { throwIfNoEntry: false })?.mtimeMs ?? NaN
    const now = performance.now()
    const same = changedAt === this.#folder.changedAt
    if (same && this.#folder.settled) {
      // No file has come or gone: only what others write to may have grown.
      const grown = [...this.segments.values()].filter((segment) => this.#hasGrown(segment))
      for (const segment of grown.sort((a, b) => (a.name < b.name ? -1 : 1))) await this.#read(segment)
      return
    }
    const since = same ? this.#folder.since : now
    this.#folder = { changedAt, since, settled: false }
    await this.#list()
    this.#folder = { changedAt, since, settled: now - since > tickMs }
  }

  async #list(): Promise<void> {
    // Before the list is made: an own file that begins meanwhile is in neither.
    const known = new Set(this.segments.keys())
    let names = this.#names()
    // Listing and renaming may cross: what seems to be missing is looked for twice.
    const listed = new Set(names)
    if ([...known].some((name) => !listed.has(name))) names = this.#names()
    // What a compacted file holds is read there, whether or not the old ones have been deleted yet. It has the later name.
    this.leftovers.clear()
    const grown: Segment[] = []
    for (const name of names.reverse()) {
      if (this.leftovers.has(name)) continue
      const segment = this.segments.get(name) ?? this.#newcomer(name)
      if (segment === undefined) continue
      for (const replaced of segment.replaces) this.leftovers.add(replaced)
      if (this.#hasGrown(segment)) grown.push(segment)
    }
    for (const segment of grown.reverse()) if (!this.leftovers.has(segment.name)) await this.#read(segment)
    const present = new Set(names)
    const left = (name: string): boolean => this.leftovers.has(name) || (known.has(name) && !present.has(name))
    const gone = new Set([...this.segments.values()].filter(({ name }) => left(name)))
    for (const name of this.leftovers) if (!present.has(name)) this.leftovers.delete(name)
    if (gone.size === 0) return
    for (const segment of gone) {
      this.segments.delete(segment.name)
      this.#shut(segment)
    }
    this.#listener.gone(gone)
  }

  #newcomer(name: string): Segment | undefined {
    const segment = this.#segment(name, false)
    try {
      const [first] = scanRecords(segment.path, 0, { end: 0, torn: 0, skipped: 0 })
      const head = first?.kind === 'begin' ? (jsonOf(first.head) as Partial<SegmentHead> | undefined) : undefined
      segment.owner = head?.owner
      segment.replaces = head?.replaces ?? []
    } catch (error) {
      // Deleted between the listing and now.
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
    this.segments.set(name, segment)
    return segment
  }

  #hasGrown(segment: Segment): boolean {
    if (segment.over || segment.own) return false
    try {
      const { size, mtimeMs } = statSync(segment.path)
      // By the time too: what was torn may have been replaced by as many bytes.
      const grown = size !== segment.size || mtimeMs !== segment.changedAt
      segment.size = size
      segment.changedAt = mtimeMs
      return grown
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return false
      throw error
    }
  }

  async #read(segment: Segment): Promise<void> {
    let count = 0
    let damaged = 0
    try {
      for (const record of scanRecords(segment.path, segment.scan.end, segment.scan)) {
        if (record.kind === 'end') segment.over = true
        else if (record.kind !== undefined && record.kind !== 'begin' && !this.#listener.record(segment, record))
          damaged += 1
        if (++count % recordsAtOnce === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
    const { skipped } = segment.scan
    const what = skipped > 0 ? `${skipped} bytes` : `${damaged} records`
    if (skipped > 0 || damaged > 0) this.#tell(segment, `${what} unreadable`)
    if (segment.over) this.#tellTorn(segment)
  }

  #tellTorn(segment: Segment): void {
    const { scan } = segment
    if (scan.torn > 0) this.#tell(segment, `cut off at its end, ${scan.torn} bytes left out`)
    scan.torn = 0
  }

  #tell(segment: Segment, what: string): void {
    segment.damaged = true
    this.#listener.damage(`${segment.name}${this.#extension}: ${what}`)
  }

  #fileOf(segment: Segment): number | undefined {
    let file = this.#open.get(segment)
    try {
      file ??= openSync(segment.path, 'r')
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
    // The last one used comes to the end, and the first is the one that goes.
    this.#open.delete(segment)
    this.#open.set(segment, file)
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= mostOpen) break
      this.#shut(oldest)
    }
    return file
  }

  #shut(segment: Segment): void {
    const file = this.#open.get(segment)
    if (file !== undefined) closeSync(file)
    this.#open.delete(segment)
  }
}
