/**
 * Records of the cache's files. A file is nothing but records, one after the other:
 *
 *   0        4     5    8      12     16         20         24
 *   ┌────────┬─────┬────┬──────┬──────┬──────────┬──────────┬──────────┬──────────┐
 *   │FF FE AF│kind │ 0  │ head │ body │ CRC-32   │ CRC-32 of│ head     │ body     │   integers little endian
 *   │     01 │     │    │bytes │bytes │ of body  │ 4…20,head│          │          │
 *   └────────┴─────┴────┴──────┴──────┴──────────┴──────────┴──────────┴──────────┘
 *
 * Bodies (texts, vectors) are passed over when a file is loaded and checked when they are read, so loading costs the heads alone.
 * FF and FE stand in no UTF-8: no text of a model, however meant, can pass for a record once the one around it is damaged.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32 } from 'node:zlib'

export type RecordKind = 'begin' | 'put' | 'remove' | 'used' | 'count' | 'vector' | 'end'

const kinds: readonly RecordKind[] = ['begin', 'put', 'remove', 'used', 'count', 'vector', 'end']
const mark = Buffer.from([0xff, 0xfe, 0xaf, 0x01])
export const prefixBytes = 24
/** More is damage: no head that is written comes near. */
const mostHeadBytes = 64 << 20
const windowBytes = 1 << 20

/** Where a record lies in its file. */
export interface Place {
  readonly offset: number
  readonly headBytes: number
  readonly bodyBytes: number
}

export interface FoundRecord extends Place {
  /** Of a kind that is not known here: undefined. */
  readonly kind: RecordKind | undefined
  /** Borrowed until the next record. */
  readonly head: Buffer
}

export const bytesOf = ({ headBytes, bodyBytes }: Place): number => prefixBytes + headBytes + bodyBytes

export function encodeRecord(kind: RecordKind, head: unknown, body: Uint8Array = new Uint8Array()): Buffer {
  const headBytes = head instanceof Uint8Array ? head : Buffer.from(JSON.stringify(head), 'utf8')
  const record = Buffer.allocUnsafe(prefixBytes + headBytes.length + body.length)
  record.set(mark, 0)
  record.writeUInt32LE(kinds.indexOf(kind), 4)
  record.writeUInt32LE(headBytes.length, 8)
  record.writeUInt32LE(body.length, 12)
  record.writeUInt32LE(crc32(body), 16)
  record.set(headBytes, prefixBytes)
  record.set(body, prefixBytes + headBytes.length)
  record.writeUInt32LE(headSum(record, headBytes.length), 20)
  return record
}

const headSum = (record: Buffer, headBytes: number): number =>
  crc32(record.subarray(prefixBytes, prefixBytes + headBytes), crc32(record.subarray(4, 20)))

/** The head and the body of a record that was read whole; undefined when it is not what was written. */
export function decodeRecord(
  record: Buffer,
  { headBytes, bodyBytes }: Place,
): { head: Buffer; body: Buffer } | undefined {
  const sound =
    record.length === prefixBytes + headBytes + bodyBytes &&
    record.indexOf(mark) === 0 &&
    record.readUInt32LE(8) === headBytes &&
    record.readUInt32LE(20) === headSum(record, headBytes)
  if (!sound) return undefined
  const body = record.subarray(prefixBytes + headBytes)
  if (record.readUInt32LE(16) !== crc32(body)) return undefined
  return { head: record.subarray(prefixBytes, prefixBytes + headBytes), body }
}

/** A head as the JSON that it is; undefined when it is malformed. */
export function jsonOf(head: Buffer): unknown {
  try {
    return JSON.parse(head.toString('utf8'))
  } catch {
    return undefined
  }
}

/** Part of a file, by a window that moves over it. Reads are synchronous: from the system's memory they take microseconds. */
class FileWindow {
  readonly size: number
  readonly #file: number
  #buffer = Buffer.allocUnsafe(0)
  #at = 0
  #held = 0

  constructor(file: number) {
    this.#file = file
    this.size = fstatSync(file).size
  }

  /** Undefined when the file ends before. Borrowed until the next call. */
  bytes(from: number, length: number): Buffer | undefined {
    if (from + length > this.size) return undefined
    if (from < this.#at || from + length > this.#at + this.#held) this.#move(from, length)
    const start = from - this.#at
    return start + length > this.#held ? undefined : this.#buffer.subarray(start, start + length)
  }

  /** First place of the mark at or behind `from`; the file's size when there is none. */
  markFrom(from: number): number {
    for (let at = from; at + mark.length <= this.size; at += windowBytes) {
      const length = Math.min(windowBytes + mark.length - 1, this.size - at)
      const found = this.bytes(at, length)?.indexOf(mark) ?? -1
      if (found >= 0) return at + found
    }
    return this.size
  }

  #move(from: number, length: number): void {
    const wanted = Math.min(Math.max(length, windowBytes), this.size - from)
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafe(wanted)
    this.#at = from
    this.#held = 0
    while (this.#held < wanted) {
      const more = readSync(this.#file, this.#buffer, this.#held, wanted - this.#held, from + this.#held)
      if (more === 0) break
      this.#held += more
    }
  }
}

function recordAt(file: FileWindow, offset: number): FoundRecord | undefined {
  const prefix = file.bytes(offset, prefixBytes)
  if (prefix === undefined || prefix.indexOf(mark) !== 0) return undefined
  const headBytes = prefix.readUInt32LE(8)
  const bodyBytes = prefix.readUInt32LE(12)
  const kind = kinds[prefix.readUInt32LE(4)]
  if (headBytes > mostHeadBytes || offset + prefixBytes + headBytes + bodyBytes > file.size) return undefined
  const record = file.bytes(offset, prefixBytes + headBytes)
  if (record === undefined || record.readUInt32LE(20) !== headSum(record, headBytes)) return undefined
  return { kind, offset, headBytes, bodyBytes, head: record.subarray(prefixBytes) }
}

export interface Scan {
  /** All before this has been read for good; a later scan goes on here. */
  end: number
  /** Bytes behind `end` that are no record, at least not yet: somebody may be writing them. */
  torn: number
  /** Bytes passed over because they are no records, though records follow. */
  skipped: number
}

/** Gives the records of a file from `from` on, and tells in `scan` how it went. Fails as the system does. */
export function* scanRecords(path: string, from: number, scan: Scan): Generator<FoundRecord> {
  const handle = openSync(path, 'r')
  try {
    const file = new FileWindow(handle)
    scan.end = from
    scan.skipped = 0
    while (scan.end < file.size) {
      let record = recordAt(file, scan.end)
      // Lengths of a damaged record tell nothing: the next one that is sound is looked for by its mark.
      let start = scan.end
      while (record === undefined && (start = file.markFrom(start + 1)) < file.size) record = recordAt(file, start)
      if (record === undefined) break
      scan.skipped += start - scan.end
      scan.end = start + bytesOf(record)
      yield record
    }
    scan.torn = Math.max(0, file.size - scan.end)
  } finally {
    closeSync(handle)
  }
}
