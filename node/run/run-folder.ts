/** The folder of a run while one process has it: what that process made of it, and nobody else, is taken back. */
import { rmdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { makeFolder } from '../make-folder.js'
import { RunLock } from './lock.js'
import { ioError } from './outputs.js'

/** What runs leave is read by their owner alone, as the cache is: answers and prompts may be private. */
export const folderMode = 0o700

export class RunFolder {
  readonly folder: string
  readonly lock: RunLock
  /** The highest folder that was made for it. */
  readonly #made: string | undefined
  #over = false

  private constructor(folder: string, lock: RunLock, made: string | undefined) {
    this.folder = folder
    this.lock = lock
    this.#made = made
  }

  /** Makes the folder and takes it. Fails: host.run_locked, and then it is as it was; host.io_failed. */
  static async take(folder: string, takeOver = false): Promise<RunFolder> {
    for (let tries = 0; ; ++tries) {
      const made = await makeRunFolder(folder)
      try {
        return new RunFolder(folder, await RunLock.acquire(folder, takeOver), made)
      } catch (error) {
        // An owner that had come to nothing took the folder back in between.
        if (!(await isThere(folder)) && tries < 10) continue
        await removeEmpty(folder, made)
        throw error
      }
    }
  }

  /** Makes and takes a folder of this name that nobody has yet: `NAME`, `NAME-2`, … Fails: host.io_failed. */
  static async takeFresh(name: string): Promise<RunFolder> {
    for (let n = 1; n <= 1000; ++n) {
      const folder = n === 1 ? name : `${name}-${n}`
      const above = await makeRunFolder(dirname(folder))
      const made = await makeRunFolder(folder)
      if (made !== undefined) return new RunFolder(folder, await RunLock.acquire(folder), above ?? made)
    }
    throw new AetherflowError('host.io_failed', name, 'there are a thousand folders of this name')
  }

  /** Lets go. Idempotent. */
  async release(): Promise<void> {
    if (this.#over) return
    this.#over = true
    await this.lock.release()
  }

  /** Lets go of a folder without a journal, which needs no fence: the lock goes too. Idempotent. */
  async leave(): Promise<void> {
    if (this.#over) return
    this.#over = true
    await this.lock.remove()
  }

  /** Lets go of a folder that came to nothing: what was made for it and is empty goes with the lock. Idempotent. */
  async giveBack(): Promise<void> {
    if (this.#over) return
    await this.leave()
    await removeEmpty(this.folder, this.#made)
  }
}

const makeRunFolder = (folder: string): Promise<string | undefined> =>
  makeFolder(folder, folderMode).catch((error: unknown) => Promise.reject(ioError(folder, error)))

const isThere = (folder: string): Promise<boolean> =>
  stat(folder).then(
    () => true,
    () => false,
  )

/** From `folder` up to `made`, as long as they are empty. */
async function removeEmpty(folder: string, made: string | undefined): Promise<void> {
  if (made === undefined) return
  for (let path = resolve(folder); ; path = dirname(path)) {
    const gone = await rmdir(path).then(
      () => true,
      () => false,
    )
    if (!gone || path === resolve(made) || dirname(path) === path) return
  }
}
