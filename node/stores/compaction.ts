/**
 * Rewrites files that will not grow any more into one, without what has been replaced or removed.
 *
 *   1  take the turn     2  write .part, flush     3  rename: from now on the new file counts, and those that it names do not
 *                                                  4  delete those
 *
 * Killed before 3, nothing has happened; after it, the rest of 4 is done by the next one. Others read on where they were, or find
 * a file gone and look again.
 */
import { open, readdir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { mostEmbeddings } from '../../web/standard/stores/memory.js'
import { errorCode } from '../error-code.js'
import { syncFolder } from '../run/outputs.js'
import type { ProcessOwner } from '../run/process-owner.js'
import { RunLock } from '../run/lock.js'
import { writeAll, type SegmentHead } from './appender.js'
import type { EntryIndex } from './entry-index.js'
import { fileMode, formatVersion, partName, segmentName } from './place.js'
import { bytesOf, encodeRecord } from './record.js'
import type { Location, Segment, SegmentFolder } from './segments.js'
import type { VectorIndex } from './vectors.js'
import { makeFolder } from '../make-folder.js'

/** More files than this are made fewer. */
const mostFiles = 16
/** Dead weight that is not worth the work. */
const leastDeadBytes = 256 << 10
/** A file so much larger than the smaller ones together is left alone: it would be written again for little. */
const largeBy = 4
const partAgeMs = 86_400_000
const joinedBytes = 4 << 20
/** Keys named in one record. */
const keysAtOnce = 1_000

/** One at a time does `work`; undefined when it is another's turn. `fence` fails when the turn has been taken away. */
export async function inTurn<T>(
  place: string,
  work: (fence: () => Promise<void>) => Promise<T>,
): Promise<T | undefined> {
  const folder = join(place, 'compacting')
  await makeFolder(folder, 0o700)
  let lock: RunLock
  try {
    lock = await RunLock.acquire(folder, await isStale(folder))
  } catch (error) {
    if (errorCode(error) === 'host.run_locked') return undefined
    throw error
  }
  try {
    await sweep(place)
    return await work(() => lock.check())
  } finally {
    await lock.release().catch(() => {})
  }
}

/** Taken by somebody of whom nothing was heard for a day: no compaction takes that long. */
async function isStale(folder: string): Promise<boolean> {
  const names = await readdir(folder)
  const ages = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      ),
    ),
  )
  return ages.length > 0 && Math.min(...ages) > partAgeMs
}

/** What killed processes left half made: of compactions all, for nobody else is at it; of others what is old. */
async function sweep(place: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (!/^\.\d+-.*\.part$/.test(name)) continue
    const path = join(place, name)
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if (name.includes('-compact') || age > partAgeMs) await unlink(path).catch(() => {})
  }
}

/** The files worth rewriting among those that are over. `all`: whatever it costs. */
export function chooseVictims(
  segments: Iterable<Segment>,
  live: ReadonlyMap<Segment, number>,
  all: boolean,
): readonly Segment[] {
  const over = [...segments].filter((segment) => segment.over).sort((one, other) => one.size - other.size)
  const dead = (segment: Segment): number => segment.size - (live.get(segment) ?? 0)
  const sum = (of: readonly Segment[], what: (segment: Segment) => number): number =>
    of.reduce((bytes, segment) => bytes + what(segment), 0)
  const size = (segment: Segment): number => segment.size
  if (all) return over.length > 1 || sum(over, dead) > sum(over, size) / 4 ? over : []
  if (sum(over, dead) > Math.max(leastDeadBytes, sum(over, size) / 2)) return over
  // Rewritten, so that the damage is told once and not to everybody who comes.
  if (over.length <= mostFiles) return over.filter(({ damaged }) => damaged)
  const chosen = [...over]
  for (let last = chosen.at(-1); last !== undefined && chosen.length > 2; last = chosen.at(-1)) {
    if (last.damaged || last.size <= largeBy * sum(chosen.slice(0, -1), size) || dead(last) > last.size / 2) break
    chosen.pop()
  }
  return chosen
}

export interface Compaction<Index> {
  readonly place: string
  readonly extension: string
  readonly folder: SegmentFolder
  readonly index: Index
  readonly owner: ProcessOwner
  readonly fence: () => Promise<void>
}

export async function compactEntries(work: Compaction<EntryIndex>, victims: readonly Segment[]): Promise<void> {
  const { index, folder } = work
  const among = new Set(victims)
  const live = [...index.entries].filter(([, { segment }]) => among.has(segment))
  await replace(work, victims, async (write) => {
    await copy(folder, live, write, (key, at) => index.damaged(key, at))
    const used = live.flatMap(([key, { usedAt, createdAt }]) => (usedAt > createdAt ? [[key, usedAt] as const] : []))
    for (let at = 0; at < used.length; at += keysAtOnce)
      await write(encodeRecord('used', { keys: used.slice(at, at + keysAtOnce) }))
    await write(encodeRecord('count', index.tally(victims)))
    // A removal is to be remembered as long as a file that stays may hold what it removed.
    if ([...folder.segments.values()].every((segment) => among.has(segment))) return
    for (const [key, stamp] of index.removed) await write(encodeRecord('remove', { ...stamp, keys: [key] }))
  })
}

export async function compactVectors(
  work: Compaction<VectorIndex>,
  victims: readonly Segment[],
  entries: number,
): Promise<void> {
  const { index, folder } = work
  const among = new Set(victims)
  let surplus = index.places.size - mostEmbeddings(entries)
  // The oldest go that nobody has asked for, then the oldest.
  const here = [...index.places].filter(([, { segment }]) => among.has(segment))
  const order = [...here.filter(([, { asked }]) => !asked), ...here.filter(([, { asked }]) => asked)]
  const kept = order.filter(() => surplus-- <= 0)
  await replace(work, victims, (write) => copy(folder, kept, write, (key, at) => index.lost(key, at)))
}

type Write = (record: Buffer) => Promise<void>

/** Records as they are, in the order in which they lie. */
async function copy(
  folder: SegmentFolder,
  records: readonly (readonly [string, Location])[],
  write: Write,
  damaged: (key: string, at: Location) => void,
): Promise<void> {
  const byPlace = [...records].sort(([, one], [, other]) =>
    one.segment.name < other.segment.name ? -1 : one.segment === other.segment ? one.offset - other.offset : 1,
  )
  for (const [key, at] of byPlace) {
    const found = folder.read(at)
    if (found === 'damaged') damaged(key, at)
    else if (found !== 'gone') await write(found.record)
  }
}

async function replace(
  { place, extension, folder, owner, fence }: Compaction<unknown>,
  victims: readonly Segment[],
  fill: (write: Write) => Promise<void>,
): Promise<void> {
  const part = join(place, partName('compact'))
  const replaces = victims.flatMap(({ name, replaces }) => [name, ...replaces])
  const head: SegmentHead = { format: formatVersion, owner, replaces: await existing(place, extension, replaces) }
  const file = await open(part, 'ax', fileMode)
  try {
    await writeJoined(file, async (write) => {
      await write(encodeRecord('begin', head))
      await fill(write)
      await write(encodeRecord('end', {}))
    })
    await file.datasync()
    await file.close()
    await fence()
    await rename(part, join(place, segmentName() + extension))
  } catch (error) {
    await file.close().catch(() => {})
    await unlink(part).catch(() => {})
    throw error
  }
  await syncFolder(place)
  for (const name of head.replaces ?? []) await unlink(join(place, name + extension)).catch(() => {})
  await folder.look()
}

/** Deletes what an earlier compaction replaced and did not come to delete, or could not. */
export async function removeLeftovers(place: string, extension: string, folder: SegmentFolder): Promise<void> {
  for (const name of folder.leftovers) await unlink(join(place, name + extension)).catch(() => {})
}

/** Of files that were replaced before, some may have withstood: they are replaced still. */
async function existing(place: string, extension: string, names: readonly string[]): Promise<readonly string[]> {
  const present = new Set(await readdir(place))
  return [...new Set(names)].filter((name) => present.has(name + extension))
}

async function writeJoined(file: FileHandle, fill: (write: Write) => Promise<void>): Promise<void> {
  let held: Buffer[] = []
  let bytes = 0
  const out = async (): Promise<void> => {
    const records = held
    held = []
    bytes = 0
    await writeAll(file, records)
  }
  await fill(async (record) => {
    held.push(record)
    bytes += record.length
    if (bytes >= joinedBytes) await out()
  })
  await out()
}

export function liveVectorBytes(index: VectorIndex): Map<Segment, number> {
  const live = new Map<Segment, number>()
  for (const at of index.places.values()) live.set(at.segment, (live.get(at.segment) ?? 0) + bytesOf(at))
  return live
}
