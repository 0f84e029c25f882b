/**
 * One process's own file, to whose end it alone writes. What comes while a write is in progress goes out with the next. A write that
 * fails leaves whole records only, so that others never read what is later written over.
 */
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { syncFolder } from '../run/outputs.js'
import type { ProcessOwner } from '../run/process-owner.js'
import { fileMode, formatVersion, partName, segmentName, storeError } from './place.js'
import { encodeRecord } from './record.js'

/** A larger file is ended and another begun: compaction rewrites whole files. */
const mostBytes = 256 << 20
/** One that has rested longer is left, so others may take a file that is a day old for over wherever its writer may run. */
const mostRestMs = 3_600_000

/** The first record of every file. */
export interface SegmentHead {
  readonly format: number
  readonly owner: ProcessOwner
  /** Names without extension: their content is in this one, so they count as deleted. */
  readonly replaces?: readonly string[]
}

export interface AppenderOptions {
  readonly place: string
  /** `.seg` or `.vec` */
  readonly extension: string
  readonly owner: ProcessOwner
  /** Resolve only when the disk has it. */
  readonly sync: boolean
  /** A file of this process has appeared. */
  readonly begun: (name: string) => void
  /** It has this many bytes of whole records; `over`: and will not grow again. */
  readonly grown: (name: string, size: number, over: boolean) => void
}

export interface Written {
  readonly name: string
  readonly offset: number
}

interface Waiting {
  readonly record: Buffer
  readonly done: (written: Written) => void
  readonly failed: (error: unknown) => void
}

export class Appender {
  readonly #options: AppenderOptions
  #waiting: Waiting[] = []
  #file: FileHandle | undefined
  #name = ''
  #size = 0
  #lastWrite = 0
  #running: Promise<void> | undefined

  constructor(options: AppenderOptions) {
    this.#options = options
  }

  /** Resolves when the system (with `sync`: the disk) has the record. Fails: cache.full, host.io_failed. */
  append(record: Buffer): Promise<Written> {
    const written = new Promise<Written>((done, failed) => this.#waiting.push({ record, done, failed }))
    this.#run()
    return written
  }

  /** Writes all that waits. Never fails: anyone who waits is told. */
  async flush(): Promise<void> {
    if (this.#waiting.length > 0) this.#run()
    await this.#running
  }

  /** Ends the file; a later append begins another. */
  async end(): Promise<void> {
    await this.flush()
    await this.#leave(true)
  }

  /** The file has been deleted by somebody: what is written from now on goes to another. */
  abandon(name: string): void {
    if (name !== this.#name) return
    void this.#file?.close().catch(() => {})
    this.#file = undefined
    this.#name = ''
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0) this.#run()
    })
  }

  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      this.#waiting = []
      try {
        await this.#write(await this.#begin(), group)
      } catch (error) {
        for (const { failed } of group) failed(storeError(this.#options.place, error))
      }
    }
  }

  async #begin(): Promise<FileHandle> {
    const rested = Date.now() - this.#lastWrite
    if (this.#file !== undefined && (this.#size > mostBytes || Math.abs(rested) > mostRestMs)) await this.#leave(true)
    if (this.#file !== undefined) return this.#file
    const { place, extension, owner, sync } = this.#options
    const part = join(place, partName())
    const name = segmentName()
    const head: SegmentHead = { format: formatVersion, owner }
    const record = encodeRecord('begin', head)
    let file: FileHandle | undefined
    try {
      file = await open(part, 'ax', fileMode)
      await writeAll(file, [record])
      if (sync) await file.datasync()
      await rename(part, join(place, name + extension))
      if (sync) await syncFolder(place)
    } catch (error) {
      await file?.close().catch(() => {})
      await unlink(part).catch(() => {})
      throw error instanceof PartlyWritten ? error.error : error
    }
    this.#file = file
    this.#name = name
    this.#size = record.length
    this.#lastWrite = Date.now()
    this.#options.begun(name)
    this.#options.grown(name, this.#size, false)
    return file
  }

  /** Writes a group, and tells each of its own end: as much as came through whole is kept. */
  async #write(file: FileHandle, group: readonly Waiting[]): Promise<void> {
    const [start, name] = [this.#size, this.#name]
    let written = 0
    let failure: unknown
    let unsure = false
    try {
      for (const { record } of group) written += record.length
      await writeAll(
        file,
        group.map(({ record }) => record),
      )
      if (this.#options.sync) await file.datasync()
    } catch (error) {
      // After a failed flush nobody knows what the disk has: none of it counts.
      unsure = !(error instanceof PartlyWritten)
      written = error instanceof PartlyWritten ? error.written : 0
      failure = error instanceof PartlyWritten ? error.error : error
    }
    this.#lastWrite = Date.now()
    let end = start
    let kept = 0
    for (const { record } of group) {
      if (end + record.length > start + written) break
      end += record.length
      kept += 1
    }
    this.#size = end
    this.#options.grown(name, end, false)
    let offset = start
    for (const { record, done } of group.slice(0, kept)) {
      done({ name, offset })
      offset += record.length
    }
    if (failure === undefined) return
    if (unsure || !(await this.#cut(file, end))) await this.#leave(false)
    const told = storeError(this.#options.place, failure)
    for (const { failed } of group.slice(kept)) failed(told)
  }

  /** Takes away the part of a record behind `end`; needs no room. */
  async #cut(file: FileHandle, end: number): Promise<boolean> {
    return file.truncate(end).then(
      () => true,
      () => false,
    )
  }

  async #leave(marked: boolean): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    this.#file = undefined
    const last = encodeRecord('end', {})
    // Without the mark others see it by the end of the process.
    const size = this.#size
    const ended = marked
      ? await writeAll(file, [last]).then(
          () => true,
          () => this.#cut(file, size).then(() => false),
        )
      : false
    await file.close().catch(() => {})
    this.#options.grown(this.#name, ended ? size + last.length : size, true)
    this.#name = ''
  }
}

/** Of several buffers, only this many bytes have been written. */
class PartlyWritten extends Error {
  constructor(
    readonly written: number,
    readonly error: unknown,
  ) {
    super('partly written')
  }
}

/** Buffers of a group, joined up to this many bytes per write. */
const joinedBytes = 4 << 20

/** Gives the bytes written. Fails: PartlyWritten. */
export async function writeAll(file: FileHandle, records: readonly Buffer[]): Promise<number> {
  let written = 0
  try {
    for (let from = 0; from < records.length;) {
      let to = from
      let bytes = 0
      while (to < records.length && (bytes === 0 || bytes < joinedBytes)) bytes += records[to++]?.length ?? 0
      const joined = to - from === 1 ? (records[from] ?? Buffer.alloc(0)) : Buffer.concat(records.slice(from, to))
      from = to
      // A write may take less than it was given, above all when the disk is about to be full.
      for (let at = 0; at < joined.length;) {
        const { bytesWritten } = await file.write(joined, at, joined.length - at)
        if (bytesWritten === 0) throw new AetherflowError('cache.full', '', 'nothing was taken')
        at += bytesWritten
        written += bytesWritten
      }
    }
    return written
  } catch (error) {
    throw new PartlyWritten(written, error)
  }
}
