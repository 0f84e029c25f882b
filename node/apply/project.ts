/** The project that answers are put into: files of its own folder alone, by no link, over nothing that nobody has seen. */
import { createHash, randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { isRefusedTarget } from '../check/placing.js'
import { errorCode } from '../error-code.js'
import { ioError } from '../run/outputs.js'
import type { Disk, FileState } from './disk.js'

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Of a file, or that there is none. */
export const stateOf = (file: FileState | undefined): string => (file === undefined ? 'absent' : digestOf(file.bytes))

const refused = (target: string, detail: string): AetherflowError =>
  new AetherflowError('apply.refused', target, detail)

export class Project {
  readonly root: string
  readonly #disk: Disk

  /** `root`: its real path. */
  constructor(root: string, disk: Disk) {
    this.root = root
    this.#disk = disk
  }

  /** Fails: apply.refused for a name that no plan may write. */
  path(target: string): string {
    const why = isRefusedTarget(target)
    if (why !== undefined) throw refused(target, `expected ${why}`)
    return join(this.root, ...target.split('/'))
  }

  /** The folders above a target that are not there yet, outermost first. Fails: apply.refused for a link or file in the way. */
  async missingFolders(target: string): Promise<string[]> {
    const parts = target.split('/').slice(0, -1)
    const missing: string[] = []
    for (let count = 1; count <= parts.length; ++count) {
      const folder = parts.slice(0, count).join('/')
      const kind = missing.length > 0 ? undefined : await this.#disk.kind(this.path(folder))
      if (kind === undefined) missing.push(folder)
      else if (kind !== 'folder') throw refused(target, `'${folder}' is no folder of the project (a link, or a file)`)
    }
    return missing
  }

  /** The present file; undefined if there is none. Fails: apply.refused for what is no regular file of the project. */
  async read(target: string): Promise<FileState | undefined> {
    const path = this.path(target)
    await this.missingFolders(target)
    const kind = await this.#disk.kind(path)
    if (kind === undefined) return undefined
    if (kind !== 'file')
      throw refused(target, kind === 'folder' ? 'it is a folder' : 'it is a link, or no regular file')
    return await this.#disk.read(path)
  }

  /**
   * Puts `file` where `expected` stands: whole or not at all. Fails: apply.changed when something else stands there by now,
   * host.io_failed when it cannot be written; then everything is as it was.
   */
  async replace(target: string, file: FileState, expected: string): Promise<void> {
    const path = this.path(target)
    const temporary = join(dirname(path), `.aetherflow-${randomBytes(6).toString('hex')}.part`)
    try {
      await this.#disk.writeNew(temporary, file.bytes, file.mode)
      // The last look, as late as can be; a new file is never put over one.
      if (stateOf(await this.read(target)) !== expected) throw new AetherflowError('apply.changed', target)
      if (expected === 'absent') {
        await this.#disk.link(temporary, path)
        await this.#disk.unlink(temporary)
      } else await this.#disk.rename(temporary, path)
      await this.#disk.sync(dirname(path))
    } catch (error) {
      await this.#disk.unlink(temporary).catch(() => {})
      if (error instanceof AetherflowError) throw error
      if (errorCode(error) === 'EEXIST') throw new AetherflowError('apply.changed', target)
      throw ioError(path, error)
    }
  }

  async makeFolders(folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      const path = this.path(folder)
      try {
        await this.#disk.mkdir(path)
        await this.#disk.sync(dirname(path))
      } catch (error) {
        if (errorCode(error) === 'EEXIST' && (await this.#disk.kind(path)) === 'folder') continue
        throw ioError(path, error)
      }
    }
  }

  /** Takes a file away that `expected` is the state of. Fails: apply.changed, host.io_failed. */
  async remove(target: string, expected: string): Promise<void> {
    const path = this.path(target)
    if (stateOf(await this.read(target)) !== expected) throw new AetherflowError('apply.changed', target)
    try {
      await this.#disk.unlink(path)
      await this.#disk.sync(dirname(path))
    } catch (error) {
      throw ioError(path, error)
    }
  }

  /** Takes folders away that are empty, innermost first. */
  async removeFolders(folders: readonly string[]): Promise<void> {
    for (const folder of [...folders].reverse()) await this.#disk.rmdir(this.path(folder)).catch(() => {})
  }
}
