/** A journal in a file: a sync a group of lines. */
import { open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { JournalWriter } from '../../bindings/journal/journal.js'
import { JournalQueue } from '../../web/standard/run/journal-queue.js'
import { patiently } from '../patience.js'
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

export class JournalFile extends JournalQueue implements JournalWriter {
  readonly path: string
  readonly #file: FileHandle
  readonly #sync: SyncPolicy
  readonly #fence: () => Promise<void>
  #lastSync = -Infinity

  private constructor(path: string, file: FileHandle, { sync = 'always', fence }: JournalFileOptions) {
    super({
      turn: () => new Promise((resolve) => setImmediate(resolve)),
      pace: () => this.#pace(),
      keep: (lines, awaited) => this.#keep(lines, awaited),
      failure: (cause) => (cause instanceof AetherflowError ? cause : ioError(path, cause)),
    })
    this.path = path
    this.#file = file
    this.#sync = sync
    this.#fence = fence ?? (() => Promise.resolve())
  }

  /**
   * A journal at `path` that begins with `start`, in place of any other. It appears whole: a crash leaves the old or the new.
   * A process that still writes to the old one writes to a file without a name. Fails: host.io_failed.
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
      file = await patiently(() => open(temporary, 'ax', 0o600))
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

  override async close(): Promise<void> {
    await super.close()
    await this.#file.close().catch(() => {})
  }

  async #pace(): Promise<void> {
    if (typeof this.#sync !== 'number') return
    const wait = this.#lastSync + this.#sync - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
  }

  /** Writes what there is; when somebody waits for it, also makes it durable. */
  async #keep(lines: string, awaited: () => boolean): Promise<boolean> {
    if (lines !== '') await writeAll(this.#file, lines)
    if (!awaited()) return false
    if (this.#sync !== 'never') await this.#file.datasync()
    this.#lastSync = performance.now()
    // After the sync: anyone who takes the run over says so first and reads the journal afterwards, so lines that were kept
    // before that are among those it reads, and these here are told to nobody.
    await this.#fence()
    return true
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
