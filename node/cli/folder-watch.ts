/** What changes below a folder, a burst of it at a time. */
import { watch, type FSWatcher } from 'node:fs'
import { AetherflowError } from '../../bindings/errors.js'
import { FolderSource } from '../documents/source.js'
import { errorCode } from '../error-code.js'

/** Programs write in several moves: so long after the last of them, ms. */
const calmMs = 100

/**
 * On Linux each folder is watched by itself: Node's own recursive watching looks at files there, and loses one that another was put
 * in the place of, which is how most editors save. Elsewhere the system watches the whole tree.
 */
const each = process.platform === 'linux'

export class FolderWatch {
  readonly #dir: string
  readonly #signal: AbortSignal
  readonly #source: FolderSource
  readonly #watchers = new Map<string, FSWatcher>()
  #quiet: NodeJS.Timeout | undefined
  #dirty = false
  #error: unknown
  #told = (): void => {}

  private constructor(dir: string, signal: AbortSignal) {
    this.#dir = dir
    this.#signal = signal
    this.#source = new FolderSource(dir)
    signal.addEventListener('abort', () => this.#told(), { once: true })
  }

  /** Fails: host.io_failed for a folder that cannot be watched. */
  static async open(dir: string, signal: AbortSignal): Promise<FolderWatch> {
    const opened = new FolderWatch(dir, signal)
    await opened.#follow()
    return opened
  }

  /** True when something has changed since the last call; false: the signal. Rejects when the folder cannot be watched any more. */
  async next(): Promise<boolean> {
    if (!this.#dirty && !this.#signal.aborted && this.#error === undefined)
      await new Promise<void>((resolve) => (this.#told = resolve))
    if (this.#error !== undefined && !this.#signal.aborted) throw this.#error
    this.#dirty = false
    // Folders that are new are watched before they are read.
    if (!this.#signal.aborted) await this.#follow()
    return !this.#signal.aborted
  }

  close(): void {
    clearTimeout(this.#quiet)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
  }

  async #follow(): Promise<void> {
    const folders = each ? await this.#source.folders(this.#signal) : [this.#dir]
    for (const folder of folders) if (!this.#watchers.has(folder)) this.#watch(folder)
    for (const [folder, watcher] of this.#watchers) {
      if (folders.includes(folder)) continue
      watcher.close()
      this.#watchers.delete(folder)
    }
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { recursive: !each }, () => this.#changed())
      watcher.on('error', (error) => {
        // A folder that has gone is a change of the one above it.
        if (each && folder !== this.#dir) return this.#changed()
        this.#error = error
        this.#told()
      })
      this.#watchers.set(folder, watcher)
    } catch (error) {
      const code = errorCode(error)
      // It went since it was seen.
      if (code === 'ENOENT' && this.#watchers.size > 0) return
      const full = 'the system watches no more folders: raise fs.inotify.max_user_watches'
      throw new AetherflowError('host.io_failed', folder, code === 'ENOSPC' ? full : code || String(error))
    }
  }

  #changed(): void {
    clearTimeout(this.#quiet)
    this.#quiet = setTimeout(() => {
      this.#dirty = true
      this.#told()
    }, calmMs)
  }
}
