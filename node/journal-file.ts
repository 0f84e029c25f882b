/** A journal in a file. Lines gather while a sync is under way, and the next one covers them all. */
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AetherflowError } from '../bindings/errors.js'
import type { JournalWriter } from '../bindings/journal.js'
import { ioError, syncFolder } from './outputs.js'

/**
 * When a line counts as kept. always (default): once it is flushed to the disk. A number: likewise, but at most one flush in
 * so many ms; outputs are told that much later. never: once the system has it, which outlives this process but no loss of power.
 */
export type SyncPolicy = 'always' | 'never' | number

export interface JournalFileOptions {
  readonly sync?: SyncPolicy | undefined
  /** Asked after each group of lines, before they count as kept. Rejects when the run is another process's by now. */
  readonly fence?: (() => Promise<void>) | undefined
}

/** Lines that nobody waits for are written this much later, ms. */
const lazyMs = 50

interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export class JournalFile implements JournalWriter {
  readonly path: string
  readonly #file: FileHandle
  readonly #sync: SyncPolicy
  readonly #fence: () => Promise<void>
  #pending: string[] = []
  #waiters: Waiter[] = []
  /** Appends so far, and how many of them are kept. */
  #appended = 0
  #kept = 0
  #running: Promise<void> | undefined
  #lazy: NodeJS.Timeout | undefined
  #lastSync = -Infinity
  #failure: { readonly error: unknown } | undefined
  #listeners: ((error: unknown) => void)[] = []

  private constructor(path: string, file: FileHandle, { sync = 'always', fence }: JournalFileOptions) {
    this.path = path
    this.#file = file
    this.#sync = sync
    this.#fence = fence ?? (() => Promise.resolve())
  }

  /**
   * A journal at `path` that begins with `start`, in place of any other. It appears whole: a crash leaves the old or the new.
   * A process that still writes to the old one writes to a file without a name. Fails: host.io.
   */
  static async create(
    path: string,
    start: Uint8Array | string,
    options: JournalFileOptions = {},
  ): Promise<JournalFile> {
    const temporary = join(dirname(path), `.journal-${process.pid}.part`)
    let file: FileHandle | undefined
    try {
      await unlink(temporary).catch(() => {})
      file = await open(temporary, 'ax')
      await writeAll(file, start)
      await file.datasync()
      await rename(temporary, path)
      await syncFolder(dirname(path))
      return new JournalFile(path, file, options)
    } catch (error) {
      await file?.close().catch(() => {})
      await unlink(temporary).catch(() => {})
      throw ioError(path, error)
    }
  }

  append(lines: string): void {
    if (this.#failure !== undefined) return
    this.#pending.push(lines)
    this.#appended += 1
    this.#lazy ??= setTimeout(() => this.#run(), lazyMs)
  }

  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error as Error)
    if (this.#kept === this.#appended) return Promise.resolve()
    const kept = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ upTo: this.#appended, resolve, reject })
    })
    this.#run()
    return kept
  }

  onFailure(listener: (error: unknown) => void): void {
    if (this.#failure !== undefined) listener(this.#failure.error)
    else this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    await this.flush().catch(() => {})
    await this.#running
    clearTimeout(this.#lazy)
    await this.#file.close().catch(() => {})
  }

  #run(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      // What came between the last look and now.
      if (this.#waiters.length > 0 && this.#failure === undefined) this.#run()
    })
  }

  async #work(): Promise<void> {
    try {
      // One turn of the event loop: the ends of several calls often come together, and then share a sync.
      await new Promise((resolve) => setImmediate(resolve))
      do await this.#group()
      while (this.#waiters.length > 0)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Writes what there is; when somebody waits for it, also makes it durable. */
  async #group(): Promise<void> {
    if (typeof this.#sync === 'number' && this.#waiters.length > 0) {
      const wait = this.#lastSync + this.#sync - performance.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    }
    clearTimeout(this.#lazy)
    this.#lazy = undefined
    const lines = this.#pending.join('')
    this.#pending = []
    const upTo = this.#appended
    if (lines !== '') await writeAll(this.#file, lines)
    if (this.#waiters.length === 0) return
    if (this.#sync !== 'never') await this.#file.datasync()
    this.#lastSync = performance.now()
    // After the sync: whoever takes the run over says so first and reads the journal afterwards, so lines that were kept
    // before that are among those it reads, and these here are told to nobody.
    await this.#fence()
    this.#kept = upTo
    const done = this.#waiters.filter((waiter) => waiter.upTo <= upTo)
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > upTo)
    for (const { resolve } of done) resolve()
  }

  /** For good: after a failed write or sync nobody knows what is on the disk, and trying again would hide that. */
  #fail(cause: unknown): void {
    const error = cause instanceof AetherflowError ? cause : ioError(this.path, cause)
    this.#failure = { error }
    this.#pending = []
    clearTimeout(this.#lazy)
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
    for (const listener of this.#listeners) listener(error)
  }
}

/** A write may take less than it was given, above all when the disk is about to be full. */
async function writeAll(file: FileHandle, what: Uint8Array | string): Promise<void> {
  const bytes = typeof what === 'string' ? Buffer.from(what, 'utf8') : what
  for (let from = 0; from < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, from, bytes.length - from)
    from += bytesWritten
  }
}
